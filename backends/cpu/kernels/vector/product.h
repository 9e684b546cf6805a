/**
 * Small matrix products within attention. The first factor is read a unit at a time and spread over the
 * lanes, the second a vector of units at a time; up to 6 rows times a few vectors of results stay in registers.
 *
 *   scores   c[r,l] = factor[r] c[r,l] + sum_n a[r,n] b[n,l]
 *   combine  c[m,n] = factor[m] c[m,n] + sum_r a[r,m] b[r,n]
 *
 * Without factors c is not read. A unit is a float; where `pairs`, two bf16 that follow each other in the sum.
 */
#ifndef HN_CPU_VECTOR_PRODUCT_H
#define HN_CPU_VECTOR_PRODUCT_H

#include "vector.h"

#include <stdbool.h>

enum {
    TILE_ROWS = 6,
    TILE_VECTORS = VEC_LANES == 16 ? 4 : 2, /* 24 of 32 registers, 12 of 16 */
    TILE_LANES = TILE_VECTORS * VEC_LANES
};

VEC_INLINE vec multiply_units(bool pairs, vec a, vec b, vec sum) {
#if defined(__AVX512BF16__)
    if (pairs) {
        return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_castps_si512(a), (__m512bh)_mm512_castps_si512(b));
    }
#endif
    (void)pairs;
    return vec_fma(a, b, sum);
}

/* c[i, v] (+)= sum_d a[i * a_row + d * a_depth] b[d * ldb + v]; `pairs`, `rows` and `vectors` are constants,
   and so is the step that is 1. `factor` NULL: c is not read. */
VEC_INLINE void product_tile(bool pairs, int rows, int vectors, const float *a, int64_t a_row,
                             int64_t a_depth, const float *b, int64_t ldb, int64_t depth, const float *factor,
                             float *c, int64_t ldc) {
    vec sum[TILE_ROWS][TILE_VECTORS];
    VEC_UNROLL
    for (int i = 0; i < rows; i++) {
        VEC_UNROLL
        for (int v = 0; v < vectors; v++) {
            sum[i][v] = vec_zero();
            if (factor != NULL) {
                sum[i][v] = vec_load(c + i * ldc + v * VEC_LANES) * vec_set(factor[i]);
            }
        }
    }
    for (int64_t d = 0; d < depth; d++) {
        vec right[TILE_VECTORS];
        VEC_UNROLL
        for (int v = 0; v < vectors; v++) {
            right[v] = vec_load(b + d * ldb + v * VEC_LANES);
        }
        VEC_UNROLL
        for (int i = 0; i < rows; i++) {
            vec left = vec_set(a[i * a_row + d * a_depth]);
            VEC_UNROLL
            for (int v = 0; v < vectors; v++) {
                sum[i][v] = multiply_units(pairs, left, right[v], sum[i][v]);
            }
        }
    }
    VEC_UNROLL
    for (int i = 0; i < rows; i++) {
        VEC_UNROLL
        for (int v = 0; v < vectors; v++) {
            vec_store(c + i * ldc + v * VEC_LANES, sum[i][v]);
        }
    }
}

/* Every size has code of its own: `call` gets constants. */
#define PRODUCT_CASE(r, v, call)                                                                             \
    case (r)*8 + (v):                                                                                        \
        call(r, v);                                                                                          \
        break;
#if defined(__AVX512F__)
#define PRODUCT_ROW(r, call)                                                                                 \
    PRODUCT_CASE(r, 1, call) PRODUCT_CASE(r, 2, call) PRODUCT_CASE(r, 3, call) PRODUCT_CASE(r, 4, call)
#else
#define PRODUCT_ROW(r, call) PRODUCT_CASE(r, 1, call) PRODUCT_CASE(r, 2, call)
#endif
#define PRODUCT_SWITCH(rows, vectors, call)                                                                  \
    switch ((rows)*8 + (vectors)) {                                                                          \
        PRODUCT_ROW(1, call)                                                                                 \
        PRODUCT_ROW(2, call)                                                                                 \
        PRODUCT_ROW(3, call)                                                                                 \
        PRODUCT_ROW(4, call)                                                                                 \
        PRODUCT_ROW(5, call)                                                                                 \
        PRODUCT_ROW(6, call)                                                                                 \
    default:                                                                                                 \
        break;                                                                                               \
    }

#define TILE_ARGUMENTS                                                                                       \
    int rows, int vectors, const float *a, int64_t lda, const float *b, int64_t ldb, int64_t depth,          \
        const float *factor, float *c, int64_t ldc

static void scores_tile(TILE_ARGUMENTS) {
#define CALL(r, v) product_tile(false, r, v, a, lda, 1, b, ldb, depth, factor, c, ldc)
    PRODUCT_SWITCH(rows, vectors, CALL)
#undef CALL
}

#if defined(__AVX512BF16__)

static void scores_pairs_tile(TILE_ARGUMENTS) {
#define CALL(r, v) product_tile(true, r, v, a, lda, 1, b, ldb, depth, factor, c, ldc)
    PRODUCT_SWITCH(rows, vectors, CALL)
#undef CALL
}

static void combine_pairs_tile(TILE_ARGUMENTS) {
#define CALL(r, v) product_tile(true, r, v, a, 1, lda, b, ldb, depth, factor, c, ldc)
    PRODUCT_SWITCH(rows, vectors, CALL)
#undef CALL
}

#else

static void combine_tile(TILE_ARGUMENTS) {
#define CALL(r, v) product_tile(false, r, v, a, 1, lda, b, ldb, depth, factor, c, ldc)
    PRODUCT_SWITCH(rows, vectors, CALL)
#undef CALL
}

#endif

#endif
