/** metrics.jsonl: a line a step, TRL's names; the same numbers as TensorBoard scalars on request. */
#ifndef HN_TRAIN_METRICS_H
#define HN_TRAIN_METRICS_H

#include <hone/train.h>

/** Begins the file anew, or keeps the lines of steps up to `step` (resuming): lines that were written after
 * the checkpoint are written again by the run that goes on. */
HONE_MUST_USE hone_status hn_metrics_begin(const char *path, int64_t step);
/** `events` is a TensorBoard event file (tensorboard.h) that gets the same numbers; NULL: none. */
HONE_MUST_USE hone_status hn_metrics_append(const char *path, const char *events,
                                            const hone_train_metrics *metrics, hone_method method);

#endif
