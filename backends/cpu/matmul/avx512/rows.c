/** rows.h with AVX-512: 16 sums in registers, of 4 x 4, 8 x 2 or 16 x 1 rows of b and a. */
#include "../rows.h"

#include <immintrin.h>
#include <stddef.h>

enum { LANES = 16, SUMS = 16 };

/* Lane i of the result is the sum of the lanes of s[i], all added in the same order. */
static inline __m512 add_lanes(const __m512 s[SUMS]) {
    __m512 t[8], u[4];
    HN_CPU_UNROLL
    for (int i = 0; i < 8; i++) {
        t[i] = _mm512_add_ps(_mm512_unpacklo_ps(s[2 * i], s[2 * i + 1]),
                             _mm512_unpackhi_ps(s[2 * i], s[2 * i + 1]));
    }
    HN_CPU_UNROLL
    for (int i = 0; i < 4; i++) {
        u[i] = _mm512_add_ps(_mm512_shuffle_ps(t[2 * i], t[2 * i + 1], 0x44),
                             _mm512_shuffle_ps(t[2 * i], t[2 * i + 1], 0xee));
    }
    __m512 low =
        _mm512_add_ps(_mm512_shuffle_f32x4(u[0], u[1], 0x88), _mm512_shuffle_f32x4(u[0], u[1], 0xdd));
    __m512 high =
        _mm512_add_ps(_mm512_shuffle_f32x4(u[2], u[3], 0x88), _mm512_shuffle_f32x4(u[2], u[3], 0xdd));
    return _mm512_add_ps(_mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low, high, 0xdd));
}

/* `wide` and `tall` are constants where this is inlined; w rows lie `ahead` bytes before the ones that
   will be read next, which are fetched on the way. */
static inline __attribute__((always_inline)) void dots(int wide, int tall, int64_t k, const float *const *w,
                                                       const float *const *x, uintptr_t ahead, float *out) {
    __m512 s[SUMS];
    HN_CPU_UNROLL
    for (int i = 0; i < SUMS; i++) {
        s[i] = _mm512_setzero_ps();
    }
    for (int64_t p = 0; p < k; p += LANES) {
        int64_t left = k - p < LANES ? k - p : LANES;
        __mmask16 mask = (__mmask16)(0xffffu >> (LANES - left));
        __m512 xv[4];
        HN_CPU_UNROLL
        for (int j = 0; j < tall; j++) {
            xv[j] = _mm512_maskz_loadu_ps(mask, x[j] + p);
        }
        HN_CPU_UNROLL
        for (int i = 0; i < wide; i++) {
            __m512 wv = _mm512_maskz_loadu_ps(mask, w[i] + p);
            _mm_prefetch((const char *)((uintptr_t)(w[i] + p) + ahead), _MM_HINT_T0);
            HN_CPU_UNROLL
            for (int j = 0; j < tall; j++) {
                s[i * tall + j] = _mm512_fmadd_ps(wv, xv[j], s[i * tall + j]);
            }
        }
    }
    _mm512_storeu_ps(out, add_lanes(s));
}

static void dots_16x1(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(16, 1, k, w, x, ahead, out);
}

static void dots_8x2(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(8, 2, k, w, x, ahead, out);
}

static void dots_4x4(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(4, 4, k, w, x, ahead, out);
}

void hn_cpu_rows_avx512(const hn_cpu_product *product) {
    int tall = product->m == 1 ? 1 : product->m == 2 ? 2 : 4;
    int wide = SUMS / tall;
    uintptr_t ahead = (uintptr_t)(wide * product->ldb) * sizeof(float);
    for (int64_t column = 0; column < product->n; column += wide) {
        const float *w[SUMS] = {NULL}, *x[4] = {NULL};
        float out[SUMS];
        for (int i = 0; i < wide; i++) {
            w[i] = hn_cpu_rows_at(product->b, column + i, product->n, product->ldb);
        }
        for (int64_t row = 0; row < product->m; row += tall) {
            for (int j = 0; j < tall; j++) {
                x[j] = hn_cpu_rows_at(product->a, row + j, product->m, product->lda);
            }
            if (tall == 1) {
                dots_16x1(product->k, w, x, ahead, out);
            } else if (tall == 2) {
                dots_8x2(product->k, w, x, ahead, out);
            } else {
                dots_4x4(product->k, w, x, ahead, out);
            }
            hn_cpu_rows_store(product, row, tall, column, wide, out);
        }
    }
}
