/* Where the bandit's methods lead: formulas for SRPO and IPO, Newton's method for DPO. */
#include "loss/bandit.h"

#include "core/memory.h"
#include "core/status.h"
#include "loss/method.h"

#include <math.h>
#include <string.h>

#define MOST HONE_BANDIT_MOST_ACTIONS
#define NEWTON_STEPS 200

void hn_bandit_softmax(const double *logit, int32_t n, double *out, double *log_out) {
    double most = -INFINITY, sum = 0.0;
    for (int32_t i = 0; i < n; i++)
        most = fmax(most, logit[i]);
    for (int32_t i = 0; i < n; i++)
        sum += exp(logit[i] - most);
    for (int32_t i = 0; i < n; i++) {
        double value = logit[i] - most - log(sum);
        out[i] = exp(value);
        if (log_out)
            log_out[i] = value;
    }
}

static double log_sum_exp(const double *value, int32_t n) {
    double most = -INFINITY, sum = 0.0;
    for (int32_t i = 0; i < n; i++)
        most = fmax(most, value[i]);
    for (int32_t i = 0; i < n; i++)
        sum += exp(value[i] - most);
    return most + log(sum);
}

/* pi+(j|i) ~ exp(p(j > i)/beta) (eq. 5), pi(i) ~ 1/Z(i) (eq. 11); the uniform reference cancels. */
static void closed_srpo(const hone_bandit_problem *problem, double beta, double *policy, double *revision) {
    const int32_t n = problem->actions;
    double logit[MOST], easier[MOST];
    for (int32_t i = 0; i < n; i++) {
        for (int32_t j = 0; j < n; j++)
            logit[j] = problem->preference[j * n + i] / beta;
        easier[i] = -log_sum_exp(logit, n);
        if (revision)
            hn_bandit_softmax(logit, n, revision + i * n, NULL);
    }
    hn_bandit_softmax(easier, n, policy, NULL);
}

static void closed_ipo(const hone_bandit_problem *problem, double beta, double *policy) {
    const int32_t n = problem->actions;
    double logit[MOST];
    for (int32_t i = 0; i < n; i++) {
        double wins = 0.0;
        for (int32_t j = 0; j < n; j++)
            wins += problem->behaviour[j] * problem->preference[i * n + j];
        logit[i] = wins / beta;
    }
    hn_bandit_softmax(logit, n, policy, NULL);
}

/* Ford's condition: from every action there is a chain of possible wins to every other one; else the
 * likelihood rises for ever. */
static bool has_minimum(const double *share, int32_t n) {
    for (int direction = 0; direction < 2; direction++) {
        bool reached[MOST] = {true};
        int32_t queue[MOST] = {0}, length = 1;
        for (int32_t at = 0; at < length; at++)
            for (int32_t j = 0; j < n; j++) {
                int32_t i = queue[at];
                double wins = direction ? share[j * n + i] : share[i * n + j];
                if (!reached[j] && wins > 0.0) {
                    reached[j] = true;
                    queue[length++] = j;
                }
            }
        if (length < n)
            return false;
    }
    return true;
}

/* Solves (A + 1 1^T) x = b in place by Cholesky, for the Laplacian A of a connected graph, which lacks the
 * constant vector alone: b is orthogonal to it, so x is as well. False when A is too close to singular. */
static bool solve(double *a, double *b, int32_t n) {
    for (int32_t i = 0; i < n * n; i++)
        a[i] += 1.0 / n;
    for (int32_t j = 0; j < n; j++) {
        for (int32_t k = 0; k < j; k++)
            a[j * n + j] -= a[j * n + k] * a[j * n + k];
        if (!(a[j * n + j] > 0.0))
            return false;
        a[j * n + j] = sqrt(a[j * n + j]);
        for (int32_t i = j + 1; i < n; i++) {
            for (int32_t k = 0; k < j; k++)
                a[i * n + j] -= a[i * n + k] * a[j * n + k];
            a[i * n + j] /= a[j * n + j];
        }
    }
    for (int32_t i = 0; i < n; i++) {
        for (int32_t k = 0; k < i; k++)
            b[i] -= a[i * n + k] * b[k];
        b[i] /= a[i * n + i];
    }
    for (int32_t i = n - 1; i >= 0; i--) {
        for (int32_t k = i + 1; k < n; k++)
            b[i] -= a[k * n + i] * b[k];
        b[i] /= a[i * n + i];
    }
    return true;
}

