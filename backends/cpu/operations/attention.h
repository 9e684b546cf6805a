/**
 * ATTENTION and ATTENTION_BACKWARD: how the work is cut, shared by the kernels.
 *
 * Queries of a segment are cut into tiles; an item of work is a tile and a key head, with all query heads
 * that read this key head. The keys that a tile sees are the segment's ranges and then its own keys, and
 * nothing else is touched: no work is spent off the mask, but for the triangle's edge. The backward has two
 * lists of items: one owner for each tile of dq, one for each tile of dk and dv.
 */
#ifndef HN_CPU_ATTENTION_H
#define HN_CPU_ATTENTION_H

#include "operations.h"

/** Rows `first` to `first + count` of one segment: queries, or keys in the backward's second list. */
typedef struct hn_cpu_attention_tile {
    int32_t segment, first, count;
} hn_cpu_attention_tile;

/** A tensor [rows, heads, N]. */
typedef struct hn_cpu_heads {
    float *data;
    int64_t stride; /**< elements from row to row */
} hn_cpu_heads;

typedef struct hn_cpu_attention_work {
    const hn_cpu_kernels *kernels;
    hn_cpu_heads q, k, v, o, dout, dq, dk, dv;
    const int32_t *segment, *range;
    int64_t segment_stride, range_stride, segments;
    float *lse, *delta; /**< [H,T] */
    int64_t lse_stride, delta_stride;
    int64_t tokens, heads, key_heads, group, width; /**< T, H, K, H/K, N */
    float scale;
    hn_cpu_attention_tile *query_tile, *key_tile;
    int64_t query_tiles, key_tiles;
    float *scratch; /**< of all threads */
    int64_t scratch_floats;
} hn_cpu_attention_work;

/** Queries times heads in a tile, or keys in a tile: about this many, and at most (a single query's heads may be
 *  more). Rows of keys, or queries times heads, that are handled against a tile at a time. */
enum { HN_CPU_LANES = 96, HN_CPU_LANES_MOST = 128, HN_CPU_BLOCK = 48 };

/** Key rows [first, last). */
typedef struct hn_cpu_run {
    int64_t first, last;
} hn_cpu_run;

static inline const hone_segment *hn_cpu_segment(const hn_cpu_attention_work *work, int64_t index) {
    return (const hone_segment *)(const void *)(work->segment + index * work->segment_stride);
}

/** The key runs that the queries of a tile see; the last is the segment's own, up to the tile's last query:
 *  query first + i sees all of it but the last count - 1 - i keys. */
static inline int64_t hn_cpu_runs(const hn_cpu_attention_work *work, const hn_cpu_attention_tile *tile) {
    const hone_segment *segment = hn_cpu_segment(work, tile->segment);
    return (int64_t)segment->range_end - segment->range_begin + 1;
}

static inline hn_cpu_run hn_cpu_run_at(const hn_cpu_attention_work *work, const hn_cpu_attention_tile *tile,
                                       int64_t index) {
    const hone_segment *segment = hn_cpu_segment(work, tile->segment);
    if (index < (int64_t)segment->range_end - segment->range_begin) {
        const int32_t *range = work->range + (segment->range_begin + index) * work->range_stride;
        return (hn_cpu_run){range[0], range[1]};
    }
    int64_t own = (int64_t)tile->first + tile->count - segment->query_begin;
    return (hn_cpu_run){segment->key_begin, segment->key_begin + own};
}

static inline float *hn_cpu_head(const hn_cpu_heads *heads, int64_t row, int64_t head, int64_t width) {
    return heads->data + row * heads->stride + head * width;
}

#endif
