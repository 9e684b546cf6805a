/** CAST. */
#include "operations.h"

#include "convert.h"
#include "scalar.h"

#include <string.h>

void hn_cpu_widen_bf16_scalar(const uint16_t *x, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = hn_cpu_from_bf16(x[i]);
    }
}

void hn_cpu_narrow_bf16_scalar(const float *x, uint16_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = hn_cpu_to_bf16((double)x[i]);
    }
}

void hn_cpu_widen_f16_scalar(const uint16_t *x, float *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = hn_cpu_from_f16(x[i]);
    }
}

void hn_cpu_narrow_f16_scalar(const float *x, uint16_t *y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] = hn_cpu_to_f16((double)x[i]);
    }
}

typedef struct casting {
    const hn_cpu_kernels *kernels;
    int32_t from, to;
} casting;

static double load(int32_t dtype, const void *x, int64_t i) {
    switch (dtype) {
    case HONE_F64:
        return ((const double *)x)[i];
    case HONE_F16:
        return (double)hn_cpu_from_f16(((const uint16_t *)x)[i]);
    case HONE_BF16:
        return (double)hn_cpu_from_bf16(((const uint16_t *)x)[i]);
    default:
        return (double)((const float *)x)[i];
    }
}

static void store(int32_t dtype, void *y, int64_t i, double value) {
    switch (dtype) {
    case HONE_F64:
        ((double *)y)[i] = value;
        break;
    case HONE_F16:
        ((uint16_t *)y)[i] = hn_cpu_to_f16(value);
        break;
    case HONE_BF16:
        ((uint16_t *)y)[i] = hn_cpu_to_bf16(value);
        break;
    default:
        ((float *)y)[i] = (float)value;
    }
}

/* Any pair, by way of f64, which holds every value exactly. */
static void cast_any(const void *argument, int64_t n, void *const *at) {
    const casting *work = argument;
    for (int64_t i = 0; i < n; i++) {
        store(work->to, at[1], i, load(work->from, at[0], i));
    }
}

static void widen_bf16(const void *argument, int64_t n, void *const *at) {
    ((const casting *)argument)->kernels->widen_bf16(at[0], at[1], n);
}

static void narrow_bf16(const void *argument, int64_t n, void *const *at) {
    ((const casting *)argument)->kernels->narrow_bf16(at[0], at[1], n);
}

static void widen_f16(const void *argument, int64_t n, void *const *at) {
    ((const casting *)argument)->kernels->widen_f16(at[0], at[1], n);
}

static void narrow_f16(const void *argument, int64_t n, void *const *at) {
    ((const casting *)argument)->kernels->narrow_f16(at[0], at[1], n);
}

static void copy(const void *argument, int64_t n, void *const *at) {
    int32_t dtype = ((const casting *)argument)->to;
    size_t size = dtype == HONE_F64 ? 8 : dtype == HONE_F32 ? 4 : 2;
    memcpy(at[1], at[0], (size_t)n * size);
}

static hn_cpu_span_function choose(int32_t from, int32_t to) {
    if (from == to) {
        return copy;
    }
    if (to == HONE_F32) {
        return from == HONE_BF16 ? widen_bf16 : from == HONE_F16 ? widen_f16 : cast_any;
    }
    if (from == HONE_F32) {
        return to == HONE_BF16 ? narrow_bf16 : to == HONE_F16 ? narrow_f16 : cast_any;
    }
    return cast_any;
}

hone_status hn_cpu_cast(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *operand[] = {&call->operand[HONE_CAST_X], &call->operand[HONE_CAST_Y]};
    casting work = {.kernels = &device->kernels, .from = operand[0]->dtype, .to = operand[1]->dtype};
    hn_cpu_each_span(device, operand, HONE_CAST_OPERANDS, choose(work.from, work.to), &work);
    return HONE_OK;
}
