/** The learning rate of a step. */
#ifndef HN_TRAIN_SCHEDULE_H
#define HN_TRAIN_SCHEDULE_H

#include <hone/train.h>

/**
 * The factor of the peak rate in step `step` (from 1) of `steps`, as transformers' schedulers have it before
 * that step's update: with i = step - 1 and w warm-up steps, i / w while i < w; then 1 (constant), (steps -
 * i) / (steps - w) (linear), (1 + cos(pi (i - w) / (steps - w))) / 2 (cosine).
 */
double hn_schedule_factor(hone_schedule schedule, int64_t step, int64_t steps, int64_t warmup);
/** Steps of warm-up: `warmup` itself, or below 1 that share of `steps`, rounded up. */
int64_t hn_schedule_warmup(double warmup, int64_t steps);

#endif
