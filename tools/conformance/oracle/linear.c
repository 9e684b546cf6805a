#include "oracle.h"

void oracle_linear(const oracle_call *call) {
    const double scale = ((const hone_scale_params *)call->params)->scale;
    const int64_t T = oracle_extent(call, HONE_LINEAR_X, 0);
    const int64_t I = oracle_extent(call, HONE_LINEAR_X, 1);
    const int64_t O = oracle_extent(call, HONE_LINEAR_W, 0);
    const double *x = call->value[HONE_LINEAR_X];
    const double *w = call->value[HONE_LINEAR_W];
    const double *bias = call->value[HONE_LINEAR_BIAS];
    double *y = call->value[HONE_LINEAR_Y];

    for (int64_t t = 0; t < T; t++) {
        for (int64_t o = 0; o < O; o++) {
            double sum = 0;
            for (int64_t i = 0; i < I; i++)
                sum += x[t * I + i] * w[o * I + i];
            y[t * O + o] += scale * sum + (bias != NULL ? bias[o] : 0);
        }
    }
}

void oracle_linear_backward(const oracle_call *call) {
    const double scale = ((const hone_scale_params *)call->params)->scale;
    const double *x = call->value[HONE_LINEAR_BACKWARD_X];
    const double *w = call->value[HONE_LINEAR_BACKWARD_W];
    const double *dy = call->value[HONE_LINEAR_BACKWARD_DY];
    double *dx = call->value[HONE_LINEAR_BACKWARD_DX];
    double *dw = call->value[HONE_LINEAR_BACKWARD_DW];
    double *dbias = call->value[HONE_LINEAR_BACKWARD_DBIAS];
    const int64_t T = oracle_extent(call, HONE_LINEAR_BACKWARD_DY, 0);
    const int64_t O = oracle_extent(call, HONE_LINEAR_BACKWARD_DY, 1);
    /* x goes with dw and w with dx; with neither there is no I. */
    const int with_inputs = dx != NULL ? HONE_LINEAR_BACKWARD_DX : HONE_LINEAR_BACKWARD_DW;
    const int64_t I = dx != NULL || dw != NULL ? oracle_extent(call, with_inputs, 1) : 0;

    for (int64_t t = 0; t < T; t++) {
        for (int64_t o = 0; o < O; o++) {
            const double d = dy[t * O + o];
            for (int64_t i = 0; i < I; i++) {
                if (dx != NULL)
                    dx[t * I + i] += scale * d * w[o * I + i];
                if (dw != NULL)
                    dw[o * I + i] += scale * d * x[t * I + i];
            }
            if (dbias != NULL)
                dbias[o] += d;
        }
    }
}
