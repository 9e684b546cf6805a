/** An operand of a product that may be stored in fewer bits than it is computed in. */
#ifndef HN_CPU_MATMUL_MATRIX_H
#define HN_CPU_MATMUL_MATRIX_H

#include "../operations/convert.h"

#include <hone/backend.h>
#include <stddef.h>
#include <stdint.h>

/** Row-major; element (r, c) is number first + c of row r. F32, BF16 or Q8 (see hone/dtype.h). */
typedef struct hn_cpu_matrix {
    const void *data;
    hone_dtype dtype;
    int64_t ld;      /**< elements from one row to the next */
    int64_t first;   /**< column where it begins */
    int64_t columns; /**< of a whole row: Q8's scales follow them */
} hn_cpu_matrix;

/** One row of it. */
typedef struct hn_cpu_row {
    const void *data;
    const uint16_t *scale; /**< Q8: one f16 for each HONE_Q8_BLOCK columns */
} hn_cpu_row;

static inline size_t hn_cpu_element_size(hone_dtype dtype) {
    return dtype == HONE_F32 ? 4 : dtype == HONE_BF16 ? 2 : 1;
}

static inline hn_cpu_matrix hn_cpu_matrix_f32(const float *data, int64_t ld) {
    return (hn_cpu_matrix){.data = data, .dtype = HONE_F32, .ld = ld};
}

/** From row `row` on. */
static inline hn_cpu_matrix hn_cpu_matrix_below(hn_cpu_matrix matrix, int64_t row) {
    matrix.data = (const char *)matrix.data + row * matrix.ld * (int64_t)hn_cpu_element_size(matrix.dtype);
    return matrix;
}

static inline hn_cpu_row hn_cpu_matrix_row(const hn_cpu_matrix *matrix, int64_t row) {
    const char *data =
        (const char *)matrix->data + row * matrix->ld * (int64_t)hn_cpu_element_size(matrix->dtype);
    const char *scale = data + (matrix->columns + 1) / 2 * 2;
    return (hn_cpu_row){.data = data,
                        .scale = matrix->dtype == HONE_Q8 ? (const uint16_t *)(const void *)scale : NULL};
}

/** Where the columns of an F32 matrix begin. */
static inline const float *hn_cpu_matrix_data(const hn_cpu_matrix *matrix) {
    return (const float *)matrix->data + matrix->first;
}

/** Element `column` (counted from the row's beginning), whatever the dtype. */
static inline float hn_cpu_row_element(hn_cpu_row row, hone_dtype dtype, int64_t column) {
    switch (dtype) {
    case HONE_BF16:
        return hn_cpu_from_bf16(((const uint16_t *)row.data)[column]);
    case HONE_Q8:
        return hn_cpu_from_f16(row.scale[column / HONE_Q8_BLOCK]) * (float)((const int8_t *)row.data)[column];
    default:
        return ((const float *)row.data)[column];
    }
}

#endif
