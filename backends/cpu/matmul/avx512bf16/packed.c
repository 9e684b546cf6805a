/** packed.h in AVX-512 with BF16: both sides rounded to bf16, products summed in f32, 14 rows of 32 sums. */
#include "../packed.h"

#include "pairs.h"

#include <stddef.h>

#define MR_ROWS 14
enum { MR = MR_ROWS };

VEC vec mac(vec sum, const float *a, vec b) {
    __m512i pair = _mm512_castps_si512(_mm512_set1_ps(*a));
    return _mm512_dpbf16_ps(sum, (__m512bh)pair, (__m512bh)_mm512_castps_si512(b));
}

#include "../packed_body.h"

const hn_cpu_packed_kernel hn_cpu_packed_avx512bf16 = PACKED_KERNEL;
