#include "oracle.h"

#include <math.h>

/* The operands that forward and backward share, by name. */
typedef struct attention {
    int64_t T, C, H, K, N, S;
    double scale;
    const double *q, *k, *v, *segment, *range;
} attention;

static attention shared(const oracle_call *call) {
    /* Both operations begin with q, k, v, segment, range. */
    return (attention){
        .T = oracle_extent(call, HONE_ATTENTION_Q, 0),
        .C = oracle_extent(call, HONE_ATTENTION_K, 0),
        .H = oracle_extent(call, HONE_ATTENTION_Q, 1),
        .K = oracle_extent(call, HONE_ATTENTION_K, 1),
        .N = oracle_extent(call, HONE_ATTENTION_Q, 2),
        .S = oracle_extent(call, HONE_ATTENTION_SEGMENT, 0),
        .scale = ((const hone_scale_params *)call->params)->scale,
        .q = call->value[HONE_ATTENTION_Q],
        .k = call->value[HONE_ATTENTION_K],
        .v = call->value[HONE_ATTENTION_V],
        .segment = call->value[HONE_ATTENTION_SEGMENT],
        .range = call->value[HONE_ATTENTION_RANGE],
    };
}

static hone_segment segment_at(const attention *a, int64_t s) {
    const double *field = a->segment + s * HONE_SEGMENT_FIELDS;

    return (hone_segment){(int32_t)field[0], (int32_t)field[1], (int32_t)field[2],
                          (int32_t)field[3], (int32_t)field[4], (int32_t)field[5]};
}

/* Whether query t of the segment sees key j. */
static bool visible(const attention *a, const hone_segment *segment, int64_t t, int64_t j) {
    const int64_t i = t - segment->query_begin;

    if (segment->key_begin <= j && j <= segment->key_begin + i)
        return true;
    for (int64_t g = segment->range_begin; g < segment->range_end; g++) {
        if ((double)j >= a->range[2 * g] && (double)j < a->range[2 * g + 1])
            return true;
    }
    return false;
}

/* Where the heads' vectors are: query head h of row t, and the key head that it reads of row j. */
static int64_t query_at(const attention *a, int64_t t, int64_t h) { return (t * a->H + h) * a->N; }

static int64_t key_at(const attention *a, int64_t j, int64_t h) {
    return (j * a->K + h / (a->H / a->K)) * a->N;
}

static double dot(const double *x, const double *y, int64_t n) {
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static double score(const attention *a, int64_t t, int64_t j, int64_t h) {
    return a->scale * dot(a->q + query_at(a, t, h), a->k + key_at(a, j, h), a->N);
}

static double log_sum_exp(const attention *a, const hone_segment *segment, int64_t t, int64_t h) {
    double largest = -(double)INFINITY, sum = 0;

    for (int64_t j = 0; j < a->C; j++) {
        if (visible(a, segment, t, j))
            largest = fmax(largest, score(a, t, j, h));
    }
    for (int64_t j = 0; j < a->C; j++) {
        if (visible(a, segment, t, j))
            sum += exp(score(a, t, j, h) - largest);
    }
    return largest + log(sum);
}

static void forward_row(const attention *a, const hone_segment *segment, int64_t t, int64_t h, double *o,
                        double *lse) {
    *lse = log_sum_exp(a, segment, t, h);
    for (int64_t n = 0; n < a->N; n++)
        o[n] = 0;
    for (int64_t j = 0; j < a->C; j++) {
        if (!visible(a, segment, t, j))
            continue;
        const double p = exp(score(a, t, j, h) - *lse);
        for (int64_t n = 0; n < a->N; n++)
            o[n] += p * a->v[key_at(a, j, h) + n];
    }
}

void oracle_attention(const oracle_call *call) {
    const attention a = shared(call);
    double *o = call->value[HONE_ATTENTION_O];
    double *lse = call->value[HONE_ATTENTION_LSE];

    for (int64_t s = 0; s < a.S; s++) {
        const hone_segment segment = segment_at(&a, s);
        for (int64_t t = segment.query_begin; t < segment.query_end; t++) {
            for (int64_t h = 0; h < a.H; h++)
                forward_row(&a, &segment, t, h, o + query_at(&a, t, h), &lse[h * a.T + t]);
        }
    }
}

/* With p = exp(s - lse): dv_j = p do, dp = do . v_j, ds = p (dp - do . o), dq = scale ds k_j, dk_j = scale ds q. */
static void backward_row(const attention *a, const hone_segment *segment, int64_t t, int64_t h,
                         const oracle_call *call) {
    const int64_t at = query_at(a, t, h);
    const double *dout = call->value[HONE_ATTENTION_BACKWARD_DO] + at;
    const double lse = call->value[HONE_ATTENTION_BACKWARD_LSE][h * a->T + t];
    const double delta = dot(dout, call->value[HONE_ATTENTION_BACKWARD_O] + at, a->N);

    call->value[HONE_ATTENTION_BACKWARD_DELTA][h * a->T + t] = delta;
    for (int64_t j = 0; j < a->C; j++) {
        if (!visible(a, segment, t, j))
            continue;
        const int64_t key = key_at(a, j, h);
        const double p = exp(score(a, t, j, h) - lse);
        const double ds = p * (dot(dout, a->v + key, a->N) - delta);
        for (int64_t n = 0; n < a->N; n++) {
            call->value[HONE_ATTENTION_BACKWARD_DV][key + n] += p * dout[n];
            call->value[HONE_ATTENTION_BACKWARD_DQ][at + n] += a->scale * ds * a->k[key + n];
            call->value[HONE_ATTENTION_BACKWARD_DK][key + n] += a->scale * ds * a->q[at + n];
        }
    }
}

void oracle_attention_backward(const oracle_call *call) {
    const attention a = shared(call);

    for (int64_t s = 0; s < a.S; s++) {
        const hone_segment segment = segment_at(&a, s);
        for (int64_t t = segment.query_begin; t < segment.query_end; t++) {
            for (int64_t h = 0; h < a.H; h++)
                backward_row(&a, &segment, t, h, call);
        }
    }
}
