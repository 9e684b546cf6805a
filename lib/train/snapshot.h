/** The state of a run as checkpoint files, and back: the newest good one is taken. */
#ifndef HN_TRAIN_SNAPSHOT_H
#define HN_TRAIN_SNAPSHOT_H

#include <train/optimizer.h>

/** What a checkpoint must agree on with the run that resumes from it. Borrowed strings. */
typedef struct hn_identity {
    const char *base; /**< digest of the model that training started from */
    const char *data; /**< digest of the token sequences */
    const char *method;
    const char *trained;  /**< "full", or "lora R TARGETS" */
    const char *numerics; /**< a difference is a warning: the bits will differ, not the meaning */
    int64_t seed, batch;  /**< pairs a step */
} hn_identity;

/** Bytes of the state of these parameters, and the state itself, into as many. */
uint64_t hn_snapshot_bytes(const hn_parameters *parameters);
HONE_MUST_USE hone_status hn_snapshot_copy(const hn_parameters *parameters, const hn_optimizer *optimizer,
                                           void *copy);
/** Writes FOLDER/step-NNNNNNNN.hone whole or not at all, then removes the oldest beyond `keep`. `copy`: the state as
 *  hn_snapshot_copy left it, so that nothing is read from the device; NULL: as it is there. *path: new string. */
HONE_MUST_USE hone_status hn_snapshot_save(const char *folder, const hn_identity *identity, int64_t step,
                                           int64_t keep, const hn_parameters *parameters,
                                           const hn_optimizer *optimizer, const void *copy, char **path);
/** Restores from the newest usable file; refused ones are warned about with their reason. *step is 0 when the
 * folder holds none; HONE_ERROR_FORMAT when it holds some and none is usable. */
HONE_MUST_USE hone_status hn_snapshot_restore(const char *folder, const hn_identity *identity,
                                              hn_parameters *parameters, const hn_optimizer *optimizer,
                                              int64_t *step);
/** The same refusal, early: whether the folder holds none, or one whose run this is. Weights are not read, nothing is warned of. */
HONE_MUST_USE hone_status hn_snapshot_check(const char *folder, const hn_identity *identity);

#endif
