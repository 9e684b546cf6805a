/** RMS_NORM and RMS_NORM_BACKWARD. */
#include "operations.h"

#include "scalar.h"

#include <math.h>

float hn_cpu_rms_norm_scalar(const float *x, const float *gain, float *y, int64_t n, double epsilon) {
    double sum = 0.0;
    for (int64_t d = 0; d < n; d++) {
        sum += (double)x[d] * (double)x[d];
    }
    float rstd = (float)(1.0 / sqrt(sum / (double)n + epsilon));
    for (int64_t d = 0; d < n; d++) {
        y[d] = x[d] * rstd * gain[d];
    }
    return rstd;
}

void hn_cpu_rms_norm_backward_scalar(const float *x, const float *gain, const float *dy, float rstd,
                                     float *dx, int64_t n, bool accumulate) {
    double sum = 0.0;
    for (int64_t d = 0; d < n; d++) {
        sum += (double)gain[d] * (double)dy[d] * (double)x[d];
    }
    double mean = sum / (double)n * (double)rstd * (double)rstd;
    for (int64_t d = 0; d < n; d++) {
        double value = (double)rstd * ((double)gain[d] * (double)dy[d] - (double)x[d] * mean);
        dx[d] = (float)(accumulate ? (double)dx[d] + value : value);
    }
}

void hn_cpu_rms_norm_gain_scalar(const float *x, int64_t ldx, const float *dy, int64_t ldy, const float *rstd,
                                 int64_t ldr, int64_t rows, int64_t n, float *sum) {
    double total[HN_CPU_GAIN_STRIP] = {0.0};
    for (int64_t t = 0; t < rows; t++) {
        for (int64_t j = 0; j < n; j++) {
            total[j] += (double)dy[t * ldy + j] * (double)x[t * ldx + j] * (double)rstd[t * ldr];
        }
    }
    for (int64_t j = 0; j < n; j++) {
        sum[j] = (float)total[j];
    }
}

typedef struct norms {
    const hn_cpu_kernels *kernels;
    int64_t rows, width;
    const float *x, *gain;
    int64_t x_stride;
    float *y, *rstd; /* forward */
    int64_t y_stride, rstd_stride;
    double epsilon;
    const float *rstd_in, *dy; /* backward */
    float *dx, *dgain;
    int64_t dy_stride, dx_stride, dgain_stride;
    bool dx_accumulate, dgain_accumulate;
} norms;

/* Kernels read the gain densely; one that is strided is copied to the workspace. */
static bool strided(const hone_tensor *gain) { return gain->row_stride != 1 && gain->extent[0] > 1; }

static size_t gain_bytes(const hone_tensor *gain) {
    return strided(gain) ? (size_t)gain->extent[0] * sizeof(float) : 0;
}

size_t hn_cpu_rms_norm_workspace(hone_backend_device *device, const hone_call *call) {
    (void)device;
    return gain_bytes(&call->operand[HONE_RMS_NORM_GAIN]);
}

size_t hn_cpu_rms_norm_backward_workspace(hone_backend_device *device, const hone_call *call) {
    (void)device;
    return gain_bytes(&call->operand[HONE_RMS_NORM_BACKWARD_GAIN]);
}

static const float *dense_gain(const hone_backend_device *device, const hone_call *call, int operand) {
    const hone_tensor *gain = &call->operand[operand];
    const float *data = hn_cpu_data(device, gain);
    if (!strided(gain)) {
        return data;
    }
    float *copy = hn_cpu_data(device, &call->workspace);
    for (int64_t d = 0; d < gain->extent[0]; d++) {
        copy[d] = data[d * gain->row_stride];
    }
    return copy;
}

static void forward_rows(const void *argument, int64_t first, int64_t last) {
    const norms *work = argument;
    for (int64_t t = first; t < last; t++) {
        work->rstd[t * work->rstd_stride] =
            work->kernels->rms_norm(work->x + t * work->x_stride, work->gain, work->y + t * work->y_stride,
                                    work->width, work->epsilon);
    }
}

