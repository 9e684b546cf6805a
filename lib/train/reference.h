/** Reference log-probabilities: computed once, kept in a file under a key of everything that they depend on.
 */
#ifndef HN_TRAIN_REFERENCE_H
#define HN_TRAIN_REFERENCE_H

#include <train/batch.h>

typedef struct hn_reference {
    double (*logp)[HONE_CONDITIONAL_COUNT]; /**< [examples] */
    bool cached;                            /**< read from the cache */
} hn_reference;

/** What one pass over the examples needs. `observer` may be NULL. */
typedef struct hn_reference_source {
    hone_model *model;
    const hn_examples *examples;
    hone_pack_layout layout;
    int64_t pack_tokens;
    hn_network_budget budget; /**< of the largest pack */
    const char *folder;       /**< of the cache; NULL: none is read or written */
    const hone_train_observer *observer;
} hn_reference_source;

/** Key: weights, configuration, token sequences (and with them template and tokenizer), layout, pack size,
 * numerics. */
HONE_MUST_USE hone_status hn_reference_create(const hn_reference_source *source, hn_reference *reference);
void hn_reference_clear(hn_reference *reference);

#endif
