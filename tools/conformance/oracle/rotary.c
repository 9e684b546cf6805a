#include "oracle.h"

#include <math.h>

void oracle_rotary(const oracle_call *call) {
    const hone_rotary_params *params = call->params;
    const int64_t T = oracle_extent(call, HONE_ROTARY_X, 0);
    const int64_t H = oracle_extent(call, HONE_ROTARY_X, 1);
    const int64_t N = oracle_extent(call, HONE_ROTARY_X, 2);
    const double *x = call->value[HONE_ROTARY_X];
    const double *position = call->value[HONE_ROTARY_POSITION];
    const double *frequency = call->value[HONE_ROTARY_FREQUENCY];
    double *y = call->value[HONE_ROTARY_Y];

    for (int64_t t = 0; t < T; t++) {
        for (int64_t h = 0; h < H; h++) {
            for (int64_t j = 0; j < N / 2; j++) {
                const int64_t first = (t * H + h) * N + j, second = first + N / 2;
                const double angle = position[t] * frequency[j] * (params->inverse ? -1 : 1);
                y[first] += params->scale * (x[first] * cos(angle) - x[second] * sin(angle));
                y[second] += params->scale * (x[second] * cos(angle) + x[first] * sin(angle));
            }
        }
    }
}
