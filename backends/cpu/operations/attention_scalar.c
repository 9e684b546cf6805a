/** Attention by the definition, one query and head at a time. */
#include "attention.h"

#include "scalar.h"

#include <math.h>
#include <string.h>

float hn_cpu_dot_scalar(const float *a, const float *b, int64_t n) {
    double sum = 0.0;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
    }
    return (float)sum;
}

static void add_scaled(float *y, float factor, const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        y[i] += factor * x[i];
    }
}

/* One query of one head, and the keys that it sees. */
typedef struct view {
    const hn_cpu_attention_work *work;
    const hn_cpu_attention_tile *tile;
    int64_t t, head, key_head;
    const float *q;
} view;

static view look(const hn_cpu_attention_work *work, int64_t item, int64_t i, int64_t g) {
    view at = {
        .work = work, .tile = &work->query_tile[item / work->key_heads], .key_head = item % work->key_heads};
    at.t = at.tile->first + i;
    at.head = at.key_head * work->group + g;
    at.q = hn_cpu_head(&work->q, at.t, at.head, work->width);
    return at;
}

/* The run as this query sees it: of its own segment's keys, none after its own. */
static hn_cpu_run visible(const view *at, int64_t index) {
    hn_cpu_run run = hn_cpu_run_at(at->work, at->tile, index);
    if (index == hn_cpu_runs(at->work, at->tile) - 1) {
        run.last -= at->tile->first + at->tile->count - 1 - at->t;
    }
    return run;
}

static float score(const view *at, int64_t key) {
    const hn_cpu_attention_work *work = at->work;
    return work->scale *
           hn_cpu_dot_scalar(at->q, hn_cpu_head(&work->k, key, at->key_head, work->width), work->width);
}

static float largest_score(const view *at) {
    float most = -INFINITY;
    for (int64_t i = 0; i < hn_cpu_runs(at->work, at->tile); i++) {
        hn_cpu_run run = visible(at, i);
        for (int64_t key = run.first; key < run.last; key++) {
            float value = score(at, key);
            most = value > most ? value : most;
        }
    }
    return most;
}

static void attend(const view *at) {
    const hn_cpu_attention_work *work = at->work;
    float *o = hn_cpu_head(&work->o, at->t, at->head, work->width);
    float most = largest_score(at);
    double sum = 0.0;
    memset(o, 0, (size_t)work->width * sizeof(float));
    for (int64_t i = 0; i < hn_cpu_runs(work, at->tile); i++) {
        hn_cpu_run run = visible(at, i);
        for (int64_t key = run.first; key < run.last; key++) {
            float p = expf(score(at, key) - most);
            sum += (double)p;
            add_scaled(o, p, hn_cpu_head(&work->v, key, at->key_head, work->width), work->width);
        }
    }
    for (int64_t n = 0; n < work->width; n++) {
        o[n] = (float)((double)o[n] / sum);
    }
    work->lse[at->head * work->lse_stride + at->t] = (float)((double)most + log(sum));
}

void hn_cpu_attention_scalar(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    (void)scratch;
    for (int64_t i = 0; i < work->query_tile[item / work->key_heads].count; i++) {
        for (int64_t g = 0; g < work->group; g++) {
            view at = look(work, item, i, g);
            attend(&at);
        }
    }
}

/* ---- backward ---- */

/* The probability of a key, and d loss / d score. */
typedef struct gradient {
    float p, ds;
} gradient;

static gradient gradient_at(const view *at, int64_t key) {
    const hn_cpu_attention_work *work = at->work;
    const float *dout = hn_cpu_head(&work->dout, at->t, at->head, work->width);
    const float *v = hn_cpu_head(&work->v, key, at->key_head, work->width);
    gradient result;
    result.p = expf(score(at, key) - work->lse[at->head * work->lse_stride + at->t]);
    result.ds = result.p * (hn_cpu_dot_scalar(dout, v, work->width) -
                            work->delta[at->head * work->delta_stride + at->t]);
    return result;
}

static void query_gradient(const view *at) {
    const hn_cpu_attention_work *work = at->work;
    float *dq = hn_cpu_head(&work->dq, at->t, at->head, work->width);
    memset(dq, 0, (size_t)work->width * sizeof(float));
    for (int64_t i = 0; i < hn_cpu_runs(work, at->tile); i++) {
        hn_cpu_run run = visible(at, i);
        for (int64_t key = run.first; key < run.last; key++) {
            float factor = work->scale * gradient_at(at, key).ds;
            add_scaled(dq, factor, hn_cpu_head(&work->k, key, at->key_head, work->width), work->width);
        }
    }
}

void hn_cpu_attention_query_gradient_scalar(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    (void)scratch;
    for (int64_t i = 0; i < work->query_tile[item / work->key_heads].count; i++) {
        for (int64_t g = 0; g < work->group; g++) {
            view at = look(work, item, i, g);
            query_gradient(&at);
        }
    }
}

/* A key is seen by the queries from its own to the end of its segment's subtree. */
static void key_gradient(const hn_cpu_attention_work *work, const hn_cpu_attention_tile *tile, int64_t key,
                         int64_t key_head) {
    float *dk = hn_cpu_head(&work->dk, key, key_head, work->width);
    float *dv = hn_cpu_head(&work->dv, key, key_head, work->width);
    memset(dk, 0, (size_t)work->width * sizeof(float));
    memset(dv, 0, (size_t)work->width * sizeof(float));
    for (int64_t t = key; t < hn_cpu_segment(work, tile->segment)->subtree_end; t++) {
        for (int64_t head = key_head * work->group; head < (key_head + 1) * work->group; head++) {
            view at = {.work = work, .t = t, .head = head, .key_head = key_head};
            at.q = hn_cpu_head(&work->q, t, head, work->width);
            gradient d = gradient_at(&at, key);
            add_scaled(dk, work->scale * d.ds, at.q, work->width);
            add_scaled(dv, d.p, hn_cpu_head(&work->dout, t, head, work->width), work->width);
        }
    }
}

void hn_cpu_attention_key_gradient_scalar(const hn_cpu_attention_work *work, int64_t item, float *scratch) {
    (void)scratch;
    const hn_cpu_attention_tile *tile = &work->key_tile[item / work->key_heads];
    for (int64_t i = 0; i < tile->count; i++) {
        key_gradient(work, tile, tile->first + i, item % work->key_heads);
    }
}
