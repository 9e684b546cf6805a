#include "oracle.h"

#include <math.h>

/* z[u,v] = sum_d h[row[u],d] w[v,d]; forward and backward have h, w and row in the same places. */
static double logit(const oracle_call *call, int64_t u, int64_t v) {
    const int64_t D = oracle_extent(call, HONE_HEAD_LOGP_H, 1);
    const double *h = call->value[HONE_HEAD_LOGP_H] + (int64_t)call->value[HONE_HEAD_LOGP_ROW][u] * D;
    const double *w = call->value[HONE_HEAD_LOGP_W] + v * D;
    double sum = 0;

    for (int64_t d = 0; d < D; d++)
        sum += h[d] * w[d];
    return sum;
}

static double log_sum_exp(const oracle_call *call, int64_t u) {
    const int64_t V = oracle_extent(call, HONE_HEAD_LOGP_W, 0);
    double largest = -(double)INFINITY, sum = 0;

    for (int64_t v = 0; v < V; v++)
        largest = fmax(largest, logit(call, u, v));
    for (int64_t v = 0; v < V; v++)
        sum += exp(logit(call, u, v) - largest);
    return largest + log(sum);
}

void oracle_head_logp(const oracle_call *call) {
    const int64_t U = oracle_extent(call, HONE_HEAD_LOGP_ROW, 0);
    const double *begin = call->value[HONE_HEAD_LOGP_BEGIN];
    const double *target = call->value[HONE_HEAD_LOGP_TARGET];

    for (int64_t u = 0; u < U; u++) {
        const double lse = log_sum_exp(call, u);
        call->value[HONE_HEAD_LOGP_LSE][u] = lse;
        for (int64_t e = (int64_t)begin[u]; e < (int64_t)begin[u + 1]; e++)
            call->value[HONE_HEAD_LOGP_LOGP][e] = logit(call, u, (int64_t)target[e]) - lse;
    }
}

/* d loss / d z[u,v] */
static double logit_gradient(const oracle_call *call, int64_t u, int64_t v) {
    const double *begin = call->value[HONE_HEAD_LOGP_BACKWARD_BEGIN];
    double direct = 0, sum = 0;

    for (int64_t e = (int64_t)begin[u]; e < (int64_t)begin[u + 1]; e++) {
        const double g = call->value[HONE_HEAD_LOGP_BACKWARD_G][e];
        sum += g;
        if ((int64_t)call->value[HONE_HEAD_LOGP_BACKWARD_TARGET][e] == v)
            direct += g;
    }
    return direct - sum * exp(logit(call, u, v) - call->value[HONE_HEAD_LOGP_BACKWARD_LSE][u]);
}

void oracle_head_logp_backward(const oracle_call *call) {
    const int64_t U = oracle_extent(call, HONE_HEAD_LOGP_BACKWARD_ROW, 0);
    const int64_t V = oracle_extent(call, HONE_HEAD_LOGP_BACKWARD_W, 0);
    const int64_t D = oracle_extent(call, HONE_HEAD_LOGP_BACKWARD_H, 1);
    const double *h = call->value[HONE_HEAD_LOGP_BACKWARD_H];
    const double *w = call->value[HONE_HEAD_LOGP_BACKWARD_W];
    double *dh = call->value[HONE_HEAD_LOGP_BACKWARD_DH];
    double *dw = call->value[HONE_HEAD_LOGP_BACKWARD_DW];

    for (int64_t u = 0; u < U; u++) {
        const int64_t t = (int64_t)call->value[HONE_HEAD_LOGP_BACKWARD_ROW][u];
        for (int64_t v = 0; v < V; v++) {
            const double dz = logit_gradient(call, u, v);
            for (int64_t d = 0; d < D; d++) {
                if (dh != NULL)
                    dh[t * D + d] += dz * w[v * D + d];
                if (dw != NULL)
                    dw[v * D + d] += dz * h[t * D + d];
            }
        }
    }
}
