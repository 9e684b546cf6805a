/** DROPOUT: the mask of an element depends on its place and on the parameters alone. */
#include "operations.h"

#include "scalar.h"

#include <Random123/philox.h>

void hn_cpu_dropout_scalar(const hn_cpu_dropout_step *step, uint32_t t, const float *x, float *y, int64_t n,
                           bool accumulate) {
    philox4x32_key_t key = {{step->key[0], step->key[1]}};
    for (int64_t first = 0; first < n; first += 4) {
        philox4x32_ctr_t counter = {{t, (uint32_t)(first / 4), step->step, step->stream}};
        philox4x32_ctr_t word = philox4x32(counter, key);
        for (int64_t i = first; i < hn_cpu_min(first + 4, n); i++) {
            float value = word.v[i - first] >= step->threshold ? x[i] * step->scale : 0.0f;
            y[i] = accumulate ? y[i] + value : value;
        }
    }
}

typedef struct drops {
    const hn_cpu_kernels *kernels;
    hn_cpu_dropout_step step;
    const float *x;
    float *y;
    int64_t width, x_stride, y_stride;
    bool accumulate;
} drops;

static void drop_rows(const void *argument, int64_t first, int64_t last) {
    const drops *work = argument;
    for (int64_t t = first; t < last; t++) {
        work->kernels->dropout(&work->step, (uint32_t)t, work->x + t * work->x_stride,
                               work->y + t * work->y_stride, work->width, work->accumulate);
    }
}

/* The smallest integer that is not below probability * 2^32. */
static uint64_t threshold_of(double probability) {
    double exact = probability * 4294967296.0;
    uint64_t whole = (uint64_t)exact;
    return (double)whole < exact ? whole + 1 : whole;
}

static hn_cpu_dropout_step make_step(const hone_dropout_params *params) {
    return (hn_cpu_dropout_step){.key = {(uint32_t)params->seed, (uint32_t)(params->seed >> 32)},
                                 .step = params->step,
                                 .stream = params->stream,
                                 .threshold = threshold_of(params->probability),
                                 .scale = (float)(1.0 / (1.0 - params->probability))};
}

hone_status hn_cpu_dropout(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_DROPOUT_X], *y = &call->operand[HONE_DROPOUT_Y];
    drops work = {.kernels = &device->kernels,
                  .step = make_step(call->params),
                  .x = hn_cpu_data(device, x),
                  .y = hn_cpu_data(device, y),
                  .width = hn_cpu_width(x),
                  .x_stride = x->row_stride,
                  .y_stride = y->row_stride,
                  .accumulate = hn_cpu_accumulates(call, HONE_DROPOUT_Y)};
    hn_cpu_each_block(device, x->extent[0], 2 * work.width, drop_rows, &work);
    return HONE_OK;
}
