/**
 * Preference data out of a model: completions are sampled, a judge compares them, rows are written.
 *
 * Of each prompt, `samples` answers are drawn, each revised `sample.revisions` times: the candidates. What did not end by
 * itself, is empty, or repeats an earlier candidate is left out of them, and counted.
 *
 * The behaviour policy mu(y|x) that a data set is taken to come from is a reweighting of the candidates,
 *
 *     mu(y_i|x) ~ exp(sum_f strength_f z_f(y_i)),    z_f = (f(y_i) - mean f) / deviation of f over the prompt's candidates,
 *
 * of features f: `length` (tokens), `score` (the judge's), `logp` (mean log-probability of a token under the sampler), `revision`
 * (number of the draft). A pair is two independent draws from mu that differ. The preferences do not change with mu:
 * data sets with different behaviour and the same preferences are what SRPO is robust to (SRPO.md, section 5 of the paper).
 */
#ifndef HONE_PAIRS_H
#define HONE_PAIRS_H

#include <hone/eval.h>

HONE_BEGIN

typedef enum hone_pairs_select {
    HONE_PAIRS_DRAW = 0, /**< `count` different pairs of a prompt, drawn from mu x mu */
    HONE_PAIRS_BEST, /**< the candidate of the largest mean p(it > another) against that of the smallest */
    HONE_PAIRS_ALL   /**< every pair of candidates */
} hone_pairs_select;
/** "draw", "best", "all"; HONE_ERROR_ARGUMENT otherwise. */
HONE_API HONE_MUST_USE hone_status hone_pairs_select_parse(const char *text, hone_pairs_select *select);

/** What a row says of p = p(a > b). */
typedef enum hone_pairs_label {
    HONE_PAIRS_SOFT = 0, /**< the likelier one is `chosen`, `preference` = max(p, 1 - p) */
    HONE_PAIRS_HARD,     /**< the likelier one is `chosen`, no `preference` */
    HONE_PAIRS_SAMPLED /**< a is `chosen` with probability p, as one annotator would say it; no `preference` */
} hone_pairs_label;
/** "soft", "hard", "sampled"; HONE_ERROR_ARGUMENT otherwise. */
HONE_API HONE_MUST_USE hone_status hone_pairs_label_parse(const char *text, hone_pairs_label *label);

/** Everything is borrowed during the call. */
typedef struct hone_pairs_options {
    hone_eval_policy policy; /**< who writes; its name goes into the rows */
    const char *data;        /**< rows as of an evaluation: a prompt, and what the judge wants */
    int64_t limit;           /**< the first rows alone; 0: all */
    const char *template_name, *device;
    hone_device_options on;
    hone_weights weights;
    hone_sample_options sample; /**< its seed also draws pairs and labels */
    int64_t samples;            /**< k answers a prompt, >= 1; with revisions, k (n + 1) candidates, >= 2 */
    hone_judge_options judge;
    const char *behaviour; /**< "FEATURE:STRENGTH,..", NULL: uniform */
    hone_pairs_select select;
    int64_t count; /**< pairs of a prompt, at most */
    hone_pairs_label label;
    const char *out; /**< folder of drafts.jsonl, pairs.jsonl and summary.json, made when it is missing */
} hone_pairs_options;
/** 2 answers at temperature 1, one pair, judged by "exact", soft labels. */
HONE_API hone_pairs_options hone_pairs_defaults(void);

/**
 * Samples what drafts.jsonl lacks (as hone_eval), judges, and writes pairs.jsonl, whole or not at all: rows {"prompt",
 * "chosen","rejected","preference","source":{"policy","judge","behaviour","seed","row" (of `data`, from 0),"p" (of chosen
 * over rejected),"chosen":SIDE,"rejected":SIDE}}, SIDE {"sample","revision","tokens","score"}. Pairs with p = 1/2 are left out
 * (but for HONE_PAIRS_SAMPLED), as are those without a verdict.
 *
 * *json, free with hone_text_free, is summary.json: {"policy":{"name","model","adapter"},"data","template","rows","candidates","unended","empty","repeated","pairs","ties","no_verdict",
 * "alone" (prompts with fewer than two candidates),"preference": mean p,"tokens":{"chosen","rejected"},"score":{"chosen",
 * "rejected"} (judges with scores),"judge","judge_temperature","behaviour","label","select","sampling","judged": hone_judge_counts}.
 *
 * HONE_ERROR_FORMAT when no pair is left: a data set without rows helps nobody.
 */
HONE_API HONE_MUST_USE hone_status hone_pairs_make(const hone_pairs_options *options,
                                                   const hone_eval_observer *observer, char **json);

HONE_END

#endif
