/** SWIGLU and SWIGLU_BACKWARD. Elements are read before they are written, so outputs may be inputs. */
#include "operations.h"

#include "scalar.h"

#include <math.h>

static float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

void hn_cpu_swiglu_scalar(const float *gate, const float *up, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = gate[i] * sigmoid(gate[i]) * up[i];
    }
}

void hn_cpu_swiglu_backward_scalar(const float *gate, const float *up, const float *dy, float *dgate,
                                   float *dup, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        float g = gate[i], u = up[i], d = dy[i], s = sigmoid(g);
        dgate[i] = d * u * s * (1.0f + g * (1.0f - s));
        dup[i] = d * g * s;
    }
}

static void forward_span(const void *argument, int64_t n, void *const *at) {
    const hn_cpu_kernels *kernels = argument;
    kernels->swiglu(at[HONE_SWIGLU_GATE], at[HONE_SWIGLU_UP], at[HONE_SWIGLU_Y], n);
}

hone_status hn_cpu_swiglu(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *operand[HONE_SWIGLU_OPERANDS];
    for (int i = 0; i < HONE_SWIGLU_OPERANDS; i++) {
        operand[i] = &call->operand[i];
    }
    hn_cpu_each_span(device, operand, HONE_SWIGLU_OPERANDS, forward_span, &device->kernels);
    return HONE_OK;
}

static void backward_span(const void *argument, int64_t n, void *const *at) {
    const hn_cpu_kernels *kernels = argument;
    kernels->swiglu_backward(at[HONE_SWIGLU_BACKWARD_GATE], at[HONE_SWIGLU_BACKWARD_UP],
                             at[HONE_SWIGLU_BACKWARD_DY], at[HONE_SWIGLU_BACKWARD_DGATE],
                             at[HONE_SWIGLU_BACKWARD_DUP], n);
}

hone_status hn_cpu_swiglu_backward(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *operand[HONE_SWIGLU_BACKWARD_OPERANDS];
    for (int i = 0; i < HONE_SWIGLU_BACKWARD_OPERANDS; i++) {
        operand[i] = &call->operand[i];
    }
    hn_cpu_each_span(device, operand, HONE_SWIGLU_BACKWARD_OPERANDS, backward_span, &device->kernels);
    return HONE_OK;
}
