/**
 * Copying b into the panels of packed.h. The including file gives:
 *   LANES                             floats of a register
 *   units                             a register of LANES units
 *   PAIRS                             0: a unit is an f32; 1: a pair of bf16
 *   units_along(row, dtype, k, left)  the LANES units from element k of a row, `left` elements of which exist
 *   units_across(row, dtype, column, n, rows)   for PAIRS + 1 consecutive rows (`rows` of them exist), the units of n
 *                                     columns
 *   units_store, transpose
 */
#ifndef HN_CPU_MATMUL_PACKED_COPY_H
#define HN_CPU_MATMUL_PACKED_COPY_H

#include "packed.h"

#include <string.h>

#define ALWAYS static inline __attribute__((always_inline))
enum { NR = 2 * LANES, PER_UNIT = 1 + PAIRS };

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t parts(int64_t extent, int64_t most) { return (extent + most - 1) / most; }

/* Many rows are read a piece at a time, which processors don't foresee: pieces are called for this many rows, or bytes
 * along the rows, before they are read. */
enum { ROWS_AHEAD = 32, BYTES_AHEAD = 512 };

/* `elements` of a row from element `first` on, shifted by `ahead` bytes; nothing is read. */
ALWAYS void call_for(hn_cpu_row row, hone_dtype dtype, int64_t first, int64_t elements, int64_t ahead) {
    const int64_t bytes = (int64_t)hn_cpu_element_size(dtype);
    const uintptr_t from = (uintptr_t)row.data + (uintptr_t)(first * bytes + ahead);
    for (int64_t i = 0; i < elements * bytes; i += 64) {
        __builtin_prefetch((const void *)(from + (uintptr_t)i), 0, 3);
    }
}

/* b[n,k]: LANES rows at a time are turned over. `units_count` units from unit `from`. */
ALWAYS void pack_along(const hn_cpu_matrix *b, hone_dtype dtype, int64_t first_row, int64_t rows,
                       int64_t from, int64_t count, int64_t k, float *panel) {
    for (int64_t half = 0; half < NR; half += LANES) {
        hn_cpu_row row[LANES];
        for (int64_t i = 0; i < LANES; i++) {
            int64_t at = half + i < rows ? half + i : rows - 1;
            row[i] = hn_cpu_matrix_row(b, first_row + at);
        }
        int64_t exist = rows - half;
        for (int64_t u = 0; u < count; u += LANES) {
            units r[LANES];
            const int64_t element = (from + u) * PER_UNIT;
#pragma GCC unroll 16
            for (int i = 0; i < LANES; i++) {
                int64_t left = i < exist ? least(k - element, LANES * PER_UNIT) : 0;
                call_for(row[i], dtype, b->first + element, left > 0 ? LANES * PER_UNIT : 0, BYTES_AHEAD);
                r[i] = units_along(row[i], dtype, b->first + element, left);
            }
            transpose(r);
            int64_t stored = least(count - u, LANES);
            for (int64_t i = 0; i < stored; i++) {
                units_store(panel + (u + i) * NR + half, r[i]);
            }
        }
    }
}

/* b[k,n]: as it lies. */
ALWAYS void pack_across(const hn_cpu_matrix *b, hone_dtype dtype, int64_t column, int64_t columns,
                        int64_t from, int64_t count, int64_t k, float *panel) {
    for (int64_t u = 0; u < count; u++) {
        const int64_t element = (from + u) * PER_UNIT, exist = least(k - element, PER_UNIT);
        hn_cpu_row row[2] = {hn_cpu_matrix_row(b, element), {NULL, NULL}};
        row[1] = exist > 1 ? hn_cpu_matrix_row(b, element + 1) : row[0];
        for (int i = 0; i < PER_UNIT; i++) {
            call_for(hn_cpu_matrix_row(b, least(element + ROWS_AHEAD + i, k - 1)), dtype, b->first + column,
                     NR, 0);
        }
        for (int64_t half = 0; half < NR; half += LANES) {
            int64_t n = least(columns - half, LANES);
            units_store(panel + u * NR + half,
                        units_across(row, dtype, b->first + column + half, n < 0 ? 0 : n, (int)exist));
        }
    }
}

ALWAYS void pack_as(const hn_cpu_product *p, hone_dtype dtype, int64_t column, int64_t columns, int64_t from,
                    int64_t count, int64_t padded, float *block) {
    for (int64_t j = 0; j < columns; j += NR, block += padded * NR) {
        if (p->kind == HN_CPU_NT) {
            pack_along(&p->b, dtype, column + j, columns - j, from, count, p->k, block);
        } else {
            pack_across(&p->b, dtype, column + j, columns - j, from, count, p->k, block);
        }
        if (padded > count) {
            memset(block + count * NR, 0, (size_t)(padded - count) * NR * sizeof *block);
        }
    }
}

/* Panels of `padded` units, those from `count` on zero. */
static void pack(const hn_cpu_product *p, int64_t column, int64_t columns, int64_t from, int64_t count,
                 int64_t padded, float *block) {
    switch (p->b.dtype) {
    case HONE_BF16:
        pack_as(p, HONE_BF16, column, columns, from, count, padded, block);
        break;
    case HONE_Q8:
        pack_as(p, HONE_Q8, column, columns, from, count, padded, block);
        break;
    default:
        pack_as(p, HONE_F32, column, columns, from, count, padded, block);
        break;
    }
}

#endif
