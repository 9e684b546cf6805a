/** Cutting row-wise and elementwise work into pieces that depend on shapes only. */
#include "operations.h"

#include <hone/backend.h>

/* Elements in a piece: a few microseconds of work, so that handing it out costs little. */
enum { PIECE = 16384 };

/* A device's dtypes and their sizes; hone's own function for it is not for backends to call. */
static int64_t size_of(int32_t dtype) {
    switch (dtype) {
    case HONE_F64:
        return 8;
    case HONE_F16:
    case HONE_BF16:
        return 2;
    case HONE_U8:
        return 1;
    default:
        return 4;
    }
}

/* ---- blocks of rows ---- */

typedef struct blocks {
    int64_t rows, height;
    hn_cpu_rows_function body;
    const void *argument;
} blocks;

static void run_block(void *argument, int64_t index, int thread) {
    (void)thread;
    const blocks *work = argument;
    int64_t first = index * work->height;
    work->body(work->argument, first, hn_cpu_min(work->rows, first + work->height));
}

void hn_cpu_each_block(hone_backend_device *device, int64_t rows, int64_t width, hn_cpu_rows_function body,
                       const void *argument) {
    blocks work = {.rows = rows, .height = 1, .body = body, .argument = argument};
    if (width < PIECE) {
        work.height = PIECE / hn_cpu_max(width, 1);
    }
    int64_t count = hn_cpu_ceil_div(rows, work.height);
    if (count == 1) {
        run_block(&work, 0, 0);
    } else if (count > 1) {
        device->host->parallel(device->host->context, count, run_block, &work);
    }
}

/* ---- runs of elements ---- */

typedef struct spans {
    int operands;
    char *base[HN_CPU_MOST_SPANS];
    int64_t size[HN_CPU_MOST_SPANS], row_bytes[HN_CPU_MOST_SPANS];
    int64_t width;
    hn_cpu_span_function body;
    const void *argument;
} spans;

static void run_span(const spans *work, int64_t row, int64_t column, int64_t n) {
    void *at[HN_CPU_MOST_SPANS];
    for (int i = 0; i < work->operands; i++) {
        at[i] = work->base[i] + row * work->row_bytes[i] + column * work->size[i];
    }
    work->body(work->argument, n, at);
}

static void run_flat(void *argument, int64_t index, int thread) {
    (void)thread;
    const spans *work = argument;
    int64_t first = index * PIECE;
    run_span(work, 0, first, hn_cpu_min(PIECE, work->width - first));
}

static void run_rows(const void *argument, int64_t first, int64_t last) {
    const spans *work = argument;
    for (int64_t row = first; row < last; row++) {
        run_span(work, row, 0, work->width);
    }
}

void hn_cpu_each_span(hone_backend_device *device, const hone_tensor *const *operand, int operands,
                      hn_cpu_span_function body, const void *argument) {
    int64_t rows = operand[0]->extent[0], width = hn_cpu_width(operand[0]);
    spans work = {.operands = operands, .width = width, .body = body, .argument = argument};
    bool dense = true;
    if (rows == 0 || width == 0) {
        return;
    }
    for (int i = 0; i < operands; i++) {
        work.base[i] = hn_cpu_data(device, operand[i]);
        work.size[i] = size_of(operand[i]->dtype);
        work.row_bytes[i] = operand[i]->row_stride * work.size[i];
        dense = dense && (operand[i]->row_stride == hn_cpu_width(operand[i]) || operand[i]->extent[0] == 1);
    }
    if (!dense) {
        hn_cpu_each_block(device, rows, width, run_rows, &work);
        return;
    }
    work.width = rows * width;
    int64_t pieces = hn_cpu_ceil_div(work.width, PIECE);
    if (pieces == 1) {
        run_flat(&work, 0, 0);
    } else {
        device->host->parallel(device->host->context, pieces, run_flat, &work);
    }
}
