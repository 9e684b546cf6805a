/** GATHER_ROWS and SCATTER_ROWS: copies of rows. */
#include "operations.h"

#include <string.h>

typedef struct moves {
    const float *x;
    float *y;
    const int32_t *row;
    int64_t width, x_stride, y_stride, row_stride;
} moves;

static void gather(const void *argument, int64_t first, int64_t last) {
    const moves *work = argument;
    for (int64_t u = first; u < last; u++) {
        memcpy(work->y + u * work->y_stride, work->x + work->row[u * work->row_stride] * work->x_stride,
               (size_t)work->width * sizeof(float));
    }
}

static void scatter(const void *argument, int64_t first, int64_t last) {
    const moves *work = argument;
    for (int64_t t = first; t < last; t++) {
        memcpy(work->y + work->row[t * work->row_stride] * work->y_stride, work->x + t * work->x_stride,
               (size_t)work->width * sizeof(float));
    }
}

static void move(hone_backend_device *device, const hone_tensor *x, const hone_tensor *row,
                 const hone_tensor *y, hn_cpu_rows_function body) {
    moves work = {.x = hn_cpu_data(device, x),
                  .y = hn_cpu_data(device, y),
                  .row = hn_cpu_data(device, row),
                  .width = hn_cpu_width(y),
                  .x_stride = x->row_stride,
                  .y_stride = y->row_stride,
                  .row_stride = row->row_stride};
    if (work.width > 0) {
        hn_cpu_each_block(device, row->extent[0], work.width, body, &work);
    }
}

hone_status hn_cpu_gather_rows(hone_backend_device *device, const hone_call *call) {
    move(device, &call->operand[HONE_GATHER_ROWS_X], &call->operand[HONE_GATHER_ROWS_ROW],
         &call->operand[HONE_GATHER_ROWS_Y], gather);
    return HONE_OK;
}

hone_status hn_cpu_scatter_rows(hone_backend_device *device, const hone_call *call) {
    move(device, &call->operand[HONE_SCATTER_ROWS_X], &call->operand[HONE_SCATTER_ROWS_ROW],
         &call->operand[HONE_SCATTER_ROWS_Y], scatter);
    return HONE_OK;
}
