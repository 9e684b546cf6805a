/** The candidates of a prompt, and the behaviour policy that draws pairs of them: see hone/pairs.h. */
#ifndef HN_EVAL_BEHAVIOUR_H
#define HN_EVAL_BEHAVIOUR_H

#include <hone/pairs.h>

typedef struct hn_candidate {
    const char *text; /**< borrowed */
    int64_t sample, revision, tokens;
    double logp;  /**< mean of a token's */
    double score; /**< the judge's; NAN: it has none */
} hn_candidate;

typedef enum hn_feature { HN_LENGTH = 0, HN_SCORE, HN_LOGP, HN_REVISION, HN_FEATURES } hn_feature;

typedef struct hn_behaviour {
    double strength[HN_FEATURES]; /**< 0: the feature does not matter */
} hn_behaviour;

/** HONE_ERROR_ARGUMENT for an unknown feature or a strength that is not finite; NULL is uniform. */
HONE_MUST_USE hone_status hn_behaviour_parse(const char *text, hn_behaviour *behaviour);
/** logit[i] = log mu(y_i|x) but for a constant. A feature that does not vary has z = 0. */
void hn_behaviour_logits(const hn_behaviour *behaviour, const hn_candidate *candidate, int64_t count,
                         double *logit);

/** Two candidates, a < b. */
typedef struct hn_pair {
    int64_t a, b;
    double key;
} hn_pair;
/**
 * Puts `want` different pairs first in pair[count (count - 1) / 2], as drawn one after the other without replacement with
 * probability ~ mu(a) mu(b): the largest log-weights with Gumbel noise (Efraimidis and Spirakis 2006; Kool et al.
 * 2019). A pure function of (seed, row). Returns how many there are, at most `want`.
 */
int64_t hn_behaviour_draw(const double *logit, int64_t count, uint64_t seed, int64_t row, int64_t want,
                          hn_pair *pair);

#endif
