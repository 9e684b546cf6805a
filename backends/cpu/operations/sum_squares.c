/** SUM_SQUARES: a partial sum for each piece of fixed length, added up in order. */
#include "operations.h"

#include "scalar.h"

enum { PIECE = 1 << 16 };

double hn_cpu_sum_squares_scalar(const float *x, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    return sum;
}

size_t hn_cpu_sum_squares_workspace(hone_backend_device *device, const hone_call *call) {
    (void)device;
    int64_t pieces = hn_cpu_ceil_div(call->operand[HONE_SUM_SQUARES_X].extent[0], PIECE);
    return pieces <= 1 ? 0 : (size_t)pieces * sizeof(double);
}

typedef struct squares {
    const hn_cpu_kernels *kernels;
    const float *x;
    int64_t count, stride;
    double *partial;
} squares;

static void sum_piece(void *argument, int64_t index, int thread) {
    (void)thread;
    const squares *work = argument;
    int64_t first = index * PIECE, n = hn_cpu_min(PIECE, work->count - first);
    if (work->stride == 1) {
        work->partial[index] = work->kernels->sum_squares(work->x + first, n);
        return;
    }
    double sum = 0.0;
    for (int64_t i = first; i < first + n; i++) {
        sum += hn_cpu_sum_squares_scalar(work->x + i * work->stride, 1);
    }
    work->partial[index] = sum;
}

hone_status hn_cpu_sum_squares(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_SUM_SQUARES_X];
    double *out = hn_cpu_data(device, &call->operand[HONE_SUM_SQUARES_OUT]), only = 0.0, sum = 0.0;
    squares work = {.kernels = &device->kernels,
                    .x = hn_cpu_data(device, x),
                    .count = x->extent[0],
                    .stride = x->row_stride,
                    .partial = &only};
    int64_t pieces = hn_cpu_ceil_div(work.count, PIECE);
    if (pieces == 1) {
        sum_piece(&work, 0, 0);
    } else if (pieces > 1) {
        work.partial = hn_cpu_data(device, &call->workspace);
        device->host->parallel(device->host->context, pieces, sum_piece, &work);
    }
    for (int64_t i = 0; i < pieces; i++) {
        sum += work.partial[i];
    }
    *out = hn_cpu_accumulates(call, HONE_SUM_SQUARES_OUT) ? *out + sum : sum;
    return HONE_OK;
}
