/*
 * Self-improving robust preference optimisation (Choi et al., arXiv 2406.01660, equations 15 to 17):
 *   L_imp = (q - 1/2 - beta [r(w|l) - r(l|l)])^2 + ((1-q) - 1/2 - beta [r(l|w) - r(w|w)])^2
 *   L_gen = (2q - 1 - beta [r(w|l) - r(l|w) + r(w) - r(l)])^2
 *   L     = (1-alpha) L_gen + alpha L_imp
 * With q = 1, w the preferred one: the second residual is then -(1/2 - beta [r(w|w) - r(l|w)]), the published
 * one.
 */
#include "loss/method.h"

static void improvement(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    const double *r = pair->r;
    double beta = options->beta, scale = -2.0 * beta * options->alpha;
    double up = pair->q - 0.5 - beta * (r[HONE_W_GIVEN_L] - r[HONE_L_GIVEN_L]);
    double down = 0.5 - pair->q - beta * (r[HONE_L_GIVEN_W] - r[HONE_W_GIVEN_W]);
    value->improvement = up * up + down * down;
    value->derivative[HONE_W_GIVEN_L] += scale * up;
    value->derivative[HONE_L_GIVEN_L] -= scale * up;
    value->derivative[HONE_L_GIVEN_W] += scale * down;
    value->derivative[HONE_W_GIVEN_W] -= scale * down;
}

static void generation(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    const double *r = pair->r;
    double beta = options->beta, scale = -2.0 * beta * (1.0 - options->alpha);
    double margin = r[HONE_W_GIVEN_L] - r[HONE_L_GIVEN_W] + r[HONE_W] - r[HONE_L];
    double residual = 2.0 * pair->q - 1.0 - beta * margin;
    value->generation = residual * residual;
    value->derivative[HONE_W_GIVEN_L] += scale * residual;
    value->derivative[HONE_L_GIVEN_W] -= scale * residual;
    value->derivative[HONE_W] += scale * residual;
    value->derivative[HONE_L] -= scale * residual;
}

/* At alpha = 1 nobody computes r(w) and r(l): the rewards are then those of the revision of l. */
void hn_loss_srpo(const hone_loss_options *options, const hn_ratios *pair, hone_loss_value *value) {
    bool revised = options->alpha >= 1.0;
    if (options->alpha > 0.0)
        improvement(options, pair, value);
    if (options->alpha < 1.0)
        generation(options, pair, value);
    value->loss = (1.0 - options->alpha) * value->generation + options->alpha * value->improvement;
    value->reward_chosen = options->beta * pair->r[revised ? HONE_W_GIVEN_L : HONE_W];
    value->reward_rejected = options->beta * pair->r[revised ? HONE_L_GIVEN_L : HONE_L];
}
