#include "oracle.h"

void oracle_scatter_rows(const oracle_call *call) {
    const int64_t T = oracle_extent(call, HONE_SCATTER_ROWS_X, 0);
    const int64_t D = oracle_extent(call, HONE_SCATTER_ROWS_X, 1);

    for (int64_t t = 0; t < T; t++) {
        const int64_t c = (int64_t)call->value[HONE_SCATTER_ROWS_ROW][t];
        for (int64_t d = 0; d < D; d++)
            call->value[HONE_SCATTER_ROWS_Y][c * D + d] = call->value[HONE_SCATTER_ROWS_X][t * D + d];
    }
}
