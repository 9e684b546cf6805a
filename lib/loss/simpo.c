/*
 * Simple preference optimisation (Meng et al., arXiv 2405.14734, eq. 6), with m = log pi(.) / |.|, no
 * reference: L = f(beta (m(w) - m(l)) - gamma),   f(x) = -log sigmoid(x). With a soft label q L(w, l) + (1-q)
 * L(l, w).
 */
#include "loss/method.h"

void hn_loss_simpo(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    double beta = options->beta, slope = 0.0;
    double margin = beta * (pair->policy[HONE_W] - pair->policy[HONE_L]);
    value->loss = hn_soft_logistic(margin, options->gamma, pair->q, &slope);
    value->derivative[HONE_W] = beta * slope;
    value->derivative[HONE_L] = -beta * slope;
    value->reward_chosen = beta * pair->policy[HONE_W];
    value->reward_rejected = beta * pair->policy[HONE_L];
}
