/** packed.h in AVX-512: f32, 14 rows of 32 sums. */
#include "../packed.h"

#include "packed_vector.h"

#include <stddef.h>

#define PAIRS 0
#define MR_ROWS 14
enum { MR = MR_ROWS };

VEC units units_along(hn_cpu_row row, hone_dtype dtype, int64_t k, int64_t left) {
    return _mm512_castps_si512(load(row, dtype, k, left));
}

VEC units units_across(const hn_cpu_row row[2], hone_dtype dtype, int64_t column, int64_t n, int rows) {
    (void)rows;
    return _mm512_castps_si512(load(row[0], dtype, column, n));
}

VEC vec mac(vec sum, const float *a, vec b) { return _mm512_fmadd_ps(_mm512_set1_ps(*a), b, sum); }

#include "../packed_body.h"

const hn_cpu_packed_kernel hn_cpu_packed_avx512 = PACKED_KERNEL;
