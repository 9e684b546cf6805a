#include "../bound.h"
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int64_t sizes[][4] = {
    /* T, U, V, D: nothing and one; odd; around vector widths; several blocks of vocabulary and of rows */
    {3, 0, 5, 4},        {1, 1, 1, 1},       {2, 1, 2, 3},     {5, 3, 7, 5},      {9, 9, 15, 8},
    {8, 5, 16, 16},      {17, 11, 17, 9},    {33, 20, 33, 31}, {6, 6, 63, 64},    {40, 17, 64, 65},
    {20, 15, 65, 33},    {12, 3, 100, 1},    {70, 65, 129, 7}, {30, 16, 257, 40}, {5, 2, 1000, 48},
    {150, 131, 300, 24}, {40, 33, 2100, 16}, {9, 4, 5003, 12},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* ---- inputs: h, w, row, begin, target, in the same places of both operations ---- */

/* U of T rows, increasing. */
static void set_rows(cf_case *it, double *row, int64_t T, int64_t U) {
    int64_t at = 0;

    for (int64_t t = 0; t < T && at < U; t++) {
        if (cf_between(&it->random, 1, T - t) <= U - at)
            row[at++] = (double)t;
    }
}

/* Spans of none, one or several targets; the number of targets. */
static int64_t set_spans(cf_case *it, double *begin, int64_t U) {
    for (int64_t u = 0; u < U; u++) {
        const int64_t kind = cf_between(&it->random, 0, 5);
        begin[u + 1] = begin[u] + (double)(kind == 0 ? 0 : kind == 1 ? cf_between(&it->random, 2, 5) : 1);
    }
    return (int64_t)begin[U];
}

static int64_t declare_inputs(cf_case *it, const int64_t size[4]) {
    const int64_t T = size[0], U = size[1], V = size[2], D = size[3];
    /* Small logits, ordinary ones, and ones that overflow exp without its maximum. */
    static const double factors[] = {0.1, 1, 60};

    cf_multiply(cf_input(it, HONE_HEAD_LOGP_H, cf_shape2(T, D)), T * D, factors[it->number % 3]);
    (void)cf_weights(it, HONE_HEAD_LOGP_W, cf_shape2(V, D));
    set_rows(it, cf_index(it, HONE_HEAD_LOGP_ROW, cf_shape1(U)), T, U);
    const int64_t E = set_spans(it, cf_index(it, HONE_HEAD_LOGP_BEGIN, cf_shape1(U + 1)), U);
    double *target = cf_index(it, HONE_HEAD_LOGP_TARGET, cf_shape1(E));
    for (int64_t e = 0; e < E; e++)
        target[e] = e % 5 == 1 ? target[e - 1] : (double)cf_between(&it->random, 0, V - 1);
    return E;
}

/* ---- bounds ---- */

static const double *row_of(const cf_case *it, int64_t u) {
    return it->operand[HONE_HEAD_LOGP_H].value +
           (int64_t)it->operand[HONE_HEAD_LOGP_ROW].value[u] * cf_extent(it, HONE_HEAD_LOGP_H, 1);
}

/* |z[u,v]| is at most this, by Cauchy and Schwarz. */
static double largest_logit(const cf_case *it, int64_t u, double largest_w) {
    return cf_norm(row_of(it, u), cf_extent(it, HONE_HEAD_LOGP_H, 1)) * largest_w;
}

static double largest_w(const cf_case *it) {
    return cf_largest_norm(it->operand[HONE_HEAD_LOGP_W].value, cf_extent(it, HONE_HEAD_LOGP_W, 0),
                           cf_extent(it, HONE_HEAD_LOGP_W, 1));
}

/* A logit is a sum of D products, off by d; lse by d + cf_sum(V) and its rounding; logp by both. */
static void bound(cf_case *it) {
    const int64_t V = cf_extent(it, HONE_HEAD_LOGP_W, 0), D = cf_extent(it, HONE_HEAD_LOGP_H, 1);
    const double *begin = it->operand[HONE_HEAD_LOGP_BEGIN].value;
    const double w = largest_w(it);

    for (int64_t u = 0; u < cf_extent(it, HONE_HEAD_LOGP_ROW, 0); u++) {
        const double z = largest_logit(it, u, w);
        const double lse = fabs(it->operand[HONE_HEAD_LOGP_LSE].want[u]);
        const double d = cf_sum(it, D) * z;
        it->operand[HONE_HEAD_LOGP_LSE].bound[u] = d + cf_sum(it, V) + 2 * cf_epsilon(it) * lse;
        for (int64_t e = (int64_t)begin[u]; e < (int64_t)begin[u + 1]; e++)
            it->operand[HONE_HEAD_LOGP_LOGP].bound[e] =
                2 * d + cf_sum(it, V) + 2 * cf_epsilon(it) * (lse + z);
    }
}

void cf_head_logp(cf_suite *suite) {
    for (int i = 0; i < 6 * SIZES; i++) {
        cf_case it;
        cf_begin(suite, &it);
        const int64_t E = declare_inputs(&it, sizes[i % SIZES]);
        cf_output(&it, HONE_HEAD_LOGP_LOGP, cf_shape1(E), false);
        cf_output(&it, HONE_HEAD_LOGP_LSE, cf_shape1(sizes[i % SIZES][1]), false);
        cf_end(suite, &it, bound);
    }
}

/* ---- backward ---- */

/* The magnitude of dz[u,v]: what pulls at the target, and what pushes at all. */
static double logit_gradient(const cf_case *it, int64_t u, int64_t v, double p) {
    const double *begin = it->operand[HONE_HEAD_LOGP_BACKWARD_BEGIN].value;
    double sum = 0, direct = 0;

    for (int64_t e = (int64_t)begin[u]; e < (int64_t)begin[u + 1]; e++) {
        const double g = fabs(it->operand[HONE_HEAD_LOGP_BACKWARD_G].value[e]);
        sum += g;
        if ((int64_t)it->operand[HONE_HEAD_LOGP_BACKWARD_TARGET].value[e] == v)
            direct += g;
    }
    return direct + sum * p;
}

static double probability(const cf_case *it, int64_t u, int64_t v) {
    const int64_t D = cf_extent(it, HONE_HEAD_LOGP_BACKWARD_H, 1);
    const double *h = row_of(it, u), *w = it->operand[HONE_HEAD_LOGP_BACKWARD_W].value + v * D;
    double z = 0;

    for (int64_t d = 0; d < D; d++)
        z += h[d] * w[d];
    return exp(z - it->operand[HONE_HEAD_LOGP_BACKWARD_LSE].value[u]);
}

/* One row's share: dh sums V such terms, dw one per row; both are off by r, the relative error of exp(z - lse). */
static void bound_row(cf_case *it, int64_t u, double r) {
    const int64_t V = cf_extent(it, HONE_HEAD_LOGP_BACKWARD_W, 0),
                  D = cf_extent(it, HONE_HEAD_LOGP_BACKWARD_H, 1);
    const int64_t U = cf_extent(it, HONE_HEAD_LOGP_BACKWARD_ROW, 0);
    const int64_t t = (int64_t)it->operand[HONE_HEAD_LOGP_BACKWARD_ROW].value[u];
    const double *h = row_of(it, u);
    double *dh = it->operand[HONE_HEAD_LOGP_BACKWARD_DH].bound,
           *dw = it->operand[HONE_HEAD_LOGP_BACKWARD_DW].bound;

    for (int64_t v = 0; v < V; v++) {
        const double dz = logit_gradient(it, u, v, probability(it, u, v));
        const double *w = it->operand[HONE_HEAD_LOGP_BACKWARD_W].value + v * D;
        for (int64_t d = 0; d < D; d++) {
            if (dh != NULL)
                dh[t * D + d] += (r + cf_sum(it, V)) * dz * fabs(w[d]);
            if (dw != NULL)
                dw[v * D + d] += (r + cf_sum(it, U)) * dz * fabs(h[d]);
        }
    }
}

static void backward_bound(cf_case *it) {
    const double e = cf_epsilon(it), w = largest_w(it);

    for (int64_t u = 0; u < cf_extent(it, HONE_HEAD_LOGP_BACKWARD_ROW, 0); u++) {
        const double z = largest_logit(it, u, w);
        const double lse = fabs(it->operand[HONE_HEAD_LOGP_BACKWARD_LSE].value[u]);
        bound_row(it, u,
                  cf_sum(it, cf_extent(it, HONE_HEAD_LOGP_BACKWARD_H, 1)) * z + 2 * e * (z + lse) + 8 * e);
    }
    if (it->operand[HONE_HEAD_LOGP_BACKWARD_DH].present)
        cf_bound_accumulate(it, HONE_HEAD_LOGP_BACKWARD_DH);
    if (it->operand[HONE_HEAD_LOGP_BACKWARD_DW].present)
        cf_bound_accumulate(it, HONE_HEAD_LOGP_BACKWARD_DW);
}

/* lse as the forward leaves it: on the same inputs, the oracle's. */
static void take_forward(cf_case *it, int64_t U, int64_t E) {
    cf_case forward;

    cf_case_begin(&forward, HONE_OP_HEAD_LOGP, it->number, it->dtype, 1);
    for (int i = 0; i <= HONE_HEAD_LOGP_TARGET; i++)
        forward.operand[i] = it->operand[i];
    cf_output(&forward, HONE_HEAD_LOGP_LOGP, cf_shape1(E), false);
    cf_output(&forward, HONE_HEAD_LOGP_LSE, cf_shape1(U), false);
    if (!cf_expect(&forward))
        abort();
    memcpy(cf_input(it, HONE_HEAD_LOGP_BACKWARD_LSE, cf_shape1(U)), forward.operand[HONE_HEAD_LOGP_LSE].want,
           (size_t)U * sizeof(double));
    for (int i = 0; i <= HONE_HEAD_LOGP_TARGET; i++)
        forward.operand[i] = (cf_operand){0}; /* they belong to `it` */
    cf_case_end(&forward);
}

static void one_backward(cf_suite *suite, const int64_t size[4], int dh, int dw) {
    cf_case it;

    cf_begin(suite, &it);
    const int64_t E = declare_inputs(&it, size);
    take_forward(&it, size[1], E);
    (void)cf_input(&it, HONE_HEAD_LOGP_BACKWARD_G, cf_shape1(E));
    if (dh > 0)
        cf_output(&it, HONE_HEAD_LOGP_BACKWARD_DH, cf_shape2(size[0], size[3]), dh == 2);
    if (dw > 0)
        cf_output(&it, HONE_HEAD_LOGP_BACKWARD_DW, cf_shape2(size[2], size[3]), dw == 2);
    cf_end(suite, &it, backward_bound);
}

void cf_head_logp_backward(cf_suite *suite) {
    /* dh and dw absent, overwritten, added to. */
    for (int combination = 1; combination < 9; combination++) {
        for (int i = 0; i < SIZES; i++)
            one_backward(suite, sizes[i], combination % 3, combination / 3);
    }
}
