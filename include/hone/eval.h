/**
 * Evaluation: judges that compare two completions of a prompt, and what can be said of their verdicts.
 *
 * A judge is named by a specification, NAME[:WEIGHT] with commas between: "chrf", "chrf:0.7,rules:0.3".
 *
 *   exact    score 1 when the text equals the reference, both trimmed, else 0
 *   chrf     score chrF2 / 100 against the reference (Popovic 2015; as sacrebleu: character n-grams of order 1 to 6,
 *            beta 2, whitespace removed, averages over the orders that both texts have)
 *   rules    score of the house rules of a Debian synopsis: the share, by weight, of those that hold
 *              0.4  one line of 1 to 80 characters
 *              0.2  does not begin with an article (a, an, the)
 *              0.2  does not end in a full stop
 *              0.2  does not begin with the package's name (left out for a row without package)
 *            and 0 for an empty text
 *
 *   command  a program: a line {"prompt","reference","a","b"} of JSON on its standard input, answered with a line {"p":
 *            0..1} or {"winner": "a", "b" or "draw"} on its standard output; started again after a timeout or its end
 *   http     an OpenAI-compatible chat endpoint, asked which of two answers is better; only a reply of one letter, A, B
 *            or C (a draw), is a verdict. Certificates are verified, redirects are not followed
 *
 * Judges that compare are asked in both orders: p = (p(a, b) + 1 - p(b, a)) / 2, which is 1/2 for equal texts: nobody is asked.
 * What can't be read is no verdict.
 *
 * A judge of scores says p(a better than b) = 1, 1/2 or 0 by which score is larger, or sigmoid((score a - score b) /
 * temperature). A mixture of scores is their weighted mean; one with a judge that compares is a weighted mean of p.
 */
#ifndef HONE_EVAL_H
#define HONE_EVAL_H

#include <hone/device.h>
#include <hone/export.h>
#include <hone/model.h>
#include <hone/sample.h>
#include <hone/score.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

/** What a judge is told of a row; UTF-8. */
typedef struct hone_case {
    const char *prompt;
    const char *reference; /**< NULL: the row has none; judges that need it then fail */
    const char *package;   /**< for `rules`; NULL: the rule is left out */
} hone_case;

typedef struct hone_judge_options {
    const char *spec;
    double temperature; /**< 0: the larger score wins outright; in units of the score, which is in [0, 1] */
    double timeout;     /**< command, http: seconds for an answer, > 0 */

    const char *command; /**< command: as the shell takes it */

    const char *url;   /**< http: of the chat completions ("https://HOST/v1/chat/completions") */
    const char *model; /**< http: the model's name there */
    const char *key;   /**< http: sent as bearer token, by https or to this machine alone; NULL: none */
    const char *
        cache; /**< http: folder of verdicts, under a hash of endpoint and question, made when it is missing; NULL: none
                            (hone_eval, hone_pairs_make: OUT/verdicts) */
    int64_t retries; /**< http: after a failed connection, a timeout, status 408, 429 or 5xx */
    double
        backoff; /**< http: seconds before the first retry, doubled for each (at most 60, Retry-After heeded) */
    double rate; /**< http: most requests a second; 0: no limit */
    /** http: asked while it waits; true ends the comparison with HONE_ERROR_INTERRUPTED. NULL: never (hone_eval,
     *  hone_pairs_make: their observer's). */
    bool (*stop)(void *context);
    void *stop_context;
} hone_judge_options;
/** "exact", temperature 0, 60 seconds, 5 retries from 0.5 seconds on, no rate limit. */
HONE_API hone_judge_options hone_judge_defaults(void);

/** What became of the comparisons. */
typedef struct hone_judge_counts {
    int64_t asked;  /**< comparisons */
    int64_t failed; /**< of these, without a verdict */
    int64_t requests, retried, cached,
        unreadable; /**< http: sent, of these again; answered by the cache; command, http:
                                                        answers that are no verdict */
} hone_judge_counts;

