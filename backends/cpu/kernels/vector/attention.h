/**
 * Attention with vectors. One side of the scores, transposed once, lies along the lanes (the queries of a tile
 * with their heads; in the gradient of keys, the keys of a tile); the other side passes by in blocks of rows,
 * copied to be contiguous. Softmax then runs lane by lane with nothing to add across lanes, and both products
 * of a block (scores, and what they weigh) read their factors as they lie.
 *
 * Each row of a block is visible to the lanes [first, last), which never shrink from either end as rows go on.
 *
 * Factors of products are units (units.h): floats or pairs of bf16, rounded once from float. Everything between
 * the products - masks, softmax, its gradient - and all sums are float either way.
 */
#ifndef HN_CPU_VECTOR_ATTENTION_H
#define HN_CPU_VECTOR_ATTENTION_H

#include "../../operations/attention.h"
#include "exp.h"
#include "single.h"
#include "units.h"

#include <math.h>
#include <string.h>

/* A tile in work. Areas named after the gradient of queries; the gradient of keys puts keys for queries, rows
   of queries for keys. All areas begin on a cache line. */
typedef struct desk {
    const hn_cpu_attention_work *work;
    const hn_cpu_attention_tile *tile;
    int64_t head;          /* of keys */
    int64_t lanes, padded; /* in use; rounded up to vectors */
    int64_t across;        /* N rounded up to a cache line */
    int64_t units, along;  /* units of N; rounded up likewise */
    float *left, *left2;   /* [units, padded]: q (k), dout (v), transposed */
    float *sum, *sum2;     /* [lanes, across]: o or dq (dk, dv) */
    float *right, *right2; /* [block, along]: k (q), v (dout), in units along N, for scores */
    float *down, *down2;   /* [block / UNIT, across]: in units along the rows, for what scores weigh */
    float *score, *score2; /* [block, padded]; then weights: [block / UNIT, padded] */
    float *lane_a, *lane_b, *lane_c;                     /* [padded] */
    float *row_a, *row_b;                                /* [block] */
    int64_t rows;                                        /* in the block */
    const float *row[HN_CPU_BLOCK], *row2[HN_CPU_BLOCK]; /* where they lie: k (q), v (dout) */
    int32_t first[HN_CPU_BLOCK], last[HN_CPU_BLOCK];
} desk;

static float *take(float **at, int64_t floats) {
    float *area = *at;
    *at += (floats + 15) / 16 * 16;
    return area;
}

static desk set_up(const hn_cpu_attention_work *work, const hn_cpu_attention_tile *tile, int64_t head,
                   int64_t lanes, float *scratch) {
    desk b = {.work = work, .tile = tile, .head = head, .lanes = lanes};
    b.padded = (lanes + VEC_LANES - 1) / VEC_LANES * VEC_LANES;
    b.across = (work->width + 15) / 16 * 16;
    b.units = (work->width + UNIT - 1) / UNIT;
    b.along = (b.units + 15) / 16 * 16;
    b.left = take(&scratch, b.along * b.padded);
    b.left2 = take(&scratch, b.along * b.padded);
    b.sum = take(&scratch, lanes * b.across);
    b.sum2 = take(&scratch, lanes * b.across);
    b.right = take(&scratch, HN_CPU_BLOCK * b.along);
    b.right2 = take(&scratch, HN_CPU_BLOCK * b.along);
    b.down = UNIT == 1 ? b.right : take(&scratch, HN_CPU_BLOCK / UNIT * b.across);
    b.down2 = UNIT == 1 ? b.right2 : take(&scratch, HN_CPU_BLOCK / UNIT * b.across);
    b.score = take(&scratch, HN_CPU_BLOCK * b.padded);
    b.score2 = take(&scratch, HN_CPU_BLOCK * b.padded);
    b.lane_a = take(&scratch, b.padded);
    b.lane_b = take(&scratch, b.padded);
    b.lane_c = take(&scratch, b.padded);
    b.row_a = take(&scratch, HN_CPU_BLOCK);
    b.row_b = take(&scratch, HN_CPU_BLOCK);
    return b;
}

/* ---- in and out ---- */

/* Row `lane` of a tile whose lanes are (row, head) pairs of `group` heads. */
static float *lane_row(const desk *b, const hn_cpu_heads *heads, int64_t lane, int64_t group) {
    return hn_cpu_head(heads, b->tile->first + lane / group, b->head * group + lane % group, b->work->width);
}

