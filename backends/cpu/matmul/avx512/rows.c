/** rows.h with AVX-512: 16 sums in registers, of 4 x 4, 8 x 2 or 16 x 1 rows of b and a. */
#include "../rows.h"
#include "../packed.h"

#include "load.h"

#include <stddef.h>

typedef __m512 vec;
enum { SUMS = 16, WIDEST = 16 };

#define VEC static inline __attribute__((always_inline))
VEC vec vec_zero(void) { return _mm512_setzero_ps(); }
VEC vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
VEC vec vec_load_part(const float *p, int n) { return _mm512_maskz_loadu_ps(part(n), p); }
VEC void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
VEC void vec_store_part(float *p, vec x, int n) { _mm512_mask_storeu_ps(p, part(n), x); }
VEC vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }

/* Lane i of the result is the sum of the lanes of s[i], all added in the same order. */
static inline vec add_lanes(const __m512 s[SUMS]) {
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

VEC void store_sums(const vec *s, int count, float *out) {
    (void)count;
    _mm512_storeu_ps(out, add_lanes(s));
}

#include "../rows_body.h"

static inline __attribute__((always_inline)) void multiply(const hn_cpu_product *product, hone_dtype dtype,
                                                           void *scratch) {
    if (product->m == 1) {
        multiply_shape(product, dtype, 16, 1, scratch);
    } else if (product->m == 2) {
        multiply_shape(product, dtype, 8, 2, scratch);
    } else {
        multiply_shape(product, dtype, 4, 4, scratch);
    }
}

void hn_cpu_rows_avx512(const hn_cpu_product *product, void *scratch) {
    switch (product->b.dtype) {
    case HONE_BF16:
        multiply(product, HONE_BF16, scratch);
        break;
    case HONE_Q8:
        multiply(product, HONE_Q8, scratch);
        break;
    default:
        multiply(product, HONE_F32, scratch);
        break;
    }
}
