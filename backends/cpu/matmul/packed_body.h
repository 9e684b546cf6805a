/**
 * The body of packed.h, written once. The including file gives, for its instruction set, what packed_copy.h and
 * packed_sums.h ask for, and:
 *   MR, MR_ROWS                       rows of sums in registers; NR is two registers
 *   mac(sum, a, b)                    sum + the products of the unit at a with each of b's
 */

#include "packed_copy.h"
#include "packed_sums.h"

/* ---- sums in registers ---- */

/** Where the units of a lie: unit u of row i at data[i * row + u * unit]; one of the strides is 1. */
typedef struct left {
    const float *data;
    int64_t row, unit;
} left;

/* `rows` and which stride is 1 are constants where this is inlined. */
ALWAYS void multiply_rows(int rows, bool across, int64_t count, left a, const float *b, const sums *to) {
    enum { GROUPS = (MR + 2) / 3 };
    const int64_t row = across ? 1 : a.row, unit = across ? a.unit : 1;
    const float *at[GROUPS];
    vec low[MR], high[MR];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        low[i] = vec_zero();
        high[i] = vec_zero();
    }
#pragma GCC unroll 8
    for (int g = 0; g < GROUPS; g++) {
        at[g] = a.data + 3 * g * row;
    }
    for (int64_t u = 0; u < count; u++) {
        vec b0 = vec_load(b), b1 = vec_load(b + LANES);
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) {
            const float *x = at[i / 3] + (i % 3) * row;
            low[i] = mac(low[i], x, b0);
            high[i] = mac(high[i], x, b1);
        }
        b += NR;
#pragma GCC unroll 8
        for (int g = 0; g < GROUPS; g++) {
            at[g] += unit;
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        store_row(to, to->c + i * to->ldc, low[i], high[i]);
    }
}

#define ROWS(n)                                                                                              \
    static void rows_##n(bool across, int64_t count, left a, const float *b, const sums *to) {               \
        if (across) {                                                                                        \
            multiply_rows(n, true, count, a, b, to);                                                         \
        } else {                                                                                             \
            multiply_rows(n, false, count, a, b, to);                                                        \
        }                                                                                                    \
    }
typedef void rows_function(bool across, int64_t count, left a, const float *b, const sums *to);

ROWS(1)
ROWS(2)
ROWS(3)
ROWS(4)
ROWS(5)
ROWS(6)
#if MR_ROWS > 6
ROWS(7)
ROWS(8)
ROWS(9)
ROWS(10)
ROWS(11)
ROWS(12)
ROWS(13)
ROWS(14)
#endif

static rows_function *const kernel[MR + 1] = {
    NULL,   rows_1, rows_2, rows_3,  rows_4,  rows_5,  rows_6,
#if MR_ROWS > 6
    rows_7, rows_8, rows_9, rows_10, rows_11, rows_12, rows_13, rows_14,
#endif
};

/* ---- the loops around ---- */

/* Rows [first, last) of a against a block of b. */
static void multiply_block(const hn_cpu_product *p, left a, int64_t first, int64_t last, int64_t column,
                           int64_t columns, int64_t count, bool add, const float *block) {
    const int64_t groups = parts(last - first, MR), height = (last - first) / groups,
                  taller = (last - first) % groups;
    for (int64_t g = 0, row = first; g < groups; g++) {
        const int64_t rows = height + (g < taller);
        const float *panel = block;
        left from = a;
        from.data += (row - first) * a.row;
        for (int64_t j = 0; j < columns; j += NR, panel += count * NR) {
            const sums to = {.c = p->c + row * p->ldc + column + j,
                             .ldc = p->ldc,
                             .columns = least(columns - j, NR),
                             .alpha = p->alpha,
                             .add = add};
            kernel[rows](a.row == 1, count, from, panel, &to);
        }
        row += rows;
    }
}

/* Rows [first, last) of a, units [from, from + count), contiguous. */
static left pack_left(const hn_cpu_product *p, int64_t first, int64_t last, int64_t from, int64_t count,
                      float *copy) {
    const hn_cpu_matrix a = hn_cpu_matrix_f32(p->a, p->lda);
    if (p->kind != HN_CPU_TN) {
        const int64_t stride = (count + LANES - 1) / LANES * LANES;
        for (int64_t i = first; i < last; i++) {
            const hn_cpu_row row = hn_cpu_matrix_row(&a, i);
            for (int64_t u = 0; u < count; u += LANES) {
                const int64_t element = (from + u) * PER_UNIT;
                units_store(copy + (i - first) * stride + u,
                            units_along(row, HONE_F32, element, least(p->k - element, LANES * PER_UNIT)));
            }
        }
        return (left){copy, stride, 1};
    }
    for (int64_t u = 0; u < count; u++) {
        const int64_t element = (from + u) * PER_UNIT, exist = least(p->k - element, PER_UNIT);
        hn_cpu_row row[2] = {hn_cpu_matrix_row(&a, element), {NULL, NULL}};
        row[1] = exist > 1 ? hn_cpu_matrix_row(&a, element + 1) : row[0];
        for (int64_t i = first; i < last; i += LANES) {
            units_store(copy + u * HN_CPU_PACKED_ROWS + (i - first),
                        units_across(row, HONE_F32, i, least(last - i, LANES), (int)exist));
        }
    }
    return (left){copy, 1, HN_CPU_PACKED_ROWS};
}

static void multiply_panels(const hn_cpu_product *p, int64_t first, int64_t last, int64_t column,
                            int64_t columns, int64_t from, int64_t count, bool add, const float *panels,
                            float *scratch) {
    const left a = pack_left(p, first, last, from, count, scratch);
    multiply_block(p, a, first, last, column, columns, count, add, panels);
}

#define PACKED_KERNEL                                                                                        \
    { .nr = NR, .mr = MR, .per_unit = PER_UNIT, .grain = 1, .copy = pack, .multiply = multiply_panels }
