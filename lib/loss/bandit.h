/** What the parts of the bandit share. */
#ifndef HN_LOSS_BANDIT_H
#define HN_LOSS_BANDIT_H

#include <hone/bandit.h>

/** share[i][j]: how much of the data says that i is preferred to j; together 1. Expected, or of `pairs`
 * draws. */
void hn_bandit_expected(const hone_bandit_problem *problem, double *share);
HONE_MUST_USE hone_status hn_bandit_sample(const hone_bandit_problem *problem, int64_t pairs, uint64_t seed,
                                           double *share);

/** out = softmax(logit), and log softmax where `log_out` is not NULL. */
void hn_bandit_softmax(const double *logit, int32_t n, double *out, double *log_out);

/** The methods that the bandit knows. */
HONE_MUST_USE hone_status hn_bandit_check_method(const hone_loss_options *options);

#endif
