/**
 * The bandit: preference optimisation without networks, in tables.
 *
 * One prompt, n completions ("actions"), a preference matrix and a behaviour policy that wrote the data:
 * section 5 of SRPO (arXiv 2406.01660). Policies are softmax tables, the reference is uniform, a pair's loss
 * is the one of hone/loss.h, optimised by Adam on all the data at once. SRPO learns pi (n logits) and pi+ (n
 * x n logits); DPO and IPO learn pi alone.
 */
#ifndef HONE_BANDIT_H
#define HONE_BANDIT_H

#include <hone/export.h>
#include <hone/loss.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stdint.h>

HONE_BEGIN

#define HONE_BANDIT_MOST_ACTIONS 64

/** Borrowed. Pairs are drawn as y1, y2 ~ mu independently, then y1 is preferred with chance p(y1 > y2). */
typedef struct hone_bandit_problem {
    int32_t actions;          /**< n, 2 to HONE_BANDIT_MOST_ACTIONS */
    const double *preference; /**< [n][n] p(i > j): in [0,1], p(i > j) + p(j > i) = 1, 1/2 on the diagonal */
    const double *behaviour;  /**< [n] mu: every action's positive, together 1 */
} hone_bandit_problem;

typedef struct hone_bandit_options {
    hone_loss_options loss; /**< method: SRPO, IPO or DPO */
    int64_t pairs;          /**< how many pairs are drawn; 0: the expectation over all of them */
    int64_t steps;
    double
        lr; /**< Adam's, constant, for beta times the logits; its betas are 0.9 and 0.999, its epsilon 1e-8 */
    uint64_t seed;
} hone_bandit_options;

/** Owned by the library; read only. */
typedef struct hone_bandit_result {
    int32_t actions;
    int64_t steps;
    double loss;             /**< of the trained policies: the mean over the data */
    bool has_revision;       /**< SRPO */
    bool has_closed_form;    /**< see ::hone_bandit_closed_form */
    double *policy;          /**< [n] */
    double *revision;        /**< [n][n] pi+(j | i): row i is what follows draft i; zeros unless SRPO */
    double *closed_form;     /**< [n] */
    double *closed_revision; /**< [n][n]; zeros unless SRPO */
    double *trajectory;      /**< [steps + 1][n] pi before the first step and after each */
} hone_bandit_result;

/** Three actions and the paper's kind of preferences, [3][3]: under the uniform behaviour every method
 * prefers action 2; under (.2, .7, .1) DPO and IPO prefer action 0. */
HONE_API const double *hone_bandit_example(void);

/** beta 1, alpha 1/2, the expectation, enough steps to converge on the example. */
HONE_API hone_bandit_options hone_bandit_defaults(hone_method method);

/** HONE_ERROR_ARGUMENT naming the entry, its value and what it must be. */
HONE_API HONE_MUST_USE hone_status hone_bandit_check(const hone_bandit_problem *problem);

/**
 * Where training with the expected loss leads. SRPO: equations 11 and 5, which do not know mu. IPO:
 * pi(y) ~ exp(E_{y'~mu}[p(y > y')] / beta). DPO has no formula outside of Bradley-Terry preferences: its
 * convex loss is minimised by Newton's method; it has no minimum when one set of actions is always preferred
 * to the rest (HONE_ERROR_NUMERIC). `policy` [n]; `revision` [n][n] or NULL, filled for SRPO alone.
 */
HONE_API HONE_MUST_USE hone_status hone_bandit_closed_form(const hone_bandit_problem *problem,
                                                           const hone_loss_options *options, double *policy,
                                                           double *revision);

/** Trains from logits zero. *result is NULL on failure. */
HONE_API HONE_MUST_USE hone_status hone_bandit_train(const hone_bandit_problem *problem,
                                                     const hone_bandit_options *options,
                                                     hone_bandit_result **result);
HONE_API void hone_bandit_destroy(hone_bandit_result *result);

HONE_END

#endif
