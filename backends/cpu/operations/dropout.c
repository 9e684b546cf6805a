/** DROPOUT: the mask of an element depends on its place and on the parameters alone. */
#include "operations.h"

#include "scalar.h"

#include <Random123/philox.h>

typedef struct drops {
    const float *x;
    float *y;
    int64_t width, x_stride, y_stride;
    philox4x32_key_t key;
    uint32_t step, stream;
    uint64_t threshold; /* a word is kept from here on */
    float scale;
    bool accumulate;
} drops;

static void drop_row(const drops *work, int64_t t) {
    const float *x = work->x + t * work->x_stride;
    float *y = work->y + t * work->y_stride;
    for (int64_t first = 0; first < work->width; first += 4) {
        philox4x32_ctr_t counter = {{(uint32_t)t, (uint32_t)(first / 4), work->step, work->stream}};
        philox4x32_ctr_t word = philox4x32(counter, work->key);
        for (int64_t i = 0; i < hn_cpu_min(4, work->width - first); i++) {
            float value = word.v[i] >= work->threshold ? x[first + i] * work->scale : 0.0f;
            y[first + i] = work->accumulate ? y[first + i] + value : value;
        }
    }
}

static void drop_rows(const void *argument, int64_t first, int64_t last) {
    for (int64_t t = first; t < last; t++) {
        drop_row(argument, t);
    }
}

/* The smallest integer that is not below probability * 2^32. */
static uint64_t threshold_of(double probability) {
    double exact = probability * 4294967296.0;
    uint64_t whole = (uint64_t)exact;
    return (double)whole < exact ? whole + 1 : whole;
}

hone_status hn_cpu_dropout(hone_backend_device *device, const hone_call *call) {
    const hone_dropout_params *params = call->params;
    const hone_tensor *x = &call->operand[HONE_DROPOUT_X], *y = &call->operand[HONE_DROPOUT_Y];
    drops work = {.x = hn_cpu_data(device, x),
                  .y = hn_cpu_data(device, y),
                  .width = hn_cpu_width(x),
                  .x_stride = x->row_stride,
                  .y_stride = y->row_stride,
                  .key = {{(uint32_t)params->seed, (uint32_t)(params->seed >> 32)}},
                  .step = params->step,
                  .stream = params->stream,
                  .threshold = threshold_of(params->probability),
                  .scale = (float)(1.0 / (1.0 - params->probability)),
                  .accumulate = hn_cpu_accumulates(call, HONE_DROPOUT_Y)};
    hn_cpu_each_block(device, x->extent[0], 4 * work.width, drop_rows, &work);
    return HONE_OK;
}
