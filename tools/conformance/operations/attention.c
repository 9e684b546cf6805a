#include "../bound.h"
#include "../suite.h"
#include "segments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct heads {
    int64_t H, K, N;
} heads;

static const heads head_shapes[] = {{1, 1, 8},  {2, 1, 16},  {3, 3, 1},  {4, 2, 5},  {6, 2, 33}, {9, 3, 64},
                                    {2, 2, 80}, {1, 1, 128}, {5, 1, 24}, {4, 4, 32}, {8, 2, 2}};
enum { HEADS = sizeof head_shapes / sizeof *head_shapes };

/* Packs: tokens, and the longest unbranched run. */
static const int64_t packs[][2] = {{0, 1},   {1, 1},   {2, 2},   {3, 1},    {7, 3},     {8, 8},    {16, 5},
                                   {17, 17}, {31, 4},  {33, 40}, {40, 2},   {64, 64},   {65, 65},  {70, 12},
                                   {63, 1},  {97, 30}, {128, 9}, {129, 70}, {160, 160}, {200, 50}, {260, 90}};
enum { PACKS = sizeof packs / sizeof *packs };

static cf_segments segments; /* large, and one at a time */

/* ---- inputs ---- */

/* Ordinary scores, then ones so sharp that exp would overflow or vanish without its maximum. */
static double score_scale(int number, int64_t N) {
    const double ordinary = 1 / sqrt((double)N);

    return number % 7 == 3 ? 40 * ordinary : number % 7 == 5 ? -ordinary : ordinary;
}

static void declare_inputs(cf_case *it, const heads *h) {
    (void)cf_input(it, HONE_ATTENTION_Q, cf_shape3(segments.queries, h->H, h->N));
    (void)cf_input(it, HONE_ATTENTION_K, cf_shape3(segments.keys, h->K, h->N));
    (void)cf_input(it, HONE_ATTENTION_V, cf_shape3(segments.keys, h->K, h->N));
    cf_segments_declare(&segments, it);
    it->params.scale.scale = score_scale(it->number, h->N);
    it->has_params = true;
}

static void declare_outputs(cf_case *it, const heads *h) {
    cf_output(it, HONE_ATTENTION_O, cf_shape3(segments.queries, h->H, h->N), false);
    cf_output(it, HONE_ATTENTION_LSE, cf_shape2(h->H, segments.queries), false);
}

/* Rows of a cache that no query sees may hold anything, NaN included. */
static void poison_unseen(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_ATTENTION_Q, 0), C = cf_extent(it, HONE_ATTENTION_K, 0);
    const int64_t width = cf_width(&it->operand[HONE_ATTENTION_K].shape);
    unsigned char *seen = cf_visibility(it);

    for (int64_t j = 0; j < C; j++) {
        bool any = false;
        for (int64_t t = 0; t < T; t++)
            any = any || seen[t * C + j] != 0;
        for (int64_t i = 0; !any && i < width; i++) {
            it->operand[HONE_ATTENTION_K].value[j * width + i] = (double)NAN;
            it->operand[HONE_ATTENTION_V].value[j * width + i] = (double)NAN;
        }
    }
    free(seen);
}

/* ---- bounds ---- */

/* How far a score of head h, query t, may be off: a sum of N products, bounded by Cauchy and Schwarz. */
static double score_error(const cf_case *it, int64_t t, int64_t h, double largest_key) {
    const int64_t H = cf_extent(it, HONE_ATTENTION_Q, 1), N = cf_extent(it, HONE_ATTENTION_Q, 2);
    const double *q = it->operand[HONE_ATTENTION_Q].value + (t * H + h) * N;

    return (cf_sum(it, N) + 2 * cf_epsilon(it)) * fabs(it->params.scale.scale) * cf_norm(q, N) * largest_key;
}

static double largest_seen_key(const cf_case *it) {
    const int64_t N = cf_extent(it, HONE_ATTENTION_K, 2);
    const int64_t rows = cf_extent(it, HONE_ATTENTION_K, 0) * cf_extent(it, HONE_ATTENTION_K, 1);
    double largest = 0;

    for (int64_t i = 0; i < rows; i++) /* fmax ignores the NaN of unseen rows */
        largest = fmax(largest, cf_norm(it->operand[HONE_ATTENTION_K].value + i * N, N));
    return largest;
}

/* sum_j p_j |v_j| into the bound of o: the oracle on absolute values of v. */
static void output_magnitudes(cf_case *it) {
    cf_case absolute = *it;
    cf_operand *v = &absolute.operand[HONE_ATTENTION_V];
    const int64_t count = cf_count(&v->shape);

    v->value = malloc((size_t)(count + 1) * sizeof(double));
    if (v->value == NULL)
        abort();
    for (int64_t i = 0; i < count; i++)
        v->value[i] = fabs(it->operand[HONE_ATTENTION_V].value[i]);
    absolute.operand[HONE_ATTENTION_O].want = it->operand[HONE_ATTENTION_O].bound;
    absolute.operand[HONE_ATTENTION_LSE].want = it->operand[HONE_ATTENTION_LSE].bound;
    if (!cf_expect(&absolute))
        abort();
    free(v->value);
}

