/** A row as the token sequences that a method reads. */
#ifndef HN_TEXT_SEQUENCES_H
#define HN_TEXT_SEQUENCES_H

#include <hone/data.h>
#include <hone/loss.h>
#include <hone/pack.h>
#include <hone/template.h>

/** The row's texts, each encoded once, and its conditionals; sequences borrow from the ids. */
typedef struct hn_row_tokens {
    hone_ids answer_context, draft_w_context, draft_l_context; /**< x; x and w; x and l */
    hone_ids w, l;                                             /**< completions, end of sequence appended */
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    bool cut; /**< the prompt lost its start */
} hn_row_tokens;

/** `mask`: the conditionals wanted. `max_length` bounds context + completion: a longer prompt loses its start; when not
 *  even that is enough, *fits is false and nothing is kept. An empty context or completion is an error. */
HONE_MUST_USE hone_status hn_row_tokenise(const hone_template *form, const hone_tokenizer *tokenizer,
                                          const hone_row *row, uint32_t mask, int64_t max_length,
                                          hn_row_tokens *tokens, bool *fits);
void hn_row_tokens_clear(hn_row_tokens *tokens);

#endif
