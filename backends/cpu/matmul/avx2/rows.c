/** rows.h with AVX2 and FMA: up to 12 sums in registers, of 4 x 3, 2 x 4, 4 x 2 or 8 x 1 rows of b and a. */
#include "../rows.h"

#include <immintrin.h>
#include <stddef.h>

enum { LANES = 8, SUMS = 16, WIDEST = 8 };

/* Lane i of the result is the sum of the lanes of s[i], all added in the same order. */
static inline __m256 add_lanes(const __m256 s[LANES]) {
    __m256 low = _mm256_hadd_ps(_mm256_hadd_ps(s[0], s[1]), _mm256_hadd_ps(s[2], s[3]));
    __m256 high = _mm256_hadd_ps(_mm256_hadd_ps(s[4], s[5]), _mm256_hadd_ps(s[6], s[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}

static const int32_t tail_mask[2 * LANES] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

/* `wide` and `tall` are constants where this is inlined; w rows lie `ahead` bytes before the ones that
   will be read next, which are fetched on the way. */
static inline __attribute__((always_inline)) void dots(int wide, int tall, int64_t k, const float *const *w,
                                                       const float *const *x, uintptr_t ahead, float *out) {
    __m256 s[SUMS];
    HN_CPU_UNROLL
    for (int i = 0; i < SUMS; i++) {
        s[i] = _mm256_setzero_ps();
    }
    int64_t p = 0;
    for (; p + LANES <= k; p += LANES) {
        __m256 xv[4];
        HN_CPU_UNROLL
        for (int j = 0; j < tall; j++) {
            xv[j] = _mm256_loadu_ps(x[j] + p);
        }
        HN_CPU_UNROLL
        for (int i = 0; i < wide; i++) {
            __m256 wv = _mm256_loadu_ps(w[i] + p);
            _mm_prefetch((const char *)((uintptr_t)(w[i] + p) + ahead), _MM_HINT_T0);
            HN_CPU_UNROLL
            for (int j = 0; j < tall; j++) {
                s[i * tall + j] = _mm256_fmadd_ps(wv, xv[j], s[i * tall + j]);
            }
        }
    }
    if (p < k) {
        __m256i mask = _mm256_loadu_si256((const __m256i *)(const void *)(tail_mask + LANES - (k - p)));
        HN_CPU_UNROLL
        for (int i = 0; i < wide; i++) {
            __m256 wv = _mm256_maskload_ps(w[i] + p, mask);
            HN_CPU_UNROLL
            for (int j = 0; j < tall; j++) {
                s[i * tall + j] = _mm256_fmadd_ps(wv, _mm256_maskload_ps(x[j] + p, mask), s[i * tall + j]);
            }
        }
    }
    _mm256_storeu_ps(out, add_lanes(s));
    if (wide * tall > LANES) {
        _mm256_storeu_ps(out + LANES, add_lanes(s + LANES));
    }
}

static void dots_8x1(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(8, 1, k, w, x, ahead, out);
}

static void dots_4x2(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(4, 2, k, w, x, ahead, out);
}

static void dots_4x3(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(4, 3, k, w, x, ahead, out);
}

static void dots_2x4(int64_t k, const float *const *w, const float *const *x, uintptr_t ahead, float *out) {
    dots(2, 4, k, w, x, ahead, out);
}

void hn_cpu_rows_avx2(const hn_cpu_product *product) {
    int tall = product->m <= 4 && product->m != 3 ? (int)product->m : 3;
    int wide = tall == 3 ? 4 : WIDEST / tall;
    uintptr_t ahead = (uintptr_t)(wide * product->ldb) * sizeof(float);
    for (int64_t column = 0; column < product->n; column += wide) {
        const float *w[WIDEST] = {NULL}, *x[4] = {NULL};
        float out[SUMS];
        for (int i = 0; i < wide; i++) {
            w[i] = hn_cpu_rows_at(product->b, column + i, product->n, product->ldb);
        }
        for (int64_t row = 0; row < product->m; row += tall) {
            for (int j = 0; j < tall; j++) {
                x[j] = hn_cpu_rows_at(product->a, row + j, product->m, product->lda);
            }
            if (tall == 1) {
                dots_8x1(product->k, w, x, ahead, out);
            } else if (tall == 2) {
                dots_4x2(product->k, w, x, ahead, out);
            } else if (tall == 3) {
                dots_4x3(product->k, w, x, ahead, out);
            } else {
                dots_2x4(product->k, w, x, ahead, out);
            }
            hn_cpu_rows_store(product, row, tall, column, wide, out);
        }
    }
}
