/** ADAMW. */
#include "operations.h"

#include "scalar.h"

#include <math.h>

void hn_cpu_adamw_scalar(const hn_cpu_adamw_step *step, float *w, float *m, float *v, const float *gradient,
                         int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        float g = step->gradient_scale * gradient[i];
        m[i] = step->beta1 * m[i] + step->rest1 * g;
        v[i] = step->beta2 * v[i] + step->rest2 * g * g;
        w[i] = step->keep * w[i] - step->rate * m[i] / (sqrtf(v[i]) * step->inverse_root2 + step->epsilon);
    }
}

/* Everything that is the same for all elements, rounded once. */
static hn_cpu_adamw_step make_step(const hone_adamw_params *params) {
    double count = (double)params->step;
    return (hn_cpu_adamw_step){
        .gradient_scale = (float)params->gradient_scale,
        .keep = (float)(1.0 - params->lr * params->weight_decay),
        .beta1 = (float)params->beta1,
        .rest1 = (float)(1.0 - params->beta1),
        .beta2 = (float)params->beta2,
        .rest2 = (float)(1.0 - params->beta2),
        .rate = (float)(params->lr / (1.0 - pow(params->beta1, count))),
        .inverse_root2 = (float)(1.0 / sqrt(1.0 - pow(params->beta2, count))),
        .epsilon = (float)params->epsilon,
    };
}

typedef struct adamw_work {
    const hn_cpu_kernels *kernels;
    hn_cpu_adamw_step step;
} adamw_work;

static void span(const void *argument, int64_t n, void *const *at) {
    const adamw_work *work = argument;
    work->kernels->adamw(&work->step, at[HONE_ADAMW_W], at[HONE_ADAMW_M], at[HONE_ADAMW_V],
                         at[HONE_ADAMW_GRADIENT], n);
}

hone_status hn_cpu_adamw(hone_backend_device *device, const hone_call *call) {
    adamw_work work = {.kernels = &device->kernels, .step = make_step(call->params)};
    const hone_tensor *operand[HONE_ADAMW_OPERANDS];
    for (int i = 0; i < HONE_ADAMW_OPERANDS; i++) {
        operand[i] = &call->operand[i];
    }
    hn_cpu_each_span(device, operand, HONE_ADAMW_OPERANDS, span, &work);
    return HONE_OK;
}
