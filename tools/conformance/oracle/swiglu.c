#include "oracle.h"

#include <math.h>

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

void oracle_swiglu(const oracle_call *call) {
    const int64_t count = oracle_extent(call, HONE_SWIGLU_Y, 0) * oracle_extent(call, HONE_SWIGLU_Y, 1);
    const double *gate = call->value[HONE_SWIGLU_GATE];
    const double *up = call->value[HONE_SWIGLU_UP];

    for (int64_t i = 0; i < count; i++)
        call->value[HONE_SWIGLU_Y][i] = gate[i] * sigmoid(gate[i]) * up[i];
}

void oracle_swiglu_backward(const oracle_call *call) {
    const int64_t count =
        oracle_extent(call, HONE_SWIGLU_BACKWARD_DY, 0) * oracle_extent(call, HONE_SWIGLU_BACKWARD_DY, 1);
    const double *gate = call->value[HONE_SWIGLU_BACKWARD_GATE];
    const double *up = call->value[HONE_SWIGLU_BACKWARD_UP];
    const double *dy = call->value[HONE_SWIGLU_BACKWARD_DY];

    for (int64_t i = 0; i < count; i++) {
        const double s = sigmoid(gate[i]);
        call->value[HONE_SWIGLU_BACKWARD_DGATE][i] = dy[i] * up[i] * s * (1 + gate[i] * (1 - s));
        call->value[HONE_SWIGLU_BACKWARD_DUP][i] = dy[i] * gate[i] * s;
    }
}
