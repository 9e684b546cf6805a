/**
 * packed.h in tiles: registers of 16 rows of 64 bytes. A tile of a is [16 rows][16 units], one of b [16 units][16
 * columns], one of sums [16 rows][16 columns] of f32. A block of 32 x 32 sums takes four tiles, its factors two each.
 * Units are padded with zeros to a multiple of 16 in both copies, rows in a's.
 *
 * The including file gives the tile operations, as amx/tiles.h does.
 */
#include "../avx512bf16/pairs.h"
#include "../packed_copy.h"
#include "../packed_sums.h"

#include <stdalign.h>

enum { TILE = 16, TILE_UNITS = TILE * TILE };
/** Bytes from one row to the next: within a tile of a, a panel of b, a block of sums. */
enum { ROW_A = 4 * TILE, ROW_B = 4 * NR, ROW_SUMS = 4 * NR };

/* Byte 0: palette; from 16 on: bytes of a row, two each; from 48 on: rows. All tiles are whole. */
static const alignas(64) uint8_t layout[64] = {
    [0] = 1,   [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64, [26] = 64, [28] = 64, [30] = 64,
    [48] = 16, [49] = 16, [50] = 16, [51] = 16, [52] = 16, [53] = 16, [54] = 16, [55] = 16,
};

/* sum[16][32] of a's tiles and a panel; `steps` tiles of 16 units. */
static void multiply_16(int64_t steps, const float *a, const float *b, float *sum) {
    tile_zero(0);
    tile_zero(1);
    for (int64_t s = 0; s < steps; s++) {
        tile_load(4, a, ROW_A);
        tile_load(6, b, ROW_B);
        tile_dot(0, 4, 6);
        tile_load(7, b + TILE, ROW_B);
        tile_dot(1, 4, 7);
        a += TILE_UNITS;
        b += TILE * NR;
    }
    tile_store(0, sum, ROW_SUMS);
    tile_store(1, sum + TILE, ROW_SUMS);
}

/* sum[32][32]; `below`: the next 16 rows of a. */
static void multiply_32(int64_t steps, const float *a, const float *below, const float *b, float *sum) {
    tile_zero(0);
    tile_zero(1);
    tile_zero(2);
    tile_zero(3);
    for (int64_t s = 0; s < steps; s++) {
        tile_load(4, a, ROW_A);
        tile_load(6, b, ROW_B);
        tile_dot(0, 4, 6);
        tile_load(7, b + TILE, ROW_B);
        tile_dot(1, 4, 7);
        tile_load(5, below, ROW_A);
        tile_dot(2, 5, 6);
        tile_dot(3, 5, 7);
        a += TILE_UNITS;
        below += TILE_UNITS;
        b += TILE * NR;
    }
    tile_store(0, sum, ROW_SUMS);
    tile_store(1, sum + TILE, ROW_SUMS);
    tile_store(2, sum + TILE * NR, ROW_SUMS);
    tile_store(3, sum + TILE * NR + TILE, ROW_SUMS);
}

/* Rows [first, first + rows) of a, `rows` at most 16, as tiles one after another. a[m,k]. */
static void copy_along(const hn_cpu_product *p, int64_t first, int64_t rows, int64_t from, int64_t padded,
                       float *copy) {
    const hn_cpu_matrix a = hn_cpu_matrix_f32(p->a, p->lda);
    for (int64_t i = 0; i < rows; i++) {
        const hn_cpu_row row = hn_cpu_matrix_row(&a, first + i);
        const hn_cpu_row below = hn_cpu_matrix_row(&a, least(first + i + 2, p->m - 1));
        for (int64_t u = 0; u < padded; u += TILE) {
            const int64_t element = (from + u) * PER_UNIT;
            call_for(below, HONE_F32, element, LANES * PER_UNIT, 0);
            units_store(copy + u * TILE + i * TILE,
                        units_along(row, HONE_F32, element, least(p->k - element, LANES * PER_UNIT)));
        }
    }
    for (int64_t i = rows; i < TILE; i++) {
        for (int64_t u = 0; u < padded; u += TILE) {
            units_store(copy + u * TILE + i * TILE, _mm512_setzero_si512());
        }
    }
}

/* The same of a[k,m]: 16 units of 16 rows are turned over. */
static void copy_across(const hn_cpu_matrix *a, int64_t first, int64_t rows, int64_t element, int64_t k,
                        float *copy) {
    units r[TILE];
#pragma GCC unroll 16
    for (int t = 0; t < TILE; t++) {
        const int64_t at = element + t * PER_UNIT, exist = k - at;
        /* Rows that don't exist are not even pointed to: the last one stands in, and none of it is read. */
        hn_cpu_row row[2] = {hn_cpu_matrix_row(a, least(at, k - 1)),
                             hn_cpu_matrix_row(a, least(at + 1, k - 1))};
        r[t] = units_across(row, HONE_F32, first, exist > 0 ? rows : 0, exist > 1 ? 2 : 1);
    }
    transpose(r);
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++) {
        units_store(copy + i * TILE, r[i]);
    }
}

