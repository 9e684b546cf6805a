/** Rows with a sum in them: RMS norm, rotary, dot products, rows of logits. */
#ifndef HN_CPU_VECTOR_ROWS_H
#define HN_CPU_VECTOR_ROWS_H

#include "../kernels.h"
#include "exp.h"

#include <math.h>

enum { SUMS = 4 }; /* independent sums, so that additions do not wait for each other */

/* sum_i a[i] b[i] */
static float dot(const float *a, const float *b, int64_t n) {
    vec sum[SUMS] = {vec_zero(), vec_zero(), vec_zero(), vec_zero()};
    int64_t i = 0;
    for (; i + SUMS * VEC_LANES <= n; i += SUMS * VEC_LANES) {
        VEC_UNROLL
        for (int k = 0; k < SUMS; k++) {
            sum[k] = vec_fma(vec_load(a + i + k * VEC_LANES), vec_load(b + i + k * VEC_LANES), sum[k]);
        }
    }
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        sum[0] = vec_fma(vec_load(a + i), vec_load(b + i), sum[0]);
    }
    sum[1] = vec_fma(vec_load_part(a + i, VEC_REST(n)), vec_load_part(b + i, VEC_REST(n)), sum[1]);
    return vec_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

static float rms_norm(const float *x, const float *gain, float *y, int64_t n, double epsilon) {
    float rstd = (float)(1.0 / sqrt((double)dot(x, x, n) / (double)n + epsilon));
    vec factor = vec_set(rstd);
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store(y + i, vec_load(x + i) * factor * vec_load(gain + i));
    }
    int rest = VEC_REST(n);
    vec_store_part(y + i, vec_load_part(x + i, rest) * factor * vec_load_part(gain + i, rest), rest);
    return rstd;
}

static float dot_of_three(const float *a, const float *b, const float *c, int64_t n) {
    vec even = vec_zero(), odd = vec_zero();
    int64_t i = 0;
    for (; i + 2 * VEC_LANES <= n; i += 2 * VEC_LANES) {
        int64_t j = i + VEC_LANES;
        even = vec_fma(vec_load(a + i) * vec_load(b + i), vec_load(c + i), even);
        odd = vec_fma(vec_load(a + j) * vec_load(b + j), vec_load(c + j), odd);
    }
    for (; i < n; i += VEC_LANES) {
        int count = n - i < VEC_LANES ? (int)(n - i) : VEC_LANES;
        even = vec_fma(vec_load_part(a + i, count) * vec_load_part(b + i, count), vec_load_part(c + i, count),
                       even);
    }
    return vec_sum(even + odd);
}

static void rms_norm_backward(const float *x, const float *gain, const float *dy, float rstd, float *dx,
                              int64_t n, bool accumulate) {
    double mean = (double)dot_of_three(gain, dy, x, n) / (double)n;
    vec factor = vec_set(rstd), pull = vec_set((float)(mean * (double)rstd * (double)rstd * (double)rstd));
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        int count = n - i < VEC_LANES ? (int)(n - i) : VEC_LANES;
        vec g = vec_load_part(gain + i, count) * vec_load_part(dy + i, count);
        vec value = vec_fnma(vec_load_part(x + i, count), pull, factor * g);
        if (accumulate) {
            value = value + vec_load_part(dx + i, count);
        }
        vec_store_part(dx + i, value, count);
    }
}