/* to[unit, lane] = factor * row(lane)[its elements]; lanes past the last are 0. */
static void transpose_in(const desk *b, const hn_cpu_heads *heads, int64_t group, float factor, float *to) {
    for (int64_t lane = 0; lane < b->padded; lane += VEC_LANES) {
        const float *row[VEC_LANES];
        for (int i = 0; i < VEC_LANES; i++) {
            row[i] = lane + i < b->lanes ? lane_row(b, heads, lane + i, group) : NULL;
        }
        for (int64_t unit = 0; unit < b->units; unit += VEC_LANES) {
            int64_t n = unit * UNIT, left = b->units - unit;
            vec square[VEC_LANES];
            for (int i = 0; i < VEC_LANES; i++) {
                square[i] = row[i] == NULL ? vec_zero() : units_along(row[i] + n, b->work->width - n, factor);
            }
            vec_transpose(square);
            for (int i = 0; i < (left < VEC_LANES ? (int)left : VEC_LANES); i++) {
                vec_store(to + (unit + i) * b->padded + lane, square[i]);
            }
        }
    }
}

/* row(lane)[n] = factor[lane] * common * from[lane, n]; factor NULL: 1. */
static void rows_out(const desk *b, const float *from, const hn_cpu_heads *heads, int64_t group,
                     const float *factor, float common) {
    for (int64_t lane = 0; lane < b->lanes; lane++) {
        float *row = lane_row(b, heads, lane, group);
        vec scale = vec_set(factor == NULL ? common : factor[lane] * common);
        for (int64_t n = 0; n < b->work->width; n += VEC_LANES) {
            int64_t left = b->work->width - n;
            vec_store_part(row + n, vec_load(from + lane * b->across + n) * scale,
                           left < VEC_LANES ? (int)left : VEC_LANES);
        }
    }
}

/* The block's rows, in units along N. */
static void copy_along(const desk *b, const float *const *row, float factor, float *to) {
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t unit = 0; unit < b->along; unit += VEC_LANES) {
            int64_t n = unit * UNIT;
            vec_store(to + r * b->along + unit, units_along(row[r] + n, b->work->width - n, factor));
        }
    }
}

/* In units along the rows; 0 for a row past the last. */
static void copy_across(const desk *b, const float *const *row, float *to) {
    for (int64_t r = 0; r < b->rows; r += UNIT) {
        for (int64_t n = 0; n < b->across; n += VEC_LANES) {
            vec part[UNIT];
            for (int i = 0; i < UNIT; i++) {
                part[i] = r + i < b->rows ? load_existing(row[r + i] + n, b->work->width - n) : vec_zero();
            }
            vec_store(to + r / UNIT * b->across + n, units_across(part));
        }
    }
}

/* Both ways. In floats they are one, at one place. */
static void copy_both(const desk *b, const float *const *row, float factor, float *right, float *down) {
    copy_along(b, row, factor, right);
    for (int64_t r = 0; UNIT > 1 && r < b->rows; r += UNIT) {
        for (int64_t n = 0; n < b->across; n += UNIT * VEC_LANES) {
            vec along[UNIT], across[UNIT];
            for (int i = 0; i < UNIT; i++) {
                along[i] = r + i < b->rows ? vec_load(right + (r + i) * b->along + n / UNIT) : vec_zero();
            }
            turn_units(along, across);
            for (int i = 0; i < UNIT && n + i * VEC_LANES < b->across; i++) {
                vec_store(down + r / UNIT * b->across + n + i * VEC_LANES, across[i]);
            }
        }
    }
}

/* ---- the products of a block ---- */

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* score[r, lane] for the lanes that see the row, and those that share a vector with them. */
static void make_scores(const desk *b, const float *right, const float *left, float *score) {
    for (int64_t r = 0; r < b->rows; r += TILE_ROWS) {
        int rows = (int)least(TILE_ROWS, b->rows - r);
        int64_t first = b->first[r] / VEC_LANES * VEC_LANES, last = b->last[r + rows - 1];
        for (int64_t lane = first; lane < last; lane += TILE_LANES) {
            int vectors = (int)least(TILE_VECTORS, (last - lane + VEC_LANES - 1) / VEC_LANES);
            SCORES_TILE(rows, vectors, right + r * b->along, b->along, left + lane, b->padded, b->units, NULL,
                        score + r * b->padded + lane, b->padded);
        }
    }
}

