/** From drafts to tables: verdicts of every draft, estimates, paired tests, head to head. */
#ifndef HN_EVAL_TABLES_H
#define HN_EVAL_TABLES_H

#include "eval/answers.h"

/** One set, of all policies: [policy * rows + row]. Appends to the lists of `out`. */
HONE_MUST_USE hone_status hn_eval_tables(const hn_eval_run *run, hone_judge *judge, int set,
                                         const hn_eval_answered *answered, json_t *out);

#endif
