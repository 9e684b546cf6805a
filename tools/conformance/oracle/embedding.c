#include "oracle.h"

void oracle_embedding(const oracle_call *call) {
    const int64_t T = oracle_extent(call, HONE_EMBEDDING_Y, 0);
    const int64_t D = oracle_extent(call, HONE_EMBEDDING_Y, 1);
    const double *table = call->value[HONE_EMBEDDING_TABLE];
    const double *token = call->value[HONE_EMBEDDING_TOKEN];
    double *y = call->value[HONE_EMBEDDING_Y];

    for (int64_t t = 0; t < T; t++) {
        for (int64_t d = 0; d < D; d++)
            y[t * D + d] = table[(int64_t)token[t] * D + d];
    }
}

void oracle_embedding_backward(const oracle_call *call) {
    const int64_t T = oracle_extent(call, HONE_EMBEDDING_BACKWARD_DY, 0);
    const int64_t D = oracle_extent(call, HONE_EMBEDDING_BACKWARD_DY, 1);
    const double *token = call->value[HONE_EMBEDDING_BACKWARD_TOKEN];
    const double *dy = call->value[HONE_EMBEDDING_BACKWARD_DY];
    double *dtable = call->value[HONE_EMBEDDING_BACKWARD_DTABLE];

    for (int64_t t = 0; t < T; t++) {
        for (int64_t d = 0; d < D; d++)
            dtable[(int64_t)token[t] * D + d] += dy[t * D + d];
    }
}
