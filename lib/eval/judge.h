/** A judge is a weighted list of parts; a part scores texts or compares them. */
#ifndef HN_EVAL_JUDGE_H
#define HN_EVAL_JUDGE_H

#include <hone/eval.h>

/** A kind of part. One of `score` and `compare` is NULL. */
typedef struct hn_judge_kind {
    const char *name;
    /** NULL: no state. */
    hone_status (*open)(const hone_judge_options *options, void **state);
    void (*close)(void *state);
    /** *score in [0, 1]. */
    hone_status (*score)(void *state, const hone_case *about, const char *text, double *score);
    /** *p in [0, 1], or NAN: no verdict. */
    hone_status (*compare)(void *state, hone_judge_counts *counts, const hone_case *about, const char *a,
                           const char *b, double *p);
} hn_judge_kind;

extern const hn_judge_kind hn_judge_exact, hn_judge_chrf, hn_judge_rules, hn_judge_command, hn_judge_http;

/** As hone_judge_open. Where the options name no cache, verdicts that are bought are kept in OUT/verdicts; where they have no `stop`, it is
 *  the observer's (which may be NULL). */
HONE_MUST_USE hone_status hn_judge_open_beside(const hone_judge_options *options, const char *out,
                                               const hone_eval_observer *observer, hone_judge **judge);
/** chrF2 of two texts, 0 to 100. */
HONE_MUST_USE hone_status hn_chrf(const char *text, const char *reference, double *score);
/** The part of `text` between white space at its ends. */
const char *hn_trim(const char *text, size_t *length);

#endif
