#include "oracle.h"

void oracle_sum_squares(const oracle_call *call) {
    const int64_t count = oracle_extent(call, HONE_SUM_SQUARES_X, 0);
    const double *x = call->value[HONE_SUM_SQUARES_X];

    for (int64_t i = 0; i < count; i++)
        call->value[HONE_SUM_SQUARES_OUT][0] += x[i] * x[i];
}
