/** packed.h in AVX2 with FMA: f32, 6 rows of 16 sums. */
#include "../packed.h"

#include "load.h"

#include <stdbool.h>
#include <stddef.h>

#define PAIRS 0
#define MR_ROWS 6
enum { MR = MR_ROWS };

typedef __m256 vec;
typedef __m256 units;

#define VEC static inline __attribute__((always_inline))
VEC vec vec_zero(void) { return _mm256_setzero_ps(); }
VEC vec vec_set(float x) { return _mm256_set1_ps(x); }
VEC vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
VEC vec vec_load_part(const float *p, int n) { return _mm256_maskload_ps(p, part(n)); }
VEC void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
VEC void vec_store_part(float *p, vec x, int n) { _mm256_maskstore_ps(p, part(n), x); }
VEC vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
VEC void units_store(float *p, units x) { _mm256_storeu_ps(p, x); }

VEC units units_along(hn_cpu_row row, hone_dtype dtype, int64_t k, int64_t left) {
    return load(row, dtype, k, left);
}

VEC units units_across(const hn_cpu_row row[2], hone_dtype dtype, int64_t column, int64_t n, int rows) {
    (void)rows;
    return load(row[0], dtype, column, n);
}

VEC vec mac(vec sum, const float *a, vec b) { return _mm256_fmadd_ps(_mm256_broadcast_ss(a), b, sum); }

/* 8 rows of 8 become 8 columns. */
VEC void transpose(units r[8]) {
    units t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
        t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
    units s[8];
#pragma GCC unroll 8
    for (int i = 0; i < 2; i++) {
        s[4 * i] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0x44);
        s[4 * i + 1] = _mm256_shuffle_ps(t[4 * i], t[4 * i + 2], 0xee);
        s[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
        s[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
    }
#pragma GCC unroll 8
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(s[i], s[4 + i], 0x20);
        r[4 + i] = _mm256_permute2f128_ps(s[i], s[4 + i], 0x31);
    }
}

#include "../packed_body.h"

const hn_cpu_packed_kernel hn_cpu_packed_avx2 = PACKED_KERNEL;
