/* The bandit's problem and its data. */
#include "loss/bandit.h"

#include "core/random.h"
#include "core/status.h"

#include <math.h>

#define TOLERANCE 1e-6

static const double example[9] = {.50, .99, .30, .01, .50, .25, .70, .75, .50};

const double *hone_bandit_example(void) { return example; }

static hone_status check_preference(const double *p, int32_t n) {
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) {
            double here = p[i * n + j], there = p[j * n + i];
            if (!(here >= 0.0 && here <= 1.0))
                return hn_fail(HONE_ERROR_ARGUMENT, "preference [%d][%d] is %g: it must be in [0, 1]", (int)i,
                               (int)j, here);
            if (i == j && fabs(here - 0.5) > TOLERANCE)
                return hn_fail(HONE_ERROR_ARGUMENT, "preference [%d][%d] is %g: the diagonal must be 0.5",
                               (int)i, (int)j, here);
            if (!(fabs(here + there - 1.0) <= TOLERANCE))
                return hn_fail(HONE_ERROR_ARGUMENT,
                               "preference [%d][%d] is %g and [%d][%d] is %g: together they must be 1",
                               (int)i, (int)j, here, (int)j, (int)i, there);
        }
    return HONE_OK;
}

hone_status hone_bandit_check(const hone_bandit_problem *problem) {
    double sum = 0.0;
    if (problem->actions < 2 || problem->actions > HONE_BANDIT_MOST_ACTIONS)
        return hn_fail(HONE_ERROR_ARGUMENT, "%d actions: a bandit has 2 to %d", (int)problem->actions,
                       HONE_BANDIT_MOST_ACTIONS);
    HN_TRY(check_preference(problem->preference, problem->actions));
    for (int32_t i = 0; i < problem->actions; i++) {
        double mu = problem->behaviour[i];
        if (!(mu > 0.0 && mu <= 1.0))
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "behaviour [%d] is %g: every action must have a positive probability", (int)i, mu);
        sum += mu;
    }
    if (fabs(sum - 1.0) > TOLERANCE)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "the behaviour probabilities add up to %.9g: they must add up to 1", sum);
    return HONE_OK;
}

hone_status hn_bandit_check_method(const hone_loss_options *options) {
    hone_method m = options->method;
    if (m != HONE_SRPO && m != HONE_IPO && m != HONE_DPO) {
        const char *name = hone_method_name(m);
        return hn_fail(HONE_ERROR_UNSUPPORTED, "the bandit knows srpo, ipo and dpo, not %s",
                       name ? name : "this");
    }
    return hone_loss_check(options);
}

/* (i, j) and (j, i) are drawn equally often and say the same. */
void hn_bandit_expected(const hone_bandit_problem *problem, double *share) {
    const int32_t n = problem->actions;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) {
            double drawn = problem->behaviour[i] * problem->behaviour[j];
            share[i * n + j] = i == j ? drawn : 2.0 * drawn * problem->preference[i * n + j];
        }
}

static int32_t draw_action(const hone_bandit_problem *problem, double uniform) {
    double sum = 0.0;
    for (int32_t i = 0; i + 1 < problem->actions; i++) {
        sum += problem->behaviour[i];
        if (uniform < sum)
            return i;
    }
    return problem->actions - 1;
}

/* Draw k of a pair is number 3k (y1), 3k+1 (y2), 3k+2 (the label) of the seed's bandit stream. */
hone_status hn_bandit_sample(const hone_bandit_problem *problem, int64_t pairs, uint64_t seed,
                             double *share) {
    const int32_t n = problem->actions;
    if (pairs < 1 || pairs > INT64_C(1) << 40)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld pairs: draw at least 1, at most 2^40", (long long)pairs);
    for (int32_t i = 0; i < n * n; i++)
        share[i] = 0.0;
    for (int64_t k = 0; k < pairs; k++) {
        uint64_t at = 3 * (uint64_t)k;
        int32_t a = draw_action(problem, hn_random_uniform(seed, HN_PURPOSE_BANDIT, 0, at));
        int32_t b = draw_action(problem, hn_random_uniform(seed, HN_PURPOSE_BANDIT, 0, at + 1));
        bool first = hn_random_uniform(seed, HN_PURPOSE_BANDIT, 0, at + 2) < problem->preference[a * n + b];
        share[first ? a * n + b : b * n + a] += 1.0;
    }
    for (int32_t i = 0; i < n * n; i++)
        share[i] /= (double)pairs;
    return HONE_OK;
}
