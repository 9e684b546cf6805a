/** Sums over held-out rows. */
#ifndef HN_EVAL_HELD_OUT_H
#define HN_EVAL_HELD_OUT_H

#include <hone/eval.h>

typedef struct hn_held_out_sums {
    hone_held_out sum; /**< sums where hone_held_out has means */
    int64_t tokens;    /**< of the chosen completions */
    int64_t decided;   /**< rows with a preference other than 1/2 */
} hn_held_out_sums;

/** Adds a row with all six log-probabilities. */
HONE_MUST_USE hone_status hn_held_out_add(hn_held_out_sums *sums, const hone_loss_options *loss,
                                          const hone_pair_logps *pair);
void hn_held_out_end(const hn_held_out_sums *sums, const hone_loss_options *loss, hone_held_out *out);

#endif