hone_status hn_cpu_rms_norm(hone_backend_device *device, const hone_call *call) {
    const hone_norm_params *params = call->params;
    const hone_tensor *x = &call->operand[HONE_RMS_NORM_X], *y = &call->operand[HONE_RMS_NORM_Y];
    const hone_tensor *rstd = &call->operand[HONE_RMS_NORM_RSTD];
    norms work = {.kernels = &device->kernels,
                  .rows = x->extent[0],
                  .width = x->extent[1],
                  .x = hn_cpu_data(device, x),
                  .x_stride = x->row_stride,
                  .gain = dense_gain(device, call, HONE_RMS_NORM_GAIN),
                  .y = hn_cpu_data(device, y),
                  .y_stride = y->row_stride,
                  .rstd = hn_cpu_data(device, rstd),
                  .rstd_stride = rstd->row_stride,
                  .epsilon = params->epsilon};
    hn_cpu_each_block(device, work.rows, work.width, forward_rows, &work);
    return HONE_OK;
}

/* ---- backward ---- */

static void input_rows(const void *argument, int64_t first, int64_t last) {
    const norms *work = argument;
    for (int64_t t = first; t < last; t++) {
        work->kernels->rms_norm_backward(work->x + t * work->x_stride, work->gain,
                                         work->dy + t * work->dy_stride, work->rstd_in[t * work->rstd_stride],
                                         work->dx + t * work->dx_stride, work->width, work->dx_accumulate);
    }
}

/* A thread owns a strip of columns, for all rows in order. */
static void gain_strip(void *argument, int64_t index, int thread) {
    (void)thread;
    const norms *work = argument;
    float sum[HN_CPU_GAIN_STRIP];
    int64_t first = index * HN_CPU_GAIN_STRIP, n = hn_cpu_min(HN_CPU_GAIN_STRIP, work->width - first);
    work->kernels->rms_norm_gain(work->x + first, work->x_stride, work->dy + first, work->dy_stride,
                                 work->rstd_in, work->rstd_stride, work->rows, n, sum);
    for (int64_t j = 0; j < n; j++) {
        float *dgain = &work->dgain[(first + j) * work->dgain_stride];
        *dgain = work->dgain_accumulate ? *dgain + sum[j] : sum[j];
    }
}

hone_status hn_cpu_rms_norm_backward(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_RMS_NORM_BACKWARD_X];
    const hone_tensor *rstd = &call->operand[HONE_RMS_NORM_BACKWARD_RSTD];
    const hone_tensor *dy = &call->operand[HONE_RMS_NORM_BACKWARD_DY];
    const hone_tensor *dx = &call->operand[HONE_RMS_NORM_BACKWARD_DX];
    const hone_tensor *dgain = &call->operand[HONE_RMS_NORM_BACKWARD_DGAIN];
    norms work = {.kernels = &device->kernels,
                  .rows = x->extent[0],
                  .width = x->extent[1],
                  .x = hn_cpu_data(device, x),
                  .x_stride = x->row_stride,
                  .gain = dense_gain(device, call, HONE_RMS_NORM_BACKWARD_GAIN),
                  .rstd_in = hn_cpu_data(device, rstd),
                  .rstd_stride = rstd->row_stride,
                  .dy = hn_cpu_data(device, dy),
                  .dy_stride = dy->row_stride,
                  .dx = hn_cpu_data(device, dx),
                  .dx_stride = dx->row_stride,
                  .dgain = hn_cpu_data(device, dgain),
                  .dgain_stride = dgain->row_stride,
                  .dx_accumulate = hn_cpu_accumulates(call, HONE_RMS_NORM_BACKWARD_DX),
                  .dgain_accumulate = hn_cpu_accumulates(call, HONE_RMS_NORM_BACKWARD_DGAIN)};
    if (work.dx != NULL) {
        hn_cpu_each_block(device, work.rows, 2 * work.width, input_rows, &work);
    }
    if (work.dgain != NULL && work.width > 0) {
        device->host->parallel(device->host->context, hn_cpu_ceil_div(work.width, HN_CPU_GAIN_STRIP),
                               gain_strip, &work);
    }
    return HONE_OK;
}
