/**
 * c[m,n] = a[m,k] b[n,k]^T for few rows of a, reading b once at the speed of memory: what decoding
 * needs, where libraries would transpose all of b first.
 *
 * Every element is one sum over k in the same order, whatever m and n: a row's result does not depend on
 * the rows that are computed beside it.
 */
#ifndef HN_CPU_MATMUL_ROWS_H
#define HN_CPU_MATMUL_ROWS_H

#include "matmul.h"

/** `scratch` of HN_CPU_PACKED_SCRATCH bytes. */
void hn_cpu_rows_avx2(const hn_cpu_product *product, void *scratch);
void hn_cpu_rows_avx512(const hn_cpu_product *product, void *scratch);

/** Before a loop over sums, which must stay in registers. */
#ifdef __clang__
#define HN_CPU_UNROLL _Pragma("clang loop unroll(full)")
#else
#define HN_CPU_UNROLL _Pragma("GCC unroll 16")
#endif

/** Shared by both: the dots of `wide` rows of b from `column` with `tall` rows of a from `row`, as
 *  dots[i * tall + j], go to c. */
static inline void hn_cpu_rows_store(const hn_cpu_product *product, int64_t row, int tall, int64_t column,
                                     int wide, const float *dots) {
    int64_t rows = product->m - row < tall ? product->m - row : tall;
    int64_t columns = product->n - column < wide ? product->n - column : wide;
    for (int64_t j = 0; j < rows; j++) {
        float *c = product->c + (row + j) * product->ldc + column;
        for (int64_t i = 0; i < columns; i++) {
            float value = product->alpha * dots[i * tall + j];
            c[i] = product->accumulate ? c[i] + value : value;
        }
    }
}

/** Row `index` of b, or the last one where that is past it (its dots are not stored). */
static inline hn_cpu_row hn_cpu_rows_at(const hn_cpu_matrix *b, int64_t index, int64_t count) {
    return hn_cpu_matrix_row(b, index < count ? index : count - 1);
}

/** The address of a's row likewise. */
static inline const float *hn_cpu_rows_left(const hn_cpu_product *product, int64_t index) {
    return product->a + (index < product->m ? index : product->m - 1) * product->lda;
}

#endif