/* sum[lane, n] = factor[lane] sum[lane, n] + sum_r weight[r, lane] down[r, n] over the rows that see lanes, and
   those that share a unit with them, whose weights are 0. */
static void add_weighted(const desk *b, const float *weight, const float *down, const float *factor,
                         float *sum) {
    int64_t begin = 0, end = 0;
    for (int64_t lane = 0; lane < b->lanes; lane += TILE_ROWS) {
        int rows = (int)least(TILE_ROWS, b->lanes - lane);
        while (begin < b->rows && b->last[begin] <= lane) {
            begin++;
        }
        while (end < b->rows && b->first[end] < lane + rows) {
            end++;
        }
        int64_t first = begin / UNIT, units = end > begin ? (end + UNIT - 1) / UNIT - first : 0;
        for (int64_t n = 0; n < b->across; n += TILE_LANES) {
            int vectors = (int)least(TILE_VECTORS, (b->across - n) / VEC_LANES);
            COMBINE_TILE(rows, vectors, weight + first * b->padded + lane, b->padded,
                         down + first * b->across + n, b->across, units, factor + lane,
                         sum + lane * b->across + n, b->across);
        }
    }
}

/* ---- the keys that a tile of queries sees, a block at a time ---- */

typedef struct walk {
    int64_t run, runs;
    hn_cpu_run now;
    int64_t own; /* the first key of the tile's triangle, within the last run */
} walk;

static walk begin_walk(const desk *b) {
    walk w = {.runs = hn_cpu_runs(b->work, b->tile)};
    w.now = hn_cpu_run_at(b->work, b->tile, 0);
    w.own = hn_cpu_run_at(b->work, b->tile, w.runs - 1).last - b->tile->count;
    return w;
}

/* The block's rows; false when there are no keys left. */
static bool next_keys(desk *b, walk *w) {
    const hn_cpu_attention_work *work = b->work;
    b->rows = 0;
    while (b->rows < HN_CPU_BLOCK) {
        if (w->now.first >= w->now.last) {
            if (++w->run >= w->runs) {
                break;
            }
            w->now = hn_cpu_run_at(work, b->tile, w->run);
            continue;
        }
        int64_t key = w->now.first++;
        int64_t past = w->run == w->runs - 1 && key > w->own ? key - w->own : 0;
        b->row[b->rows] = hn_cpu_head(&work->k, key, b->head, work->width);
        b->row2[b->rows] = hn_cpu_head(&work->v, key, b->head, work->width);
        b->first[b->rows] = (int32_t)(past * work->group);
        b->last[b->rows++] = (int32_t)b->padded;
    }
    return b->rows > 0;
}

/* ---- forward ---- */

/* Lanes that don't see a row. */
static void hide(const desk *b, float *score, float value) {
    for (int64_t r = 0; r < b->rows; r++) {
        for (int64_t lane = 0; lane < b->first[r]; lane += VEC_LANES) {
            float *at = score + r * b->padded + lane;
            int64_t hidden = b->first[r] - lane;
            vec_store(at, vec_between(vec_load(at), vec_set(value),
                                      hidden < VEC_LANES ? (int)hidden : VEC_LANES, VEC_LANES));
        }
    }
}

/* Scores, in units of log 2, become weights against the largest so far. lane_a: the largest; lane_b: the sum of
   weights; lane_c: what earlier sums are to be multiplied by. */
static void softmax_block(const desk *b) {
    for (int64_t lane = 0; lane < b->padded; lane += VEC_LANES) {
        float *score = b->score + lane;
        vec before = vec_load(b->lane_a + lane), most = before, total = vec_zero();
        for (int64_t r = 0; r < b->rows; r++) {
            most = vec_max(most, vec_load(score + r * b->padded));
        }
        for (int64_t r = 0; r < b->rows; r += UNIT) {
            vec weight[UNIT];
            for (int i = 0; i < UNIT; i++) {
                weight[i] = vec_zero();
                if (r + i < b->rows) {
                    weight[i] = vec_exp2(vec_load(score + (r + i) * b->padded) - most);
                    total = total + weight[i];
                }
            }
            vec_store(score + r / UNIT * b->padded, units_across(weight));
        }
        vec fade = vec_exp2(before - most);
        vec_store(b->lane_a + lane, most);
        vec_store(b->lane_b + lane, vec_fma(vec_load(b->lane_b + lane), fade, total));
        vec_store(b->lane_c + lane, fade);
    }
}

