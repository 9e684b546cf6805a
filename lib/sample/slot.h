/** One prompt in the lockstep batch: its slab of cache rows and the draft that is being written. */
#ifndef HN_SAMPLE_SLOT_H
#define HN_SAMPLE_SLOT_H

#include <hone/sample.h>
#include <model/network.h>

typedef struct hn_slot {
    int64_t number;      /**< of the prompt */
    int32_t first_row;   /**< of the slab */
    hone_ids held;       /**< tokens whose keys and values the slab's rows hold, in order */
    hone_ids prompt;     /**< its ids */
    hone_ids context;    /**< of the draft that is being written */
    hone_answer *answer; /**< drafts so far */
    bool active;
    size_t streamed; /**< bytes of the draft's text that went out */
} hn_slot;

void hn_slot_clear(hn_slot *slot);
/** Makes `context`: of an answer when there is no draft yet, of a revision of the last one otherwise. */
HONE_MUST_USE hone_status hn_slot_context(hn_slot *slot, const hone_template *form,
                                          const hone_tokenizer *tokenizer);
/** The longest context that the slot's prompt is expected to have, a shown draft counted as `draft` tokens (0: none is
 *  shown). Text may come back as more tokens than it was drawn in: this is no bound. */
HONE_MUST_USE hone_status hn_slot_forecast(hn_slot *slot, const hone_template *form, int64_t draft,
                                           int64_t *longest);
/** Keeps the common beginning of what is held and `context`, all but the last token at most: the last must be
 *  computed for its logits. Returns how many tokens stay. */
int64_t hn_slot_keep(hn_slot *slot);

#endif
