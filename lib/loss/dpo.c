/*
 * Direct preference optimisation (Rafailov et al., arXiv 2305.18290, eq. 7), with D = r(w) - r(l):
 *   L = (1-e) f(beta D) + e f(-beta D),   f(x) = -log sigmoid(x),   e = label smoothing.
 * A soft label q is the chance that w is the better one, smoothing the chance that a label was turned around
 * after that: together the weight of f(beta D) is q (1-e) + (1-q) e.
 */
#include "loss/method.h"

void hn_loss_dpo(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    double beta = options->beta, e = options->label_smoothing, slope = 0.0;
    double q = pair->q * (1.0 - e) + (1.0 - pair->q) * e;
    value->loss = hn_soft_logistic(beta * (pair->r[HONE_W] - pair->r[HONE_L]), 0.0, q, &slope);
    value->derivative[HONE_W] = beta * slope;
    value->derivative[HONE_L] = -beta * slope;
    value->reward_chosen = beta * pair->r[HONE_W];
    value->reward_rejected = beta * pair->r[HONE_L];
}