typedef struct hone_judge hone_judge;
/** HONE_ERROR_ARGUMENT for an unknown name or a weight that is not a number > 0. Options are copied. */
HONE_API HONE_MUST_USE hone_status hone_judge_open(const hone_judge_options *options, hone_judge **judge);
HONE_API void hone_judge_close(hone_judge *judge);
/** Whether every part gives each text a score of its own. */
HONE_API bool hone_judge_has_scores(const hone_judge *judge);
/** The text's score in [0, 1]; HONE_ERROR_UNSUPPORTED for a judge without scores. */
HONE_API HONE_MUST_USE hone_status hone_judge_score(hone_judge *judge, const hone_case *about,
                                                    const char *text, double *score);
/** *p = p(a better than b) in [0, 1]; NAN when the judge gave no verdict, which is counted and is no error. */
HONE_API HONE_MUST_USE hone_status hone_judge_compare(hone_judge *judge, const hone_case *about,
                                                      const char *a, const char *b, double *p);
HONE_API hone_judge_counts hone_judge_counted(const hone_judge *judge);

/** A mean and how sure it is, from bootstrap resamples. */
typedef struct hone_estimate {
    double value;     /**< mean of the numbers themselves */
    double mean;      /**< of the resamples' means */
    double deviation; /**< of the resamples' means: sqrt(sum (m - mean)^2 / (resamples - 1)) */
    double low, high; /**< percentiles 2.5 and 97.5 of the resamples' means, interpolated linearly */
    int64_t count;    /**< numbers that were used: those that are not NAN */
} hone_estimate;

/** SRPO's protocol: `resamples` (20) of `size` (512) with replacement; of fewer numbers, as many as there are. Draws are a pure function of the seed. */
typedef struct hone_bootstrap {
    int64_t resamples, size;
    uint64_t seed;
} hone_bootstrap;
HONE_API hone_bootstrap hone_bootstrap_defaults(void);
/** NANs in value[count] (no verdict) are left out; with none left, all fields are NAN and count is 0.
 *  HONE_ERROR_ARGUMENT for fewer than 2 resamples or a size below 1. */
HONE_API HONE_MUST_USE hone_status hone_estimate_mean(const double *value, int64_t count,
                                                      const hone_bootstrap *bootstrap, hone_estimate *out);

/** Two methods on the same rows: a[i] against b[i]. Rows where either is NAN are left out. */
typedef struct hone_paired {
    int64_t wins, draws, losses; /**< a[i] >, =, < b[i] */
    double difference;           /**< mean of a - b */
    double low, high;   /**< 95 % percentile interval of the difference, 2,000 resamples of all rows */
    double sign_p;      /**< sign test, two-sided and exact: draws left out, binomial with 1/2 */
    double bootstrap_p; /**< two-sided: 2 min(share of resampled differences <= 0, >= 0), each share
                                      (n + 1) / (2000 + 1), at most 1 */
} hone_paired;
HONE_API HONE_MUST_USE hone_status hone_paired_test(const double *a, const double *b, int64_t count,
                                                    uint64_t seed, hone_paired *out);

/** A model, or an adapter on top of one, under the name that the tables show. */
typedef struct hone_eval_policy {
    const char *name, *model;
    const char *adapter; /**< NULL: the model alone */
} hone_eval_policy;

/**
 * Rows are JSONL (plain, .gz, .zst): `prompt` (a string, or a list with one message; pairs may leave it out, as in training), the
 * reference completion in
 * `reference`, `answer`, `chosen` or `completion` (the first that is there; optional when nothing needs it), optionally
 * `package`. Everything is borrowed during the call.
 */
typedef struct hone_eval_options {
    const hone_eval_policy *policy; /**< [policies], names distinct */
    size_t policies;
    const char *data, *ood; /**< rows in, and out of, distribution; `ood` may be NULL */
    int64_t limit;          /**< the first rows of each set; 0: all */
    const char *template_name, *device;
    hone_device_options on;
    hone_weights weights;       /**< how matrices are kept */
    hone_sample_options sample; /**< `revisions` n: drafts 0..n of each prompt */
    hone_judge_options judge;
    const char *against; /**< NULL: the reference completion; else the policy whose draft 0 is the opponent */
    hone_bootstrap bootstrap;
    const char *reference; /**< model folder: r(y|y) is against it; NULL: drafts are not kept by it */
    const char *out;       /**< folder of drafts.jsonl and results.json, made when it is missing */
    int64_t examples;      /**< rows of each set whose drafts stand in the results as well */
} hone_eval_options;

