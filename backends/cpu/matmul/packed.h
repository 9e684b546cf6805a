/**
 * Products of our own: b is copied once into panels of NR columns, widened or narrowed on the way to what the
 * kernel multiplies, and MR x NR sums stay in registers. All threads copy, and then all multiply: each item of that
 * work is some rows of a, which it copies in turn. Nothing is kept between calls: copying costs one pass over a and b,
 * a few per cent of a product of some hundred rows, and weights need no second form in memory.
 *
 * A *unit* is four bytes of the reduction: one f32, or a pair of bf16. Panels are [unit][NR], zero beyond the
 * edges.
 *
 * The order of the sums depends on the product's shape alone.
 */
#ifndef HN_CPU_MATMUL_PACKED_H
#define HN_CPU_MATMUL_PACKED_H

#include "matmul.h"

/** Blocking: units of the reduction in a block; columns of b and rows of a that one thread copies for itself. */
enum { HN_CPU_PACKED_UNITS = 288, HN_CPU_PACKED_COLUMNS = 192, HN_CPU_PACKED_ROWS = 144 };
/** Bytes of scratch of one thread: a block of b, then one of a (a row's units are padded to a multiple of 16). */
#define HN_CPU_PACKED_SCRATCH ((size_t)4 * HN_CPU_PACKED_UNITS * (HN_CPU_PACKED_COLUMNS + HN_CPU_PACKED_ROWS))
/** Bytes of b that all threads share. */
#define HN_CPU_PACKED_SHARED ((size_t)4 << 20)

/** For one instruction set and dtype. */
typedef struct hn_cpu_packed_kernel {
    int64_t nr, mr, per_unit; /**< columns of a panel, rows of sums, elements of a unit */
    int64_t grain;            /**< units of a panel are made up to a multiple of this, with zeros */
    /** Columns [column, column + columns) of b, units [from, from + count), as panels of `padded` units one after the
     *  other. */
    void (*copy)(const hn_cpu_product *product, int64_t column, int64_t columns, int64_t from, int64_t count,
                 int64_t padded, float *panels);
    /** Rows [first, last) of c (at most HN_CPU_PACKED_ROWS) from panels of these columns and units; `scratch` for
     *  HN_CPU_PACKED_ROWS * HN_CPU_PACKED_UNITS units of a. Not `add`: c is not read. */
    void (*multiply)(const hn_cpu_product *product, int64_t first, int64_t last, int64_t column,
                     int64_t columns, int64_t from, int64_t count, bool add, const float *panels,
                     float *scratch);
} hn_cpu_packed_kernel;

extern const hn_cpu_packed_kernel hn_cpu_packed_avx2, hn_cpu_packed_avx512, hn_cpu_packed_avx512bf16,
    hn_cpu_packed_amx;

/** NULL where the instruction set has none. `bf16`: factors may be rounded to bf16. */
const hn_cpu_packed_kernel *hn_cpu_packed_kernel_of(hn_cpu_isa isa, bool bf16);
/** One thread's product, m, n, k > 0; bias ignored; `scratch` of HN_CPU_PACKED_SCRATCH bytes, aligned to 64. */
void hn_cpu_packed_tile(const hn_cpu_packed_kernel *kernel, const hn_cpu_product *product, float *scratch);
/** The product on all of hone's threads, bias included. The same bits as any other cut of it. */
void hn_cpu_packed_run(const hn_cpu_matmul_state *state, const hn_cpu_packed_kernel *kernel,
                       const hn_cpu_product *product);

#endif
