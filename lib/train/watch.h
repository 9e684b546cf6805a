/** Held-out rows during training: their loss every K steps, the best state so far, and when to stop. */
#ifndef HN_TRAIN_WATCH_H
#define HN_TRAIN_WATCH_H

#include <hone/train.h>

struct hn_run_state;
typedef struct hn_watch hn_watch;

/** Before a checkpoint is restored: with full training the reference is the model as it is now. *watch is NULL without
 *  options.eval_data, which every call takes. A row over the pack's budget is an error. */
HONE_MUST_USE hone_status hn_watch_create(const struct hn_run_state *run, hn_watch **watch);
void hn_watch_destroy(hn_watch *watch);
/** Takes OUT/eval.jsonl up as it stood at the run's step. *enough: patience was used up then. */
HONE_MUST_USE hone_status hn_watch_begin(hn_watch *watch, const struct hn_run_state *run, bool *enough);
/** Measures when it is due, appends a line to OUT/eval.jsonl, saves OUT/best when the loss is the lowest so far.
 *  *enough: patience is used up. */
HONE_MUST_USE hone_status hn_watch_look(hn_watch *watch, const struct hn_run_state *run, bool *enough);
/** best_step and best_loss. */
void hn_watch_summarise(const hn_watch *watch, hone_train_summary *summary);

#endif
