/** 16 elements of a row as floats, from any storage; part of every AVX-512 kernel that reads weights. */
#ifndef HN_CPU_MATMUL_AVX512_LOAD_H
#define HN_CPU_MATMUL_AVX512_LOAD_H

#include "../matrix.h"

#include <immintrin.h>

enum { LANES = 16 };

static inline __attribute__((always_inline)) __mmask16 part(int64_t n) {
    return (__mmask16)(n >= LANES ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u);
}

static inline __attribute__((always_inline)) __m512 widen(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

/** Columns [column, column + n) of the whole row, column a multiple of 16 where it is Q8; lanes from n on are 0. */
static inline __attribute__((always_inline)) __m512 load(hn_cpu_row row, hone_dtype dtype, int64_t column,
                                                         int64_t n) {
    if (dtype == HONE_BF16) {
        return widen(_mm256_maskz_loadu_epi16(part(n), (const uint16_t *)row.data + column));
    }
    if (dtype == HONE_Q8) {
        __m128i bytes = _mm_maskz_loadu_epi8(part(n), (const int8_t *)row.data + column);
        __m512 scale = _mm512_set1_ps(n > 0 ? _cvtsh_ss(row.scale[column / HONE_Q8_BLOCK]) : 0.0f);
        return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)), scale);
    }
    return _mm512_maskz_loadu_ps(part(n), (const float *)row.data + column);
}

#endif
