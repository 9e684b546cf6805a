/** Training steps over synthetic pairs: what the trainer does in a step, without a data set and a run folder. */
#ifndef HN_BENCH_TRAINER_H
#define HN_BENCH_TRAINER_H

#include <hone/bench.h>

typedef struct hn_trainer hn_trainer;
/** The model outlives it. `every_layout`: with room for all of them, and for the reference at every step. */
HONE_MUST_USE hone_status hn_trainer_create(hone_model *model, const hone_bench_step_options *options,
                                            bool every_layout, hn_trainer **trainer);
/** What the next steps do; only those of create's options, unless it was for every layout. */
void hn_trainer_use(hn_trainer *trainer, hone_pack_layout layout, bool reference_anew);
/** Bytes that the memory plan of a training network for this layout has. */
HONE_MUST_USE hone_status hn_trainer_plan(hn_trainer *trainer, hone_pack_layout layout, uint64_t *bytes);
void hn_trainer_destroy(hn_trainer *trainer);
/** One optimizer step, packing included. *seconds: how long it took. */
HONE_MUST_USE hone_status hn_trainer_step(hn_trainer *trainer, double *seconds);
/** One step with the device's time by operation. */
HONE_MUST_USE hone_status hn_trainer_profile(hn_trainer *trainer, hone_profile *profile);
/** What a step is made of: everything of the result but times and the profile. */
void hn_trainer_describe(const hn_trainer *trainer, hone_bench_step_result *result);

/** Ranges of `warmup` and `steps`. */
HONE_MUST_USE hone_status hn_bench_check_steps(const hone_bench_step_options *options);

#endif
