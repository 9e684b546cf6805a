/** Training steps over synthetic pairs: what the trainer does in a step, without a data set and a run folder. */
#ifndef HN_BENCH_TRAINER_H
#define HN_BENCH_TRAINER_H

#include <hone/bench.h>

typedef struct hn_trainer hn_trainer;
/** The model outlives it. */
HONE_MUST_USE hone_status hn_trainer_create(hone_model *model, const hone_bench_step_options *options,
                                            hn_trainer **trainer);
void hn_trainer_destroy(hn_trainer *trainer);
/** One optimizer step, packing included. *seconds: how long it took. */
HONE_MUST_USE hone_status hn_trainer_step(hn_trainer *trainer, double *seconds);
/** One step with the device's time by operation. */
HONE_MUST_USE hone_status hn_trainer_profile(hn_trainer *trainer, hone_profile *profile);
/** What a step is made of: everything of the result but times and the profile. */
void hn_trainer_describe(const hn_trainer *trainer, hone_bench_step_result *result);

#endif
