/**
 * The tile operations that tiled_body.h is written in, as AMX has them. Tile numbers are literals: the instructions
 * name their registers. What a tile reads must be in memory and what it wrote must be read from there, which the
 * intrinsics alone don't tell every compiler.
 *   tile_configure(layout)          64 bytes, palette 1
 *   tile_release()
 *   tile_zero(t)
 *   tile_load(t, from, stride)      rows `stride` bytes apart
 *   tile_store(t, to, stride)
 *   tile_dot(sum, a, b)             sum[i][j] += over the units u of a's rows: the product of the pairs a[i][u], b[u][j]
 */
#ifndef HN_CPU_MATMUL_AMX_TILES_H
#define HN_CPU_MATMUL_AMX_TILES_H

#include <immintrin.h>

#define TILE_FENCE() __asm__ volatile("" ::: "memory")

#define tile_configure(layout)                                                                               \
    do {                                                                                                     \
        TILE_FENCE();                                                                                        \
        _tile_loadconfig(layout);                                                                            \
    } while (0)
#define tile_release() _tile_release()
#define tile_zero(t) _tile_zero(t)
#define tile_load(t, from, stride)                                                                           \
    do {                                                                                                     \
        TILE_FENCE();                                                                                        \
        _tile_loadd(t, from, stride);                                                                        \
    } while (0)
#define tile_store(t, to, stride)                                                                            \
    do {                                                                                                     \
        _tile_stored(t, to, stride);                                                                         \
        TILE_FENCE();                                                                                        \
    } while (0)
#define tile_dot(sum, a, b) _tile_dpbf16ps(sum, a, b)

#endif
