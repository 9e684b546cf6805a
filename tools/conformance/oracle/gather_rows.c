#include "oracle.h"

void oracle_gather_rows(const oracle_call *call) {
    const int64_t U = oracle_extent(call, HONE_GATHER_ROWS_Y, 0);
    const int64_t D = oracle_extent(call, HONE_GATHER_ROWS_Y, 1);

    for (int64_t u = 0; u < U; u++) {
        const int64_t t = (int64_t)call->value[HONE_GATHER_ROWS_ROW][u];
        for (int64_t d = 0; d < D; d++)
            call->value[HONE_GATHER_ROWS_Y][u * D + d] = call->value[HONE_GATHER_ROWS_X][t * D + d];
    }
}
