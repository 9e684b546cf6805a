/** Loops over elements: addition, SwiGLU, AdamW, sums of squares, formats of 16 bits. */
#ifndef HN_CPU_VECTOR_ELEMENTWISE_H
#define HN_CPU_VECTOR_ELEMENTWISE_H

#include "../kernels.h"
#include "exp.h"

/* A rest is copied into whole vectors, so that each kernel states its arithmetic once. */

static void add(const float *a, const float *b, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store(y + i, vec_load(a + i) + vec_load(b + i));
    }
    int rest = VEC_REST(n);
    vec_store_part(y + i, vec_load_part(a + i, rest) + vec_load_part(b + i, rest), rest);
}

VEC_INLINE vec sigmoid(vec x) { return vec_set(1.0f) / (vec_set(1.0f) + vec_exp(-x)); }

static void swiglu(const float *gate, const float *up, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec g = vec_load(gate + i);
        vec_store(y + i, g * sigmoid(g) * vec_load(up + i));
    }
    int rest = VEC_REST(n);
    vec g = vec_load_part(gate + i, rest);
    vec_store_part(y + i, g * sigmoid(g) * vec_load_part(up + i, rest), rest);
}

VEC_INLINE void swiglu_slopes(vec g, vec u, vec d, vec *dgate, vec *dup) {
    vec s = sigmoid(g), one = vec_set(1.0f);
    *dgate = d * u * s * vec_fma(g, one - s, one);
    *dup = d * g * s;
}

static void swiglu_backward(const float *gate, const float *up, const float *dy, float *dgate, float *dup,
                            int64_t n) {
    int64_t i = 0;
    vec a, b;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        swiglu_slopes(vec_load(gate + i), vec_load(up + i), vec_load(dy + i), &a, &b);
        vec_store(dgate + i, a);
        vec_store(dup + i, b);
    }
    int rest = VEC_REST(n);
    swiglu_slopes(vec_load_part(gate + i, rest), vec_load_part(up + i, rest), vec_load_part(dy + i, rest), &a,
                  &b);
    vec_store_part(dgate + i, a, rest);
    vec_store_part(dup + i, b, rest);
}

VEC_INLINE void adamw_update(const hn_cpu_adamw_step *step, vec gradient, vec *w, vec *m, vec *v) {
    vec g = vec_set(step->gradient_scale) * gradient;
    *m = vec_fma(vec_set(step->rest1), g, vec_set(step->beta1) * *m);
    *v = vec_fma(vec_set(step->rest2) * g, g, vec_set(step->beta2) * *v);
    vec divisor = vec_fma(vec_sqrt(*v), vec_set(step->inverse_root2), vec_set(step->epsilon));
    *w = vec_fnma(vec_set(step->rate), *m / divisor, vec_set(step->keep) * *w);
}

static void adamw(const hn_cpu_adamw_step *step, float *w, float *m, float *v, const float *gradient,
                  int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec a = vec_load(w + i), b = vec_load(m + i), c = vec_load(v + i);
        adamw_update(step, vec_load(gradient + i), &a, &b, &c);
        vec_store(w + i, a);
        vec_store(m + i, b);
        vec_store(v + i, c);
    }
    int rest = VEC_REST(n);
    vec a = vec_load_part(w + i, rest), b = vec_load_part(m + i, rest), c = vec_load_part(v + i, rest);
    adamw_update(step, vec_load_part(gradient + i, rest), &a, &b, &c);
    vec_store_part(w + i, a, rest);
    vec_store_part(m + i, b, rest);
    vec_store_part(v + i, c, rest);
}

static double sum_squares(const float *x, int64_t n) {
    vec_double a = vec_double_set(0.0), b = a, wide;
    int64_t i = 0;
    for (; i + 2 * VEC_LANES <= n; i += 2 * VEC_LANES) {
        wide = vec_widen(vec_load(x + i));
        a = vec_double_fma(wide, wide, a);
        wide = vec_widen(vec_load(x + i + VEC_LANES));
        b = vec_double_fma(wide, wide, b);
    }
    for (; i < n; i += VEC_LANES) {
        int count = n - i < VEC_LANES ? (int)(n - i) : VEC_LANES;
        wide = vec_widen(vec_load_part(x + i, count));
        a = vec_double_fma(wide, wide, a);
    }
    return vec_double_sum(a) + vec_double_sum(b);
}

/* Formats of 16 bits: a rest goes by way of the scalar kernels, which give the same bits. */

static void widen_bf16(const uint16_t *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store(y + i, vec_load_bf16(x + i));
    }
    hn_cpu_widen_bf16_scalar(x + i, y + i, n - i);
}

static void narrow_bf16(const float *x, uint16_t *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store_bf16(y + i, vec_load(x + i));
    }
    hn_cpu_narrow_bf16_scalar(x + i, y + i, n - i);
}

static void widen_f16(const uint16_t *x, float *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store(y + i, vec_load_f16(x + i));
    }
    hn_cpu_widen_f16_scalar(x + i, y + i, n - i);
}

static void narrow_f16(const float *x, uint16_t *y, int64_t n) {
    int64_t i = 0;
    for (; i + VEC_LANES <= n; i += VEC_LANES) {
        vec_store_f16(y + i, vec_load(x + i));
    }
    hn_cpu_narrow_f16_scalar(x + i, y + i, n - i);
}

#endif
