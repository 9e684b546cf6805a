/** LINEAR and LINEAR_BACKWARD: matrix products, and column sums for the bias. */
#include "operations.h"

#include <stddef.h>

static float scale_of(const hone_call *call) {
    const hone_scale_params *params = call->params;
    return (float)params->scale;
}

hone_status hn_cpu_linear(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_LINEAR_X];
    const hone_tensor *w = &call->operand[HONE_LINEAR_W];
    const hone_tensor *bias = &call->operand[HONE_LINEAR_BIAS];
    const hone_tensor *y = &call->operand[HONE_LINEAR_Y];
    hn_cpu_product product = {
        .kind = HN_CPU_NT,
        .accumulate = hn_cpu_accumulates(call, HONE_LINEAR_Y),
        .alpha = scale_of(call),
        .m = y->extent[0],
        .n = y->extent[1],
        .k = x->extent[1],
        .a = hn_cpu_data(device, x),
        .lda = x->row_stride,
        .b = hn_cpu_weights(device, w),
        .c = hn_cpu_data(device, y),
        .ldc = y->row_stride,
    };
    if (hn_cpu_present(bias)) {
        product.bias = hn_cpu_data(device, bias);
        product.bias_stride = bias->row_stride;
    }
    return hn_cpu_matmul(&device->matmul, &product);
}

static hone_status backward_x(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *w = &call->operand[HONE_LINEAR_BACKWARD_W];
    const hone_tensor *dy = &call->operand[HONE_LINEAR_BACKWARD_DY];
    const hone_tensor *dx = &call->operand[HONE_LINEAR_BACKWARD_DX];
    hn_cpu_product product = {
        .kind = HN_CPU_NN,
        .accumulate = hn_cpu_accumulates(call, HONE_LINEAR_BACKWARD_DX),
        .alpha = scale_of(call),
        .m = dx->extent[0],
        .n = dx->extent[1],
        .k = dy->extent[1],
        .a = hn_cpu_data(device, dy),
        .lda = dy->row_stride,
        .b = hn_cpu_weights(device, w),
        .c = hn_cpu_data(device, dx),
        .ldc = dx->row_stride,
    };
    return hn_cpu_matmul(&device->matmul, &product);
}

static hone_status backward_w(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_LINEAR_BACKWARD_X];
    const hone_tensor *dy = &call->operand[HONE_LINEAR_BACKWARD_DY];
    const hone_tensor *dw = &call->operand[HONE_LINEAR_BACKWARD_DW];
    hn_cpu_product product = {
        .kind = HN_CPU_TN,
        .accumulate = hn_cpu_accumulates(call, HONE_LINEAR_BACKWARD_DW),
        .alpha = scale_of(call),
        .m = dw->extent[0],
        .n = dw->extent[1],
        .k = dy->extent[0],
        .a = hn_cpu_data(device, dy),
        .lda = dy->row_stride,
        .b = hn_cpu_weights(device, x),
        .c = hn_cpu_data(device, dw),
        .ldc = dw->row_stride,
    };
    return hn_cpu_matmul(&device->matmul, &product);
}

/** Sums of columns, a strip of columns to a thread; within a column in order of t, in double. */
enum { STRIP = 64 };

typedef struct column_sums {
    const float *dy;
    int64_t rows, columns, ld;
    float *dbias;
    int64_t dbias_stride;
    bool accumulate;
} column_sums;

static void sum_strip(void *argument, int64_t index, int thread) {
    (void)thread;
    const column_sums *sums = argument;
    int64_t first = index * STRIP;
    int64_t count = sums->columns - first < STRIP ? sums->columns - first : STRIP;
    double sum[STRIP] = {0.0};
    for (int64_t t = 0; t < sums->rows; t++) {
        const float *dy = sums->dy + t * sums->ld + first;
        for (int64_t j = 0; j < count; j++) {
            sum[j] += (double)dy[j];
        }
    }
    for (int64_t j = 0; j < count; j++) {
        float *dbias = &sums->dbias[(first + j) * sums->dbias_stride];
        *dbias = (float)(sums->accumulate ? (double)*dbias + sum[j] : sum[j]);
    }
}

static void backward_bias(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *dy = &call->operand[HONE_LINEAR_BACKWARD_DY];
    const hone_tensor *dbias = &call->operand[HONE_LINEAR_BACKWARD_DBIAS];
    column_sums sums = {
        .dy = hn_cpu_data(device, dy),
        .rows = dy->extent[0],
        .columns = dy->extent[1],
        .ld = dy->row_stride,
        .dbias = hn_cpu_data(device, dbias),
        .dbias_stride = dbias->row_stride,
        .accumulate = hn_cpu_accumulates(call, HONE_LINEAR_BACKWARD_DBIAS),
    };
    int64_t strips = (sums.columns + STRIP - 1) / STRIP;
    device->host->parallel(device->host->context, strips, sum_strip, &sums);
}

hone_status hn_cpu_linear_backward(hone_backend_device *device, const hone_call *call) {
    hone_status status = HONE_OK;
    if (hn_cpu_present(&call->operand[HONE_LINEAR_BACKWARD_DX])) {
        status = backward_x(device, call);
    }
    if (status == HONE_OK && hn_cpu_present(&call->operand[HONE_LINEAR_BACKWARD_DW])) {
        status = backward_w(device, call);
    }
    if (status == HONE_OK && hn_cpu_present(&call->operand[HONE_LINEAR_BACKWARD_DBIAS])) {
        backward_bias(device, call);
    }
    return status;
}