/* With d the error of a score: weights and their sum are off by factors of up to e^d (d may be large where operands
 * are rounded and scores are sharp), and each sum by its own error relatively. So o by e^2d - 1 + 2 cf_sum(C) times
 * sum p |v|, and lse by d and the sum of weights (no products: in full) absolutely, and by its own rounding. */
static void bound(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_ATTENTION_Q, 0), H = cf_extent(it, HONE_ATTENTION_Q, 1);
    const int64_t N = cf_extent(it, HONE_ATTENTION_Q, 2), C = cf_extent(it, HONE_ATTENTION_K, 0);
    const double key = largest_seen_key(it);
    double *o = it->operand[HONE_ATTENTION_O].bound, *lse = it->operand[HONE_ATTENTION_LSE].bound;
    unsigned char *covered = cf_coverage(it);

    output_magnitudes(it);
    for (int64_t i = 0; i < T * H; i++) {
        const int64_t t = i / H, h = i % H;
        const double d = score_error(it, t, h, key);
        for (int64_t n = 0; n < N; n++)
            o[i * N + n] = covered[t] ? (expm1(2 * d) + 2 * cf_sum(it, C)) * o[i * N + n] : CF_UNTOUCHED;
        lse[h * T + t] = covered[t]
                             ? d + cf_plain_sum(it, C) +
                                   2 * cf_epsilon(it) * fabs(it->operand[HONE_ATTENTION_LSE].want[h * T + t])
                             : CF_UNTOUCHED;
    }
    free(covered);
}

/* ---- forward ---- */

static void one_pack(cf_suite *suite, const int64_t pack[2], const heads *h) {
    cf_case it;

    cf_begin(suite, &it);
    cf_segments_trie(&segments, &it.random, pack[0], pack[1]);
    declare_inputs(&it, h);
    declare_outputs(&it, h);
    (void)strcpy(it.note, "pack");
    cf_end(suite, &it, bound);
}

static void one_cache(cf_suite *suite, int branches, int64_t prompt, int64_t history, const heads *h) {
    cf_case it;

    cf_begin(suite, &it);
    cf_segments_cache(&segments, &it.random, branches, prompt, history);
    declare_inputs(&it, h);
    poison_unseen(&it);
    declare_outputs(&it, h);
    (void)strcpy(it.note, "cache");
    cf_end(suite, &it, bound);
}

void cf_attention(cf_suite *suite) {
    static const int64_t caches[][3] = {/* branches, prompt, history */
                                        {1, 0, 0},   {1, 1, 0},   {1, 17, 5},  {3, 8, 4},    {5, 33, 20},
                                        {8, 64, 70}, {2, 200, 3}, {16, 7, 40}, {4, 129, 64}, {6, 0, 90}};
    for (int i = 0; i < 4 * PACKS; i++)
        one_pack(suite, packs[i % PACKS], &head_shapes[i % HEADS]);
    for (int i = 0; i < 40; i++)
        one_cache(suite, (int)caches[i % 10][0], caches[i % 10][1], caches[i % 10][2],
                  &head_shapes[(i + i / 10) % HEADS]);
}

/* ---- backward ---- */

typedef struct backward {
    int64_t T, H, K, N;
    double sum, epsilon; /* cf_sum of the longest sum */
    const double *q, *k, *v, *o, *dout, *lse;
    double *dq, *dk, *dv;
} backward;

