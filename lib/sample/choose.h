/** The next token from its logits. */
#ifndef HN_SAMPLE_CHOOSE_H
#define HN_SAMPLE_CHOOSE_H

#include <hone/sample.h>

/** Room for one choice among `count` tokens; zero-initialise, free with hn_choice_clear. */
typedef struct hn_choice {
    struct hn_candidate *item;
    size_t capacity;
} hn_choice;
void hn_choice_clear(hn_choice *choice);

/**
 * Greedy, or: divide by the temperature, keep the top_k likeliest, of these the fewest that have top_p of the
 * probability, and draw with `uniform` in [0,1). Ties go to the smaller id. *logp: log softmax of the untouched logits at
 * the token. HONE_ERROR_NUMERIC when a logit is not finite.
 */
HONE_MUST_USE hone_status hn_choose(hn_choice *choice, const float *logit, int64_t count,
                                    const hone_sample_options *options, double uniform, int32_t *token,
                                    double *logp);

#endif
