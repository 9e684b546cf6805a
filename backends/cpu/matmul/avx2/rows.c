/** rows.h with AVX2 and FMA: up to 12 sums in registers, of 4 x 3, 2 x 4, 4 x 2 or 8 x 1 rows of b and a. */
#include "../rows.h"
#include "../packed.h"

#include "load.h"

#include <stddef.h>

typedef __m256 vec;
enum { SUMS = 16, WIDEST = 8 };

#define VEC static inline __attribute__((always_inline))
VEC vec vec_zero(void) { return _mm256_setzero_ps(); }
VEC vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
VEC vec vec_load_part(const float *p, int n) { return _mm256_maskload_ps(p, part(n)); }
VEC void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
VEC void vec_store_part(float *p, vec x, int n) { _mm256_maskstore_ps(p, part(n), x); }
VEC vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }

/* Lane i of the result is the sum of the lanes of s[i], all added in the same order. */
static inline __m256 add_lanes(const __m256 s[LANES]) {
    __m256 low = _mm256_hadd_ps(_mm256_hadd_ps(s[0], s[1]), _mm256_hadd_ps(s[2], s[3]));
    __m256 high = _mm256_hadd_ps(_mm256_hadd_ps(s[4], s[5]), _mm256_hadd_ps(s[6], s[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}

VEC void store_sums(vec *s, int count, float *out) {
    HN_CPU_UNROLL
    for (int i = count; i < SUMS; i++) {
        s[i] = vec_zero();
    }
    _mm256_storeu_ps(out, add_lanes(s));
    if (count > LANES) {
        _mm256_storeu_ps(out + LANES, add_lanes(s + LANES));
    }
}

#include "../rows_body.h"

static inline __attribute__((always_inline)) void multiply(const hn_cpu_product *product, hone_dtype dtype,
                                                           void *scratch) {
    if (product->m == 1) {
        multiply_shape(product, dtype, 8, 1, scratch);
    } else if (product->m == 2) {
        multiply_shape(product, dtype, 4, 2, scratch);
    } else if (product->m == 4) {
        multiply_shape(product, dtype, 2, 4, scratch);
    } else {
        multiply_shape(product, dtype, 4, 3, scratch);
    }
}

void hn_cpu_rows_avx2(const hn_cpu_product *product, void *scratch) {
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
