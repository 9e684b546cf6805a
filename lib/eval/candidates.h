/** The candidates of a data set's prompts: `samples` answers of a prompt stand in consecutive rows of a run. */
#ifndef HN_EVAL_CANDIDATES_H
#define HN_EVAL_CANDIDATES_H

#include "eval/answers.h"
#include "eval/behaviour.h"

/** What was left out, over all prompts. */
typedef struct hn_candidate_counts {
    int64_t kept, unended, empty, repeated;
} hn_candidate_counts;

/** The rows of `data`, each `samples` times. */
HONE_MUST_USE hone_status hn_candidates_rows(const char *path, int64_t limit, int64_t samples,
                                             hn_eval_rows *rows);
/** Those of one prompt, whose drafts are answer[samples]: candidate[samples * drafts], scored where the judge has scores.
 *  Texts are borrowed from the drafts. */
HONE_MUST_USE hone_status hn_candidates_of(const json_t *const *answer, int64_t samples, int64_t drafts,
                                           const hone_case *about, hone_judge *judge, hn_candidate *candidate,
                                           int64_t *count, hn_candidate_counts *counts);

#endif
