/**
 * Checkpoints written beside the steps: the state is copied, and a thread compresses and writes the copy while training
 * goes on. A state too large to hold twice is written at once, without a copy.
 */
#ifndef HN_TRAIN_SAVER_H
#define HN_TRAIN_SAVER_H

#include <train/snapshot.h>

/** Bytes of state up to which a copy is made. */
#define HN_SAVER_COPY_LIMIT (UINT64_C(512) << 20)

typedef struct hn_saver hn_saver;
/** `folder`, `parameters`, `optimizer` and the identity's texts are borrowed until destroy. */
HONE_MUST_USE hone_status hn_saver_create(const char *folder, int64_t keep, const hn_identity *identity,
                                          hn_parameters *parameters, const hn_optimizer *optimizer,
                                          hn_saver **saver);
/** Waits for the write in hand; does not report its failure. */
void hn_saver_destroy(hn_saver *saver);
/** Bytes that a saver of these parameters copies; 0: it writes at once. */
uint64_t hn_saver_copy_bytes(const hn_parameters *parameters);
/** Waits for the write before, whose failure it reports; copies the state as it is now, and begins to write it. */
HONE_MUST_USE hone_status hn_saver_begin(hn_saver *saver, int64_t step);
/** Waits until nothing is being written; the failure of the last write, if it failed. */
HONE_MUST_USE hone_status hn_saver_wait(hn_saver *saver);
/** The newest checkpoint that is whole; NULL: none yet. Borrowed, until the next call. */
const char *hn_saver_last(const hn_saver *saver);

#endif
