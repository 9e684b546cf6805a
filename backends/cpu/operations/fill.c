/** FILL. */
#include "operations.h"

#include "convert.h"

#include <stddef.h>

typedef struct filling {
    union {
        float f32;
        double f64;
        uint16_t f16;
    } value;
} filling;

static void fill_4(const void *argument, int64_t n, void *const *at) {
    const filling *work = argument;
    float *y = at[0];
    for (int64_t i = 0; i < n; i++) {
        y[i] = work->value.f32;
    }
}

static void fill_8(const void *argument, int64_t n, void *const *at) {
    const filling *work = argument;
    double *y = at[0];
    for (int64_t i = 0; i < n; i++) {
        y[i] = work->value.f64;
    }
}

static void fill_2(const void *argument, int64_t n, void *const *at) {
    const filling *work = argument;
    uint16_t *y = at[0];
    for (int64_t i = 0; i < n; i++) {
        y[i] = work->value.f16;
    }
}

hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call) {
    const hone_fill_params *params = call->params;
    const hone_tensor *y = &call->operand[HONE_FILL_Y];
    filling work;
    hn_cpu_span_function body = fill_2;
    if (y->dtype == HONE_F32) {
        work.value.f32 = (float)params->value;
        body = fill_4;
    } else if (y->dtype == HONE_F64) {
        work.value.f64 = params->value;
        body = fill_8;
    } else {
        work.value.f16 = y->dtype == HONE_F16 ? hn_cpu_to_f16(params->value) : hn_cpu_to_bf16(params->value);
    }
    hn_cpu_each_span(device, &y, 1, body, &work);
    return HONE_OK;
}
