/** Every conditional log-probability that a method reads, of policy and reference, for each row of a data set. */
#ifndef HONE_SCORE_H
#define HONE_SCORE_H

#include <hone/data.h>
#include <hone/loss.h>
#include <hone/model.h>
#include <hone/pack.h>
#include <hone/template.h>

HONE_BEGIN

typedef struct hone_score_source {
    hone_model *model;
    hone_adapter *adapter; /**< may be NULL */
    hone_model *reference; /**< NULL: the model without adapter */
    const hone_tokenizer *tokenizer;
    const hone_template *form;
    const hone_dataset *data;
    const hone_loss_options *loss;
    hone_pack_layout layout;
    int64_t pack_tokens;
} hone_score_source;

typedef struct hone_score {
    int64_t row;   /**< in the data set, from 0 */
    uint32_t mask; /**< conditionals that were computed */
    hone_pair_logps pair;
    double loss;                  /**< of this row alone */
    int64_t tokens, naive_tokens; /**< packed, and as separate sequences */
} hone_score;

/** Calls `row` for each row in order; a non-zero return stops (HONE_ERROR_INTERRUPTED). */
HONE_API HONE_MUST_USE hone_status hone_score_rows(const hone_score_source *source,
                                                   int (*row)(void *context, const hone_score *score),
                                                   void *context);

HONE_END

#endif
