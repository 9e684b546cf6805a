/** Telling of slow preparation, and asking whether to go on with it. */
#ifndef HN_TRAIN_OBSERVE_H
#define HN_TRAIN_OBSERVE_H

#include <hone/train.h>

/** HONE_ERROR_INTERRUPTED when the run is to stop. `observer` may be NULL. */
HONE_MUST_USE hone_status hn_observe(const hone_train_observer *observer, const char *what, int64_t done,
                                     int64_t total);

#endif