static double dot(const double *x, const double *y, int64_t n) {
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static double dot_magnitude(const double *x, const double *y, int64_t n) {
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += fabs(x[i] * y[i]);
    return sum;
}

/* p is off by r relatively, ds = p (do v - do o) by r and cf_sum(N) of p (|do||v| + |do||o|), and each gradient is a sum
 * over keys or queries of such terms. */
static void bound_pair(const backward *b, const cf_case *it, int64_t t, int64_t j, int64_t h, double r) {
    const int64_t query = (t * b->H + h) * b->N, key = (j * b->K + h / (b->H / b->K)) * b->N;
    const double scale = it->params.scale.scale;
    const double p = exp(scale * dot(b->q + query, b->k + key, b->N) - b->lse[h * b->T + t]);
    const double ds = fabs(scale) * p *
                      (dot_magnitude(b->dout + query, b->v + key, b->N) +
                       dot_magnitude(b->dout + query, b->o + query, b->N));

    const double off = (1 + r) * (1 + b->sum) - 1;

    for (int64_t n = 0; n < b->N; n++) {
        b->dq[query + n] += off * ds * fabs(b->k[key + n]);
        b->dk[key + n] += off * ds * fabs(b->q[query + n]);
        b->dv[key + n] += off * p * fabs(b->dout[query + n]);
    }
}

static backward backward_of(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_ATTENTION_Q, 0), H = cf_extent(it, HONE_ATTENTION_Q, 1);
    const int64_t N = cf_extent(it, HONE_ATTENTION_Q, 2);

    return (backward){
        .T = T,
        .H = H,
        .K = cf_extent(it, HONE_ATTENTION_K, 1),
        .N = N,
        .sum = cf_sum(it, N) + cf_sum(it, T * H),
        .epsilon = cf_epsilon(it),
        .q = it->operand[HONE_ATTENTION_BACKWARD_Q].value,
        .k = it->operand[HONE_ATTENTION_BACKWARD_K].value,
        .v = it->operand[HONE_ATTENTION_BACKWARD_V].value,
        .o = it->operand[HONE_ATTENTION_BACKWARD_O].value,
        .dout = it->operand[HONE_ATTENTION_BACKWARD_DO].value,
        .lse = it->operand[HONE_ATTENTION_BACKWARD_LSE].value,
        .dq = it->operand[HONE_ATTENTION_BACKWARD_DQ].bound,
        .dk = it->operand[HONE_ATTENTION_BACKWARD_DK].bound,
        .dv = it->operand[HONE_ATTENTION_BACKWARD_DV].bound,
    };
}

static void backward_bound(cf_case *it) {
    const backward b = backward_of(it);
    const double key = largest_seen_key(it);
    cf_operand *delta = &it->operand[HONE_ATTENTION_BACKWARD_DELTA];
    unsigned char *seen = cf_visibility(it);

    for (int64_t t = 0; t < b.T; t++) {
        for (int64_t h = 0; h < b.H; h++) {
            /* exp(s - lse): the score's error, and the rounding of a difference of large numbers */
            const double d = score_error(it, t, h, key);
            const double r = expm1(d) + 4 * b.epsilon * fabs(b.lse[h * b.T + t]) + 8 * b.epsilon;
            for (int64_t j = 0; j < b.T; j++) {
                if (seen[t * b.T + j])
                    bound_pair(&b, it, t, j, h, r);
            }
        }
    }
    for (int64_t i = 0; i < cf_count(&delta->shape); i++)
        delta->bound[i] = CF_ANYTHING;
    free(seen);
}

/* o and lse as the forward leaves them: its wants become inputs. */
static void take_forward(cf_case *it, const heads *h) {
    cf_case forward;

    cf_case_begin(&forward, HONE_OP_ATTENTION, it->number, it->dtype, 1);
    declare_inputs(&forward, h);
    declare_outputs(&forward, h);
    for (int i = 0; i <= HONE_ATTENTION_V; i++)
        memcpy(forward.operand[i].value, it->operand[i].value,
               (size_t)cf_count(&it->operand[i].shape) * sizeof(double));
    if (!cf_expect(&forward))
        abort();
    double *o = cf_input(it, HONE_ATTENTION_BACKWARD_O, forward.operand[HONE_ATTENTION_O].shape);
    double *lse = cf_input(it, HONE_ATTENTION_BACKWARD_LSE, forward.operand[HONE_ATTENTION_LSE].shape);
    memcpy(o, forward.operand[HONE_ATTENTION_O].want,
           (size_t)cf_count(&forward.operand[HONE_ATTENTION_O].shape) * sizeof(double));
    memcpy(lse, forward.operand[HONE_ATTENTION_LSE].want,
           (size_t)cf_count(&forward.operand[HONE_ATTENTION_LSE].shape) * sizeof(double));
    cf_case_end(&forward);
}

static void one_backward(cf_suite *suite, const int64_t pack[2], const heads *h) {
    cf_case it;

    cf_begin(suite, &it);
    cf_segments_trie(&segments, &it.random, pack[0], pack[1]);
    declare_inputs(&it, h);
    take_forward(&it, h);
    const cf_shape queries = it.operand[HONE_ATTENTION_BACKWARD_Q].shape;
    const cf_shape keys = it.operand[HONE_ATTENTION_BACKWARD_K].shape;
    (void)cf_input(&it, HONE_ATTENTION_BACKWARD_DO, queries);
    cf_output(&it, HONE_ATTENTION_BACKWARD_DELTA, cf_shape2(h->H, segments.queries), false);
    cf_output(&it, HONE_ATTENTION_BACKWARD_DQ, queries, false);
    cf_output(&it, HONE_ATTENTION_BACKWARD_DK, keys, false);
    cf_output(&it, HONE_ATTENTION_BACKWARD_DV, keys, false);
    cf_end(suite, &it, backward_bound);
}

void cf_attention_backward(cf_suite *suite) {
    for (int i = 0; i < 4 * PACKS; i++)
        one_backward(suite, packs[i % PACKS], &head_shapes[i % HEADS]);
}
