/**
 * Attention of a single query with the few heads that share its keys: decoding. Keys and values are read where
 * they lie, once, and there is just enough work for each to keep up with memory.
 */
#ifndef HN_CPU_VECTOR_SINGLE_H
#define HN_CPU_VECTOR_SINGLE_H

#include "../../operations/attention.h"
#include "exp.h"
#include "product.h"

#include <math.h>
#include <string.h>

static const float log2_e = 0x1.715476p+0f;

enum { SINGLE_HEADS = 8, SINGLE_BLOCK = 64 }; /* heads at most; keys at a time */

typedef struct single {
    int64_t heads, width;
    float *q, *sum; /* [heads, width], q in units of log 2 */
    float weight[SINGLE_HEADS][SINGLE_BLOCK];
    float most[SINGLE_HEADS], total[SINGLE_HEADS], fade[SINGLE_HEADS];
} single;

static bool single_fits(const hn_cpu_attention_work *work) {
    return work->group <= SINGLE_HEADS && work->width % VEC_LANES == 0;
}

/* Asks for rows that will be read soon. */
static void fetch_rows(const float *row, int64_t stride, int64_t rows, int64_t width) {
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t n = 0; n < width; n += 16) {
            __builtin_prefetch(row + r * stride + n);
        }
    }
}

/* score[i] = q k_i for `count` rows of keys, up to VEC_LANES; scores past them are of the last row. */
static void dot_rows(const float *q, const float *k, int64_t stride, int count, int64_t width, float *score) {
    const float *row[VEC_LANES];
    vec sum[VEC_LANES];
    VEC_UNROLL
    for (int i = 0; i < VEC_LANES; i++) {
        row[i] = k + (i < count ? i : count - 1) * stride;
        sum[i] = vec_zero();
    }
    for (int64_t n = 0; n < width; n += VEC_LANES) {
        vec part = vec_load(q + n);
        VEC_UNROLL
        for (int i = 0; i < VEC_LANES; i++) {
            sum[i] = vec_fma(vec_load(row[i] + n), part, sum[i]);
        }
    }
    vec_transpose(sum);
    VEC_UNROLL
    for (int step = VEC_LANES / 2; step > 0; step /= 2) {
        VEC_UNROLL
        for (int i = 0; i < step; i++) {
            sum[i] = sum[i] + sum[i + step];
        }
    }
    vec_store(score, sum[0]);
}

/* Scores become weights against the largest so far. */
static void single_softmax(single *s, int64_t head, int64_t count) {
    float *weight = s->weight[head];
    vec most = vec_set(s->most[head]), total = vec_zero();
    if (count % VEC_LANES != 0) {
        float *at = weight + count - count % VEC_LANES;
        vec_store(at, vec_between(vec_load(at), vec_set(-INFINITY), 0, VEC_REST(count)));
    }
    for (int64_t r = 0; r < count; r += VEC_LANES) {
        most = vec_max(most, vec_load(weight + r));
    }
    float largest = vec_largest(most);
    for (int64_t r = 0; r < count; r += VEC_LANES) {
        vec p = vec_exp2(vec_load(weight + r) - vec_set(largest));
        vec_store(weight + r, p);
        total = total + p;
    }
    s->fade[head] = exp2f(s->most[head] - largest);
    s->total[head] = s->total[head] * s->fade[head] + vec_sum(total);
    s->most[head] = largest;
}

/* Keys that lie `stride` apart, up to SINGLE_BLOCK. */
static void single_block(single *s, const float *k, int64_t k_stride, const float *v, int64_t v_stride,
                         int64_t count) {
    for (int64_t r = 0; r < count; r += VEC_LANES) {
        int rows = count - r < VEC_LANES ? (int)(count - r) : VEC_LANES;
        fetch_rows(k + (r + count) * k_stride, k_stride, rows, s->width);
        fetch_rows(v + r * v_stride, v_stride, rows, s->width);
        for (int64_t h = 0; h < s->heads; h++) {
            dot_rows(s->q + h * s->width, k + r * k_stride, k_stride, rows, s->width, s->weight[h] + r);
        }
    }
    for (int64_t h = 0; h < s->heads; h++) {
        single_softmax(s, h, count);
    }
    for (int64_t h = 0; h < s->heads; h += TILE_ROWS) {
        int rows = s->heads - h < TILE_ROWS ? (int)(s->heads - h) : TILE_ROWS;
        for (int64_t n = 0; n < s->width; n += TILE_LANES) {
            int64_t left = s->width - n;
            int vectors = left < TILE_LANES ? (int)left / VEC_LANES : TILE_VECTORS;
            scores_tile(rows, vectors, s->weight[h], SINGLE_BLOCK, v + n, v_stride, count, s->fade + h,
                        s->sum + h * s->width + n, s->width);
        }
    }
}

static void single_finish(const single *s, const hn_cpu_attention_work *work, int64_t t, int64_t first_head) {
    for (int64_t h = 0; h < s->heads; h++) {
        float *o = hn_cpu_head(&work->o, t, first_head + h, s->width);
        double total = (double)s->total[h], lse = (double)s->most[h] * 0x1.62e42fefa39efp-1 + log(total);
        vec factor = vec_set((float)(1.0 / total));
        work->lse[(first_head + h) * work->lse_stride + t] = (float)lse;
        for (int64_t n = 0; n < s->width; n += VEC_LANES) {
            vec_store(o + n, vec_load(s->sum + h * s->width + n) * factor);
        }
    }
}

static void attention_single(const hn_cpu_attention_work *work, const hn_cpu_attention_tile *tile,
                             int64_t key_head, float *scratch) {
    single s = {
        .heads = work->group, .width = work->width, .q = scratch, .sum = scratch + work->group * work->width};
    for (int64_t h = 0; h < s.heads; h++) {
        const float *q = hn_cpu_head(&work->q, tile->first, key_head * work->group + h, s.width);
        for (int64_t n = 0; n < s.width; n++) {
            s.q[h * s.width + n] = q[n] * (work->scale * log2_e);
            s.sum[h * s.width + n] = 0.0f;
        }
        s.most[h] = -INFINITY;
        s.total[h] = 0.0f;
    }
    for (int64_t i = 0; i < hn_cpu_runs(work, tile); i++) {
        hn_cpu_run run = hn_cpu_run_at(work, tile, i);
        for (int64_t key = run.first; key < run.last; key += SINGLE_BLOCK) {
            single_block(&s, hn_cpu_head(&work->k, key, key_head, s.width), work->k.stride,
                         hn_cpu_head(&work->v, key, key_head, s.width), work->v.stride,
                         run.last - key < SINGLE_BLOCK ? run.last - key : SINGLE_BLOCK);
        }
    }
    single_finish(&s, work, tile->first, key_head * work->group);
}

#endif