/* Groups of 16 rows one after another, each `padded` units long. */
static void copy_left(const hn_cpu_product *p, int64_t first, int64_t last, int64_t from, int64_t padded,
                      float *copy) {
    const hn_cpu_matrix a = hn_cpu_matrix_f32(p->a, p->lda);
    if (p->kind != HN_CPU_TN) {
        for (; first < last; first += TILE, copy += padded * TILE) {
            copy_along(p, first, least(last - first, TILE), from, padded, copy);
        }
        return;
    }
    for (int64_t u = 0; u < padded; u += TILE) {
        const int64_t element = (from + u) * PER_UNIT;
        for (int64_t row = first; row < last; row += TILE) {
            for (int64_t i = 0; i < ROWS_AHEAD; i++) {
                const int64_t below = least(element + ROWS_AHEAD + i, p->k - 1);
                call_for(hn_cpu_matrix_row(&a, below), HONE_F32, row, TILE, 0);
            }
            copy_across(&a, row, least(last - row, TILE), element, p->k,
                        copy + (row - first) * padded + u * TILE);
        }
    }
}

/* Sums end in rows of c that are far apart: they are called for before the product that they are needed after. */
static void expect_rows(const sums *to, int64_t first, int64_t rows) {
    for (int64_t i = first; i < first + rows; i++) {
        const float *c = to->c + i * to->ldc;
        _mm_prefetch(c, _MM_HINT_T0);
        _mm_prefetch(c + least(to->columns - 1, LANES), _MM_HINT_T0);
        _mm_prefetch(c + to->columns - 1, _MM_HINT_T0);
    }
}

/* Rows [first, last) of a, copied, against one panel. */
static void multiply_panel(const sums *to, int64_t rows, int64_t padded, const float *copy,
                           const float *panel) {
    alignas(64) float sum[2 * TILE * NR];
    const int64_t steps = padded / TILE;
    for (int64_t row = 0; row < rows; row += 2 * TILE) {
        const int64_t height = least(rows - row, 2 * TILE);
        const float *a = copy + row * padded;
        expect_rows(to, row, height);
        if (height > TILE) {
            multiply_32(steps, a, a + padded * TILE, panel, sum);
        } else {
            multiply_16(steps, a, panel, sum);
        }
        for (int64_t i = 0; i < height; i++) {
            store_row(to, to->c + (row + i) * to->ldc, vec_load(sum + i * NR),
                      vec_load(sum + i * NR + LANES));
        }
    }
}

static void multiply_panels(const hn_cpu_product *p, int64_t first, int64_t last, int64_t column,
                            int64_t columns, int64_t from, int64_t count, bool add, const float *panels,
                            float *scratch) {
    const int64_t padded = parts(count, TILE) * TILE;
    tile_configure(layout);
    copy_left(p, first, last, from, padded, scratch);
    for (int64_t j = 0; j < columns; j += NR, panels += padded * NR) {
        const sums to = {.c = p->c + first * p->ldc + column + j,
                         .ldc = p->ldc,
                         .columns = least(columns - j, NR),
                         .alpha = p->alpha,
                         .add = add};
        multiply_panel(&to, last - first, padded, scratch, panels);
    }
    tile_release();
}

#define TILED_KERNEL                                                                                         \
    {                                                                                                        \
        .nr = NR, .mr = 2 * TILE, .per_unit = PER_UNIT, .grain = TILE, .copy = pack,                         \
        .multiply = multiply_panels                                                                          \
    }