static void finish_queries(const desk *b) {
    const hn_cpu_attention_work *work = b->work;
    for (int64_t lane = 0; lane < b->lanes; lane++) {
        int64_t t = b->tile->first + lane / work->group, head = b->head * work->group + lane % work->group;
        double sum = (double)b->lane_b[lane];
        work->lse[head * work->lse_stride + t] =
            (float)((double)b->lane_a[lane] * 0x1.62e42fefa39efp-1 + log(sum));
        b->lane_c[lane] = (float)(1.0 / sum);
    }
    rows_out(b, b->sum, &work->o, work->group, b->lane_c, 1.0f);
}

static void attention(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    const hn_cpu_attention_tile *tile = &work->query_tile[item / work->key_heads];
    if (tile->count == 1 && single_fits(work)) {
        attention_single(work, tile, item % work->key_heads, scratch);
        return;
    }
    desk b = set_up(work, tile, item % work->key_heads, tile->count * work->group, scratch);
    transpose_in(&b, &work->q, work->group, work->scale * log2_e, b.left);
    memset(b.sum, 0, (size_t)(b.lanes * b.across) * sizeof(float));
    for (int64_t lane = 0; lane < b.padded; lane++) {
        b.lane_a[lane] = -INFINITY;
        b.lane_b[lane] = 0.0f;
    }
    walk keys = begin_walk(&b);
    while (next_keys(&b, &keys)) {
        copy_along(&b, b.row, 1.0f, b.right);
        copy_across(&b, b.row2, b.down2);
        make_scores(&b, b.right, b.left, b.score);
        hide(&b, b.score, -INFINITY);
        softmax_block(&b);
        add_weighted(&b, b.score, b.down2, b.lane_c, b.sum);
    }
    finish_queries(&b);
}

/* ---- the gradient of queries ---- */

/* score2 (dout v) becomes d loss / d score. lane_a: lse in units of log 2; lane_b: delta. */
static void slopes_by_lane(const desk *b) {
    for (int64_t lane = 0; lane < b->padded; lane += VEC_LANES) {
        vec lse = vec_load(b->lane_a + lane), delta = vec_load(b->lane_b + lane);
        for (int64_t r = 0; r < b->rows; r += UNIT) {
            vec slope[UNIT];
            for (int i = 0; i < UNIT; i++) {
                slope[i] = vec_zero();
                if (r + i < b->rows) {
                    int64_t at = (r + i) * b->padded + lane;
                    vec weight = vec_exp2(vec_load(b->score + at) - lse);
                    slope[i] = weight * (vec_load(b->score2 + at) - delta);
                }
            }
            vec_store(b->score2 + r / UNIT * b->padded + lane, units_across(slope));
        }
    }
}

static void ones(float *at, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        at[i] = 1.0f;
    }
}

static void attention_query_gradient(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    const hn_cpu_attention_tile *tile = &work->query_tile[item / work->key_heads];
    desk b = set_up(work, tile, item % work->key_heads, tile->count * work->group, scratch);
    transpose_in(&b, &work->q, work->group, work->scale * log2_e, b.left);
    transpose_in(&b, &work->dout, work->group, 1.0f, b.left2);
    memset(b.sum, 0, (size_t)(b.lanes * b.across) * sizeof(float));
    memset(b.lane_a, 0, (size_t)b.padded * sizeof(float));
    memset(b.lane_b, 0, (size_t)b.padded * sizeof(float));
    ones(b.lane_c, b.padded);
    for (int64_t lane = 0; lane < b.lanes; lane++) {
        int64_t t = tile->first + lane / work->group, head = b.head * work->group + lane % work->group;
        b.lane_a[lane] = work->lse[head * work->lse_stride + t] * log2_e;
        b.lane_b[lane] = work->delta[head * work->delta_stride + t];
    }
    walk keys = begin_walk(&b);
    while (next_keys(&b, &keys)) {
        copy_both(&b, b.row, 1.0f, b.right, b.down);
        copy_along(&b, b.row2, 1.0f, b.right2);
        make_scores(&b, b.right, b.left, b.score);
        make_scores(&b, b.right2, b.left2, b.score2);
        hide(&b, b.score, -INFINITY);
        hide(&b, b.score2, 0.0f);
        slopes_by_lane(&b);
        add_weighted(&b, b.score2, b.down, b.lane_c, b.sum);
    }
    rows_out(&b, b.sum, &work->dq, work->group, NULL, work->scale);
}

/* ---- the gradient of keys: lanes are keys, rows are queries with their heads ---- */

