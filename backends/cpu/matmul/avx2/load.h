/** 8 elements of a row as floats, from any storage; part of every AVX2 kernel that reads weights. */
#ifndef HN_CPU_MATMUL_AVX2_LOAD_H
#define HN_CPU_MATMUL_AVX2_LOAD_H

#include "../matrix.h"

#include <immintrin.h>
#include <string.h>

enum { LANES = 8 };

/** Lanes below n. */
static inline __attribute__((always_inline)) __m256i part(int64_t n) {
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n > LANES ? LANES : n)), lane);
}

/** Columns [column, column + n) of the whole row, column a multiple of 8 where it is Q8; lanes from n on are 0. */
static inline __attribute__((always_inline)) __m256 load(hn_cpu_row row, hone_dtype dtype, int64_t column,
                                                         int64_t n) {
    if (n <= 0) {
        return _mm256_setzero_ps();
    }
    if (dtype == HONE_BF16) {
        const uint16_t *from = (const uint16_t *)row.data + column;
        uint16_t edge[LANES] = {0};
        if (n < LANES) {
            memcpy(edge, from, (size_t)n * sizeof *edge);
            from = edge;
        }
        __m128i bits = _mm_loadu_si128((const __m128i *)(const void *)from);
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
    }
    if (dtype == HONE_Q8) {
        const int8_t *from = (const int8_t *)row.data + column;
        int8_t edge[LANES] = {0};
        if (n < LANES) {
            memcpy(edge, from, (size_t)n);
            from = edge;
        }
        __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)from);
        __m256 scale = _mm256_set1_ps(_cvtsh_ss(row.scale[column / HONE_Q8_BLOCK]));
        return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), scale);
    }
    const float *from = (const float *)row.data + column;
    return n >= LANES ? _mm256_loadu_ps(from) : _mm256_maskload_ps(from, part(n));
}

#endif
