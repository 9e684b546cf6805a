/** What a run will hold, before it holds it: budgets of the packs, a table of memory, how many layers must be
 *  recomputed to stay under a limit. */
#ifndef HN_TRAIN_PLAN_H
#define HN_TRAIN_PLAN_H

#include <train/run.h>

/** The most that one pack of a step, or of the reference's pass over all examples, can hold with this data: often less
 *  than --pack-tokens allows, and memory follows it. */
typedef struct hn_pack_budget {
    hn_network_budget network;
    hn_batch_extents batch;
} hn_pack_budget;
HONE_MUST_USE hone_status hn_run_training_budget(const hn_run_state *run, hn_pack_budget *budget);
HONE_MUST_USE hone_status hn_run_reference_budget(const hn_run_state *run, hn_pack_budget *budget);

/** Before any weights are read: HONE_ERROR_MEMORY when they alone are over the limit. */
HONE_MUST_USE hone_status hn_run_check_weights(const hn_run_state *run, hone_weights weights);
/** Fills the table for a run whose model and data are open and whose trained weights have gradients, and sets
 *  run->recompute to the fewest layers that fit the limit. HONE_ERROR_MEMORY when none do; the table is then that of all
 *  layers recomputed. */
HONE_MUST_USE hone_status hn_run_plan(hn_run_state *run, hone_train_memory *memory);

#endif
