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
    hone_answer *answer; /**< drafts so far */
    bool active;
    size_t streamed; /**< bytes of the draft's text that went out */
} hn_slot;

/** The context of the next draft: of an answer when there is none yet, of a revision of the last one otherwise. */
HONE_MUST_USE hone_status hn_slot_context(const hn_slot *slot, const hone_template *form,
                                          const hone_tokenizer *tokenizer, hone_ids *context);
/** Keeps the common beginning of what is held and `context`, all but the last token at most: the last must be
 *  computed for its logits. Returns how many tokens stay. */
int64_t hn_slot_keep(hn_slot *slot, const hone_ids *context);

#endif
