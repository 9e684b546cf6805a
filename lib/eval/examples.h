/** The first rows of a set with what every policy wrote: for people to read beside the numbers. */
#ifndef HN_EVAL_EXAMPLES_H
#define HN_EVAL_EXAMPLES_H

#include "eval/answers.h"

/** Appends {"set","row","prompt","reference","policies":[{"name","drafts":[{"text","score"}]}]} for each of the first
 *  options->examples rows. answer[policy * rows + row]; score[(policy * drafts + revision) * rows + row], NULL: none. */
HONE_MUST_USE hone_status hn_eval_examples(const hn_eval_run *run, int set, const json_t *const *answer,
                                           const double *score, json_t *list);

#endif
