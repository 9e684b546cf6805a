#include "oracle.h"

#include <math.h>

void oracle_rms_norm(const oracle_call *call) {
    const hone_norm_params *params = call->params;
    const int64_t T = oracle_extent(call, HONE_RMS_NORM_X, 0);
    const int64_t D = oracle_extent(call, HONE_RMS_NORM_X, 1);
    const double *x = call->value[HONE_RMS_NORM_X];
    const double *gain = call->value[HONE_RMS_NORM_GAIN];
    double *y = call->value[HONE_RMS_NORM_Y];
    double *rstd = call->value[HONE_RMS_NORM_RSTD];

    for (int64_t t = 0; t < T; t++) {
        double sum = 0;
        for (int64_t d = 0; d < D; d++)
            sum += x[t * D + d] * x[t * D + d];
        rstd[t] = 1 / sqrt((D > 0 ? sum / (double)D : 0) + params->epsilon);
        for (int64_t d = 0; d < D; d++)
            y[t * D + d] = x[t * D + d] * rstd[t] * gain[d];
    }
}

void oracle_rms_norm_backward(const oracle_call *call) {
    const int64_t T = oracle_extent(call, HONE_RMS_NORM_BACKWARD_X, 0);
    const int64_t D = oracle_extent(call, HONE_RMS_NORM_BACKWARD_X, 1);
    const double *x = call->value[HONE_RMS_NORM_BACKWARD_X];
    const double *gain = call->value[HONE_RMS_NORM_BACKWARD_GAIN];
    const double *rstd = call->value[HONE_RMS_NORM_BACKWARD_RSTD];
    const double *dy = call->value[HONE_RMS_NORM_BACKWARD_DY];
    double *dx = call->value[HONE_RMS_NORM_BACKWARD_DX];
    double *dgain = call->value[HONE_RMS_NORM_BACKWARD_DGAIN];

    for (int64_t t = 0; t < T; t++) {
        double mean = 0;
        for (int64_t d = 0; d < D; d++)
            mean += gain[d] * dy[t * D + d] * x[t * D + d] / (double)D;
        for (int64_t d = 0; d < D; d++) {
            const int64_t i = t * D + d;
            if (dx != NULL)
                dx[i] += rstd[t] * (gain[d] * dy[i] - x[i] * rstd[t] * rstd[t] * mean);
            if (dgain != NULL)
                dgain[d] += dy[i] * x[i] * rstd[t];
        }
    }
}
