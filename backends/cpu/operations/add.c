/** ADD. */
#include "operations.h"

#include "scalar.h"

void hn_cpu_add_scalar(const float *a, const float *b, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = a[i] + b[i];
    }
}

static void span(const void *argument, int64_t n, void *const *at) {
    const hn_cpu_kernels *kernels = argument;
    kernels->add(at[HONE_ADD_A], at[HONE_ADD_B], at[HONE_ADD_Y], n);
}

hone_status hn_cpu_add(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *operand[] = {&call->operand[HONE_ADD_A], &call->operand[HONE_ADD_B],
                                    &call->operand[HONE_ADD_Y]};
    hn_cpu_each_span(device, operand, HONE_ADD_OPERANDS, span, &device->kernels);
    return HONE_OK;
}
