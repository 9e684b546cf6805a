/** EMBEDDING and EMBEDDING_BACKWARD. */
#include "operations.h"

#include <string.h>

typedef struct lookup {
    const hn_cpu_kernels *kernels;
    hn_cpu_matrix table;
    const int32_t *token;
    float *y;
    int64_t width, token_stride, y_stride;
} lookup;

static void copy_row(const lookup *work, hn_cpu_row row, float *y) {
    if (work->table.dtype == HONE_F32) {
        memcpy(y, row.data, (size_t)work->width * sizeof *y);
    } else if (work->table.dtype == HONE_BF16) {
        work->kernels->widen_bf16(row.data, y, work->width);
    } else {
        for (int64_t d = 0; d < work->width; d++) {
            y[d] = hn_cpu_row_element(row, work->table.dtype, d);
        }
    }
}

static void copy_rows(const void *argument, int64_t first, int64_t last) {
    const lookup *work = argument;
    for (int64_t t = first; t < last; t++) {
        copy_row(work, hn_cpu_matrix_row(&work->table, work->token[t * work->token_stride]),
                 work->y + t * work->y_stride);
    }
}

hone_status hn_cpu_embedding(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *table = &call->operand[HONE_EMBEDDING_TABLE];
    const hone_tensor *token = &call->operand[HONE_EMBEDDING_TOKEN], *y = &call->operand[HONE_EMBEDDING_Y];
    lookup work = {.kernels = &device->kernels,
                   .table = hn_cpu_weights(device, table),
                   .token = hn_cpu_data(device, token),
                   .y = hn_cpu_data(device, y),
                   .width = y->extent[1],
                   .token_stride = token->row_stride,
                   .y_stride = y->row_stride};
    if (work.width > 0) {
        hn_cpu_each_block(device, token->extent[0], work.width, copy_rows, &work);
    }
    return HONE_OK;
}

/* ---- backward: equal tokens add to the same row, so a thread owns a strip of columns, for all tokens ---- */

enum { STRIP = 64 };

typedef struct lookup_gradient {
    const int32_t *token;
    const float *dy;
    float *dtable;
    int64_t tokens, words, width, token_stride, dy_stride, dtable_stride;
} lookup_gradient;

static void zero_rows(const void *argument, int64_t first, int64_t last) {
    const lookup_gradient *work = argument;
    for (int64_t v = first; v < last; v++) {
        memset(work->dtable + v * work->dtable_stride, 0, (size_t)work->width * sizeof(float));
    }
}

static void add_strip(void *argument, int64_t index, int thread) {
    (void)thread;
    const lookup_gradient *work = argument;
    int64_t first = index * STRIP, n = hn_cpu_min(STRIP, work->width - first);
    for (int64_t t = 0; t < work->tokens; t++) {
        const float *dy = work->dy + t * work->dy_stride + first;
        float *to = work->dtable + work->token[t * work->token_stride] * work->dtable_stride + first;
        for (int64_t d = 0; d < n; d++) {
            to[d] += dy[d];
        }
    }
}

hone_status hn_cpu_embedding_backward(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *token = &call->operand[HONE_EMBEDDING_BACKWARD_TOKEN];
    const hone_tensor *dy = &call->operand[HONE_EMBEDDING_BACKWARD_DY];
    const hone_tensor *dtable = &call->operand[HONE_EMBEDDING_BACKWARD_DTABLE];
    lookup_gradient work = {.token = hn_cpu_data(device, token),
                            .dy = hn_cpu_data(device, dy),
                            .dtable = hn_cpu_data(device, dtable),
                            .tokens = token->extent[0],
                            .words = dtable->extent[0],
                            .width = dtable->extent[1],
                            .token_stride = token->row_stride,
                            .dy_stride = dy->row_stride,
                            .dtable_stride = dtable->row_stride};
    if (work.width == 0) {
        return HONE_OK;
    }
    if (!hn_cpu_accumulates(call, HONE_EMBEDDING_BACKWARD_DTABLE)) {
        hn_cpu_each_block(device, work.words, work.width, zero_rows, &work);
    }
    int64_t strips = work.tokens == 0 ? 0 : hn_cpu_ceil_div(work.width, STRIP);
    device->host->parallel(device->host->context, strips, add_strip, &work);
    return HONE_OK;
}