/* Rows from `next` on, of all that see the tile; false when there are none left. */
static bool next_queries(desk *b, int64_t *next) {
    const hn_cpu_attention_work *work = b->work;
    int64_t queries = hn_cpu_segment(work, b->tile->segment)->subtree_end - (int64_t)b->tile->first;
    b->rows = least(HN_CPU_BLOCK, queries * work->group - *next);
    for (int64_t r = 0; r < b->rows; r++, ++*next) {
        int64_t i = *next / work->group, t = b->tile->first + i;
        int64_t head = b->head * work->group + *next % work->group;
        b->row[r] = hn_cpu_head(&work->q, t, head, work->width);
        b->row2[r] = hn_cpu_head(&work->dout, t, head, work->width);
        b->row_a[r] = work->lse[head * work->lse_stride + t] * log2_e;
        b->row_b[r] = work->delta[head * work->delta_stride + t];
        b->first[r] = 0;
        b->last[r] = (int32_t)least(i + 1, b->lanes);
    }
    return b->rows > 0;
}

/* What row r weighs the lanes from `lane` on by, and d loss / d score; both 0 past the lanes that it sees. */
static void slope_at(const desk *b, int64_t r, int64_t lane, vec *weight, vec *slope) {
    int64_t at = r * b->padded + lane, seen = r < b->rows ? b->last[r] - lane : 0;
    int count = seen >= VEC_LANES ? VEC_LANES : seen > 0 ? (int)seen : 0;
    *weight = *slope = vec_zero();
    if (count > 0) {
        vec p = vec_exp2(vec_load(b->score + at) - vec_set(b->row_a[r]));
        vec ds = p * (vec_load(b->score2 + at) - vec_set(b->row_b[r]));
        *weight = vec_between(p, vec_zero(), 0, count);
        *slope = vec_between(ds, vec_zero(), 0, count);
    }
}

/* score becomes weights, score2 (dout v) d loss / d score. */
static void slopes_by_row(const desk *b) {
    for (int64_t r = 0; r < b->rows; r += UNIT) {
        for (int64_t lane = 0; lane < b->padded; lane += VEC_LANES) {
            vec weight[UNIT], slope[UNIT];
            for (int i = 0; i < UNIT; i++) {
                slope_at(b, r + i, lane, &weight[i], &slope[i]);
            }
            int64_t to = r / UNIT * b->padded + lane;
            vec_store(b->score + to, units_across(weight));
            vec_store(b->score2 + to, units_across(slope));
        }
    }
}

/* Which factor of a score takes its factor (scale, and units of log 2). Rounding it must give the numbers that
   the forward's lse was made from, or weights would not sum to 1: where units are rounded, it goes to queries, as
   there. */
typedef struct score_factor {
    float key, query, out; /* out: what d score is to be multiplied by when it has weighed queries */
} score_factor;

static score_factor key_gradient_factor(const hn_cpu_attention_work *work) {
    float factor = work->scale * log2_e;
    return UNIT == 1 ? (score_factor){factor, 1.0f, work->scale}
                     : (score_factor){1.0f, factor, 0x1.62e43p-1f};
}

static void attention_key_gradient(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    const hn_cpu_attention_tile *tile = &work->key_tile[item / work->key_heads];
    desk b = set_up(work, tile, item % work->key_heads, tile->count, scratch);
    score_factor factor = key_gradient_factor(work);
    transpose_in(&b, &work->k, 1, factor.key, b.left);
    transpose_in(&b, &work->v, 1, 1.0f, b.left2);
    memset(b.sum, 0, (size_t)(b.lanes * b.across) * sizeof(float));
    memset(b.sum2, 0, (size_t)(b.lanes * b.across) * sizeof(float));
    ones(b.lane_c, b.padded);
    int64_t next = 0;
    while (next_queries(&b, &next)) {
        copy_both(&b, b.row, factor.query, b.right, b.down);
        copy_both(&b, b.row2, 1.0f, b.right2, b.down2);
        make_scores(&b, b.right, b.left, b.score);
        make_scores(&b, b.right2, b.left2, b.score2);
        slopes_by_row(&b);
        add_weighted(&b, b.score2, b.down, b.lane_c, b.sum);
        add_weighted(&b, b.score, b.down2, b.lane_c, b.sum2);
    }
    rows_out(&b, b.sum, &work->dk, 1, NULL, factor.out);
    rows_out(&b, b.sum2, &work->dv, 1, NULL, 1.0f);
}

#endif
