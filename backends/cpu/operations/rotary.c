/** ROTARY. */
#include "operations.h"

#include "scalar.h"

#include <math.h>

void hn_cpu_angles_scalar(int32_t position, const float *frequency, int64_t n, float *cosine, float *sine) {
    for (int64_t j = 0; j < n; j++) {
        double angle = (double)position * (double)frequency[j];
        cosine[j] = (float)cos(angle);
        sine[j] = (float)sin(angle);
    }
}

void hn_cpu_rotate_scalar(const float *x1, const float *x2, const float *cosine, const float *sine, float *y1,
                          float *y2, int64_t n, bool accumulate) {
    for (int64_t j = 0; j < n; j++) {
        float a = x1[j] * cosine[j] - x2[j] * sine[j];
        float b = x2[j] * cosine[j] + x1[j] * sine[j];
        y1[j] = accumulate ? y1[j] + a : a;
        y2[j] = accumulate ? y2[j] + b : b;
    }
}

typedef struct turns {
    const hn_cpu_kernels *kernels;
    const float *x, *frequency;
    float *y;
    const int32_t *position;
    int64_t heads, half, x_stride, y_stride, position_stride, frequency_stride;
    float scale;
    bool inverse, accumulate;
} turns;

/* Angles are made once for all heads, some at a time. */
enum { ANGLES = 128 };

static void turn_part(const turns *work, int64_t t, int64_t first, int64_t n) {
    float frequency[ANGLES], cosine[ANGLES], sine[ANGLES];
    for (int64_t j = 0; j < n; j++) {
        frequency[j] = work->frequency[(first + j) * work->frequency_stride];
    }
    work->kernels->angles(work->position[t * work->position_stride], frequency, n, cosine, sine);
    for (int64_t j = 0; j < n; j++) {
        cosine[j] *= work->scale;
        sine[j] *= work->inverse ? -work->scale : work->scale;
    }
    for (int64_t h = 0; h < work->heads; h++) {
        const float *x = work->x + t * work->x_stride + 2 * h * work->half + first;
        float *y = work->y + t * work->y_stride + 2 * h * work->half + first;
        work->kernels->rotate(x, x + work->half, cosine, sine, y, y + work->half, n, work->accumulate);
    }
}

static void turn_rows(const void *argument, int64_t first, int64_t last) {
    const turns *work = argument;
    for (int64_t t = first; t < last; t++) {
        for (int64_t j = 0; j < work->half; j += ANGLES) {
            turn_part(work, t, j, hn_cpu_min(ANGLES, work->half - j));
        }
    }
}

hone_status hn_cpu_rotary(hone_backend_device *device, const hone_call *call) {
    const hone_rotary_params *params = call->params;
    const hone_tensor *x = &call->operand[HONE_ROTARY_X], *y = &call->operand[HONE_ROTARY_Y];
    const hone_tensor *position = &call->operand[HONE_ROTARY_POSITION];
    const hone_tensor *frequency = &call->operand[HONE_ROTARY_FREQUENCY];
    turns work = {.kernels = &device->kernels,
                  .x = hn_cpu_data(device, x),
                  .y = hn_cpu_data(device, y),
                  .position = hn_cpu_data(device, position),
                  .frequency = hn_cpu_data(device, frequency),
                  .heads = x->extent[1],
                  .half = x->extent[2] / 2,
                  .x_stride = x->row_stride,
                  .y_stride = y->row_stride,
                  .position_stride = position->row_stride,
                  .frequency_stride = frequency->row_stride,
                  .scale = (float)params->scale,
                  .inverse = params->inverse != 0,
                  .accumulate = hn_cpu_accumulates(call, HONE_ROTARY_Y)};
    hn_cpu_each_block(device, x->extent[0], hn_cpu_width(x), turn_rows, &work);
    return HONE_OK;
}
