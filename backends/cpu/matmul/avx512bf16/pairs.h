/** Units that are pairs of bf16, for packed_copy.h. */
#ifndef HN_CPU_MATMUL_AVX512BF16_PAIRS_H
#define HN_CPU_MATMUL_AVX512BF16_PAIRS_H

#include "../avx512/packed_vector.h"

#define PAIRS 1

VEC __m512i low_half(__m256i bits) { return _mm512_cvtepu16_epi32(bits); }

/* 16 elements as bf16, each in the low half of its word. */
VEC __m512i narrow(hn_cpu_row row, hone_dtype dtype, int64_t column, int64_t n) {
    if (dtype == HONE_BF16) {
        return low_half(_mm256_maskz_loadu_epi16(part(n), (const uint16_t *)row.data + column));
    }
    return low_half((__m256i)_mm512_cvtneps_pbh(load(row, dtype, column, n)));
}

VEC units units_along(hn_cpu_row row, hone_dtype dtype, int64_t k, int64_t left) {
    if (dtype == HONE_BF16) {
        __mmask32 exist = left >= 32 ? 0xffffffffu : left <= 0 ? 0u : (1u << left) - 1u;
        return _mm512_maskz_loadu_epi16(exist, (const uint16_t *)row.data + k);
    }
    return (__m512i)_mm512_cvtne2ps_pbh(load(row, dtype, k + LANES, left - LANES), load(row, dtype, k, left));
}

VEC units units_across(const hn_cpu_row row[2], hone_dtype dtype, int64_t column, int64_t n, int rows) {
    __m512i low = narrow(row[0], dtype, column, n), high = narrow(row[1], dtype, column, rows > 1 ? n : 0);
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}

#endif
