/**
 * Products of our own: b is copied once into panels of NR columns, widened or narrowed on the way to what the
 * kernel multiplies, and MR x NR sums stay in registers. Nothing is kept between calls: copying costs one pass
 * over b, a few per cent of a product of some hundred rows, and weights need no second form in memory.
 *
 * A *unit* is four bytes of the reduction: one f32, or a pair of bf16. Panels are [unit][NR], zero beyond the
 * edges; a is read as it lies in f32, and copied as pairs where the kernel multiplies bf16.
 *
 * The order of the sums depends on the product's shape alone.
 */
#ifndef HN_CPU_MATMUL_PACKED_H
#define HN_CPU_MATMUL_PACKED_H

#include "matmul.h"

/** Blocking: units of the reduction and columns in a packed block of b, rows in a packed block of a. */
enum { HN_CPU_PACKED_UNITS = 288, HN_CPU_PACKED_COLUMNS = 384, HN_CPU_PACKED_ROWS = 112 };
/** Bytes of scratch of one thread: the block of b, then that of a (a row's units are padded to a multiple of 16). */
#define HN_CPU_PACKED_SCRATCH ((size_t)4 * HN_CPU_PACKED_UNITS * (HN_CPU_PACKED_COLUMNS + HN_CPU_PACKED_ROWS))

/** One thread's product, m, n, k > 0; bias ignored; `scratch` of HN_CPU_PACKED_SCRATCH bytes, aligned to 64. */
typedef void hn_cpu_packed_function(const hn_cpu_product *product, void *scratch);
hn_cpu_packed_function hn_cpu_packed_avx2, hn_cpu_packed_avx512, hn_cpu_packed_avx512bf16;

#endif
