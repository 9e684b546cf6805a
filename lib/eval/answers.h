/** The drafts of one policy for one set: taken from drafts.jsonl, or sampled and put there. */
#ifndef HN_EVAL_ANSWERS_H
#define HN_EVAL_ANSWERS_H

#include "eval/drafts.h"
#include "eval/rows.h"

#include <core/lock.h>

enum { HN_EVAL_SETS = 2 };

/** What sampling needs; the models of a policy are opened and closed inside. */
typedef struct hn_eval_run {
    const hone_eval_options *options;
    const hone_eval_observer *observer; /**< may be NULL */
    hone_device *device;
    hn_lock *lock; /**< of the folder of results */
    hn_drafts drafts;
    hn_eval_rows rows[HN_EVAL_SETS];
    int sets;
} hn_eval_run;

/** What a policy made of a set; arrays as long as the set has rows. */
typedef struct hn_eval_answered {
    const json_t **drafts; /**< lists, borrowed from run->drafts */
    int64_t *best;         /**< of those the least improvable; NULL where there is no reference */
} hn_eval_answered;

const char *hn_eval_set_name(int set);
void hn_eval_progress(const hn_eval_run *run, const char *what, int64_t done, int64_t total);
/** HONE_ERROR_INTERRUPTED when the observer asks to stop. */
HONE_MUST_USE hone_status hn_eval_check_stop(const hn_eval_run *run);
HONE_MUST_USE hone_status hn_eval_answers(hn_eval_run *run, const hone_eval_policy *policy,
                                          const hn_eval_answered answered[HN_EVAL_SETS]);

#endif
