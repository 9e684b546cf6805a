/** Training steps over synthetic pairs: what the trainer does in a step, without a data set and a run folder. */
#ifndef HN_BENCH_TRAINER_H
#define HN_BENCH_TRAINER_H

#include <hone/bench.h>
#include <model/parameters.h>

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

/** What is trained; borrowed. */
hn_parameters *hn_trainer_parameters(hn_trainer *trainer);
/** Weights, or AdamW's moments, of parameter i. */
enum { HN_TRAINER_WEIGHTS = 0, HN_TRAINER_FIRST, HN_TRAINER_SECOND };
hone_tensor hn_trainer_state(const hn_trainer *trainer, size_t i, int state);

#endif
