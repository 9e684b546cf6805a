/*
 * Iterative reasoning preference optimisation's loss (Pang et al., arXiv 2404.19733, eq. 2):
 *   L = f(beta D) + lambda NLL(w) / |w|,   D = r(w) - r(l),   f(x) = -log sigmoid(x).
 * With a soft label the expectation over who is preferred: q L(w, l) + (1-q) L(l, w).
 */
#include "loss/method.h"

void hn_loss_rpo(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    double beta = options->beta, slope = 0.0;
    value->loss = hn_soft_logistic(beta * (pair->r[HONE_W] - pair->r[HONE_L]), 0.0, pair->q, &slope);
    value->loss += options->rpo_lambda * (pair->q * pair->nll[0] + (1.0 - pair->q) * pair->nll[1]);
    value->derivative[HONE_W] = beta * slope - options->rpo_lambda * pair->q * pair->mean_by_unit[0];
    value->derivative[HONE_L] = -beta * slope - options->rpo_lambda * (1.0 - pair->q) * pair->mean_by_unit[1];
    value->reward_chosen = beta * pair->r[HONE_W];
    value->reward_rejected = beta * pair->r[HONE_L];
}