/* Sums over blocks of rows, added up: a long column loses little. */
static void rms_norm_gain(const float *x, int64_t ldx, const float *dy, int64_t ldy, const float *rstd,
                          int64_t ldr, int64_t rows, int64_t n, float *sum) {
    enum { VECTORS = HN_CPU_GAIN_STRIP / VEC_LANES, BLOCK = 64 };
    vec total[VECTORS] = {vec_zero()};
    int count[VECTORS];
    for (int k = 0; k < VECTORS; k++) {
        int64_t left = n - k * VEC_LANES;
        total[k] = vec_zero();
        count[k] = left >= VEC_LANES ? VEC_LANES : left > 0 ? (int)left : 0;
    }
    for (int64_t first = 0; first < rows; first += BLOCK) {
        vec part[VECTORS];
        for (int k = 0; k < VECTORS; k++) {
            part[k] = vec_zero();
        }
        for (int64_t t = first; t < rows && t < first + BLOCK; t++) {
            vec factor = vec_set(rstd[t * ldr]);
            for (int k = 0; k < VECTORS; k++) {
                int64_t at = k * VEC_LANES;
                vec value =
                    vec_load_part(dy + t * ldy + at, count[k]) * vec_load_part(x + t * ldx + at, count[k]);
                part[k] = vec_fma(value, factor, part[k]);
            }
        }
        for (int k = 0; k < VECTORS; k++) {
            total[k] = total[k] + part[k];
        }
    }
    for (int k = 0; k < VECTORS; k++) {
        vec_store_part(sum + k * VEC_LANES, total[k], count[k]);
    }
}

static void angles(int32_t position, const float *frequency, int64_t n, float *cosine, float *sine) {
    for (int64_t j = 0; j < n; j += VEC_LANES) {
        int count = n - j < VEC_LANES ? (int)(n - j) : VEC_LANES;
        vec c, s;
        vec_angles((double)position, vec_load_part(frequency + j, count), &c, &s);
        vec_store_part(cosine + j, c, count);
        vec_store_part(sine + j, s, count);
    }
}

static void rotate(const float *x1, const float *x2, const float *cosine, const float *sine, float *y1,
                   float *y2, int64_t n, bool accumulate) {
    for (int64_t j = 0; j < n; j += VEC_LANES) {
        int count = n - j < VEC_LANES ? (int)(n - j) : VEC_LANES;
        vec a = vec_load_part(x1 + j, count), b = vec_load_part(x2 + j, count);
        vec c = vec_load_part(cosine + j, count), s = vec_load_part(sine + j, count);
        vec first = vec_fnma(b, s, a * c), second = vec_fma(a, s, b * c);
        if (accumulate) {
            first = first + vec_load_part(y1 + j, count);
            second = second + vec_load_part(y2 + j, count);
        }
        vec_store_part(y1 + j, first, count);
        vec_store_part(y2 + j, second, count);
    }
}

/* ---- rows of logits ---- */

static float row_maximum(const float *z, int64_t n) {
    if (n < VEC_LANES) {
        return hn_cpu_row_maximum_scalar(z, n);
    }
    vec most = vec_load(z + n - VEC_LANES);
    for (int64_t i = 0; i + VEC_LANES <= n; i += VEC_LANES) {
        most = vec_max(vec_load(z + i), most);
    }
    return vec_largest(most);
}

static float sum_exponentials(const float *z, int64_t n, float shift) {
    vec even = vec_zero(), odd = vec_zero(), base = vec_set(shift);
    int64_t i = 0;
    for (; i + 2 * VEC_LANES <= n; i += 2 * VEC_LANES) {
        even = even + vec_exp(vec_load(z + i) - base);
        odd = odd + vec_exp(vec_load(z + i + VEC_LANES) - base);
    }
    for (; i < n; i += VEC_LANES) {
        int count = n - i < VEC_LANES ? (int)(n - i) : VEC_LANES;
        even = even + vec_between(vec_exp(vec_load_part(z + i, count) - base), vec_zero(), 0, count);
    }
    return vec_sum(even + odd);
}

static void scale_exponentials(float *z, int64_t n, float shift, float factor) {
    vec base = vec_set(shift), scale = vec_set(factor);
    for (int64_t i = 0; i < n; i += VEC_LANES) {
        int count = n - i < VEC_LANES ? (int)(n - i) : VEC_LANES;
        vec_store_part(z + i, scale * vec_exp(vec_load_part(z + i, count) - base), count);
    }
}

#endif
