/** What HEAD_LOGP does to a row of logits, scalar. */
#include "scalar.h"

#include <math.h>

float hn_cpu_row_maximum_scalar(const float *z, int64_t n) {
    float most = z[0];
    for (int64_t i = 1; i < n; i++) {
        most = z[i] > most ? z[i] : most;
    }
    return most;
}

float hn_cpu_sum_exponentials_scalar(const float *z, int64_t n, float shift) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)expf(z[i] - shift);
    }
    return (float)sum;
}

void hn_cpu_scale_exponentials_scalar(float *z, int64_t n, float shift, float factor) {
    for (int64_t i = 0; i < n; i++) {
        z[i] = factor * expf(z[i] - shift);
    }
}