/** Both may be NULL. `stop` is asked between batches and verdicts: true ends with HONE_ERROR_INTERRUPTED; drafts stay. */
typedef struct hone_eval_observer {
    void *context;
    void (*progress)(void *context, const char *what, int64_t done, int64_t total);
    bool (*stop)(void *context);
} hone_eval_observer;

/**
 * Samples the drafts that drafts.jsonl lacks (a row there is known by a hash of weights, template, sampling options,
 * prompt and number, so nothing stale is taken), has them judged, and writes results.json.
 *
 * *json, free with hone_text_free: {"judge","opponent","revisions","sampling","bootstrap","policies":[{"name",..}],
 * "sets":[{"name":"in"|"out","data","rows"}], "results":[{"policy","set","revision","win_rate":ESTIMATE,"wins","draws",
 * "losses","failed","score":ESTIMATE (judges with scores),"changed": share of drafts unlike the one before,"tokens":
 * mean,"ended": share}], "kept":[{"policy","set","by","revision": mean number of the draft,"win_rate","wins",..,"score"}],
 * "paired":[{"set","on":"score"|"win_rate","a","a_revision","b","b_revision","difference","low",
 * "high","wins","draws","losses","sign_p","bootstrap_p"}], "head_to_head":[{"set","revision","a","b","win_rate":ESTIMATE
 * of a,"wins","draws","losses","failed","sign_p"}], "examples":[{"set","row","prompt","reference","policies":[{"name",
 * "drafts":[{"text","score"}]}]}], "judged": hone_judge_counts}. NAN is null.
 *
 * A verdict p counts as a win when p > 1/2, a draw when p = 1/2, a loss below; the win rate is the mean of p, so that a
 * judge that is sure gives 1, 1/2 and 0. Paired: each two policies at each revision, and each revision of a policy
 * against its draft 0. Head to head: each two policies at revisions 0 and 1. Kept, with revisions: of each row's drafts
 * the one that the policy itself would keep, "by" "likeliest" (hone_answer_likeliest) and, with a reference, "best"
 * (hone_answer_best); no judge takes part in the choice.
 */
HONE_API HONE_MUST_USE hone_status hone_eval(const hone_eval_options *options,
                                             const hone_eval_observer *observer, char **json);

enum { HONE_CALIBRATION_BINS = 10 };

/** A method's own numbers on preference rows that it was not trained on: no judge, no sampling. */
typedef struct hone_held_out {
    int64_t rows;
    double
        loss; /**< mean over rows; SFT: over the tokens of the completions, and all below is NAN or empty */
    double margin;   /**< mean of reward(chosen) - reward(rejected), as the training metrics have it */
    double accuracy; /**< share of rows whose larger reward is the preferred side's; equal: 1/2 */
    /** The preference model p^(y2 > y1) = 1/2 + beta [r(y2|y1) - r(y1|y1)] (SRPO's eq. 15), r of the method's units
     *  (sums, or means when length-normalised): the same, by (p^(w > l) + 1 - p^(l > w)) / 2 against 1/2. */
    double preference_accuracy;
    double brier; /**< mean of (p^ - label)^2 over both orders, p^ cut to [0, 1] */
    /** Of both orders of every row, by p^ cut to [0, 1]: bin k has p^ in [k/10, (k+1)/10), the last 1 as well. */
    struct {
        int64_t count;
        double predicted, observed; /**< mean p^, mean label; NAN in an empty bin */
    } bin[HONE_CALIBRATION_BINS];
} hone_held_out;
/** The first `limit` rows (0: all) of source->data; accuracies leave out rows with preference 1/2 (NAN when there are no
 *  others). `source->loss` gives method, beta and units; all six log-probabilities are computed whatever it reads, but for SFT, whose
 *  rows are completions and need no reference. */
HONE_API HONE_MUST_USE hone_status hone_held_out_measure(const hone_score_source *source, int64_t limit,
                                                         hone_held_out *out);

HONE_END

#endif
