/*
 * Identity preference optimisation (Azar et al., arXiv 2310.12036, eq. 17), with D = r(w) - r(l):
 *   L = (D - (2q-1) / (2 beta))^2
 * q = 1 is the published loss. The expectation over a label that is right with chance q differs from this by
 * a constant alone. Means by default: the authors confirmed it to those who implemented it.
 */
#include "loss/method.h"

void hn_loss_ipo(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    double beta = options->beta;
    double residual = pair->r[HONE_W] - pair->r[HONE_L] - (2.0 * pair->q - 1.0) / (2.0 * beta);
    value->loss = residual * residual;
    value->derivative[HONE_W] = 2.0 * residual;
    value->derivative[HONE_L] = -2.0 * residual;
    value->reward_chosen = beta * pair->r[HONE_W];
    value->reward_rejected = beta * pair->r[HONE_L];
}