static double logistic_loss(const double *share, const double *score, int32_t n) {
    double loss = 0.0;
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++)
            loss += share[i * n + j] * hn_nlog_sigmoid(score[i] - score[j]);
    return loss;
}

/* Minus the gradient and the Hessian of logistic_loss; returns the gradient's largest entry. */
static double logistic_model(const double *share, const double *score, int32_t n, double *descent,
                             double *hessian) {
    double most = 0.0;
    memset(descent, 0, (size_t)n * sizeof *descent);
    memset(hessian, 0, (size_t)(n * n) * sizeof *hessian);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < n; j++) {
            double slope = hn_nlog_sigmoid_slope(score[i] - score[j]);
            double bend = -slope * (1.0 + slope) * share[i * n + j];
            if (i == j)
                continue;
            descent[i] -= share[i * n + j] * slope;
            descent[j] += share[i * n + j] * slope;
            hessian[i * n + i] += bend;
            hessian[j * n + j] += bend;
            hessian[i * n + j] -= bend;
            hessian[j * n + i] -= bend;
        }
    for (int32_t i = 0; i < n; i++)
        most = fmax(most, fabs(descent[i]));
    return most;
}

/* Newton with halving on s = beta r; the loss is convex, so a step that does not help is only too long. */
static hone_status minimise(const double *share, int32_t n, double *score) {
    double *hessian = NULL, step[MOST], next[MOST];
    hone_status status = HONE_OK;
    HN_TRY(hn_alloc(&hessian, (size_t)(n * n), sizeof *hessian, "the bandit's Hessian"));
    for (int k = 0; k < NEWTON_STEPS; k++) {
        double size = 1.0, before = logistic_loss(share, score, n);
        if (logistic_model(share, score, n, step, hessian) < 1e-14 || !solve(hessian, step, n))
            break;
        do {
            for (int32_t i = 0; i < n; i++)
                next[i] = score[i] + size * step[i];
            size /= 2.0;
        } while (size > 1e-12 && !(logistic_loss(share, next, n) <= before));
        memcpy(score, next, (size_t)n * sizeof *score);
    }
    if (logistic_model(share, score, n, step, hessian) > 1e-9)
        status = hn_fail(HONE_ERROR_NUMERIC, "DPO's minimum on this bandit lies too far out to be found");
    hn_free(hessian);
    return status;
}

static hone_status closed_dpo(const hone_bandit_problem *problem, const hone_loss_options *options,
                              double *policy) {
    const int32_t n = problem->actions;
    const double e = options->label_smoothing;
    double *share = NULL, score[MOST] = {0.0};
    hone_status status = HONE_OK;
    HN_TRY(hn_alloc(&share, (size_t)(n * n), sizeof *share, "the bandit's data"));
    hn_bandit_expected(problem, share);
    for (int32_t i = 0; i < n; i++)
        for (int32_t j = 0; j < i; j++) {
            double ij = share[i * n + j], ji = share[j * n + i];
            share[i * n + j] = (1.0 - e) * ij + e * ji;
            share[j * n + i] = (1.0 - e) * ji + e * ij;
        }
    if (!has_minimum(share, n))
        HN_GO(hn_fail(HONE_ERROR_NUMERIC,
                      "DPO has no minimum on this bandit: some actions are always preferred to the "
                      "others, so their advantage grows for ever"));
    HN_GO(minimise(share, n, score));
    for (int32_t i = 0; i < n; i++)
        score[i] /= options->beta;
    hn_bandit_softmax(score, n, policy, NULL);
done:
    hn_free(share);
    return status;
}

hone_status hone_bandit_closed_form(const hone_bandit_problem *problem, const hone_loss_options *options,
                                    double *policy, double *revision) {
    HN_TRY(hone_bandit_check(problem));
    HN_TRY(hn_bandit_check_method(options));
    if (options->method == HONE_DPO)
        return closed_dpo(problem, options, policy);
    if (options->method == HONE_IPO)
        closed_ipo(problem, options->beta, policy);
    else
        closed_srpo(problem, options->beta, policy, revision);
    return HONE_OK;
}
