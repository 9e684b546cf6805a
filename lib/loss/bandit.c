/* Training the bandit's tables. */
#include "loss/bandit.h"

#include "core/memory.h"
#include "core/status.h"

#include <math.h>
#include <string.h>

#define MOST_STEPS 10000000

/*
 * Row 0 is pi, row 1 + i is pi+(.|i). What Adam moves is beta times the logits: that is what the losses see,
 * so the number of steps to the solution does not depend on beta.
 */
typedef struct tables {
    int32_t n, rows;
    double beta;
    double *parameter, *logit, *probability, *log_probability, *gradient; /* [rows][n] */
    double *first, *second;                                               /* Adam's moments, [rows][n] */
    double *share;                                                        /* [n][n] */
} tables;

static hone_status tables_create(tables *t, int32_t n, bool revision, double beta) {
    *t = (tables){.n = n, .beta = beta, .rows = revision ? n + 1 : 1};
    const size_t count = (size_t)n * (size_t)t->rows;
    double **array[] = {&t->parameter, &t->logit, &t->probability, &t->log_probability,
                        &t->gradient,  &t->first, &t->second};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        HN_TRY(hn_alloc(array[i], count, sizeof **array[i], "the bandit's tables"));
    return hn_alloc(&t->share, (size_t)n * (size_t)n, sizeof *t->share, "the bandit's data");
}

static void tables_clear(tables *t) {
    double *array[] = {t->parameter, t->logit, t->probability, t->log_probability,
                       t->gradient,  t->first, t->second,      t->share};
    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hn_free(array[i]);
}

static void normalise(tables *t) {
    for (int32_t row = 0; row < t->rows; row++) {
        ptrdiff_t at = (ptrdiff_t)row * t->n;
        for (int32_t i = 0; i < t->n; i++)
            t->logit[at + i] = t->parameter[at + i] / t->beta;
        hn_bandit_softmax(t->logit + at, t->n, t->probability + at, t->log_probability + at);
    }
}

/* The places of the six conditionals of (w, l) in the tables: row 1 + b is "given b". */
static void places(const tables *t, int32_t w, int32_t l, ptrdiff_t place[HONE_CONDITIONAL_COUNT]) {
    const ptrdiff_t n = t->n;
    place[HONE_W] = w;
    place[HONE_L] = l;
    place[HONE_W_GIVEN_L] = (1 + l) * n + w;
    place[HONE_L_GIVEN_L] = (1 + l) * n + l;
    place[HONE_W_GIVEN_W] = (1 + w) * n + w;
    place[HONE_L_GIVEN_W] = (1 + w) * n + l;
}

/* Adds one kind of pair to the loss and to d loss / d log-probability, which `gradient` holds for now. */
static hone_status add_pair(tables *t, const hone_loss_options *options, int32_t w, int32_t l, double *loss) {
    const double share = t->share[w * t->n + l], uniform = -log((double)t->n);
    hone_pair_logps pair = {.tokens = {1, 1}, .preference = 1.0};
    ptrdiff_t place[HONE_CONDITIONAL_COUNT];
    hone_loss_value value;
    const int count = t->rows > 1 ? HONE_CONDITIONAL_COUNT : 2;
    places(t, w, l, place);
    for (int c = 0; c < count; c++) {
        pair.policy[c] = t->log_probability[place[c]];
        pair.reference[c] = uniform;
    }
    HN_TRY(hone_loss_evaluate(options, &pair, &value));
    *loss += share * value.loss;
    for (int c = 0; c < count; c++)
        t->gradient[place[c]] += share * value.derivative[c];
    return HONE_OK;
}

/* The loss, and its gradient by the parameters: through a softmax, dlogit = d - p sum(d). */
static hone_status evaluate(tables *t, const hone_loss_options *options, double *loss) {
    const ptrdiff_t n = t->n;
    *loss = 0.0;
    memset(t->gradient, 0, (size_t)(n * t->rows) * sizeof *t->gradient);
    for (int32_t w = 0; w < n; w++)
        for (int32_t l = 0; l < n; l++)
            if (t->share[w * n + l] > 0.0)
                HN_TRY(add_pair(t, options, w, l, loss));
    for (int32_t row = 0; row < t->rows; row++) {
        double *d = t->gradient + row * n, sum = 0.0;
        for (int32_t i = 0; i < n; i++)
            sum += d[i];
        for (int32_t i = 0; i < n; i++)
            d[i] = (d[i] - t->probability[row * n + i] * sum) / t->beta;
    }
    return HONE_OK;
}

/* Kingma and Ba, arXiv 1412.6980. */
static void adam(tables *t, double lr, int64_t step) {
    const double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
    const double first_scale = 1.0 / (1.0 - pow(beta1, (double)step));
    const double second_scale = 1.0 / (1.0 - pow(beta2, (double)step));
    for (int32_t i = 0; i < t->n * t->rows; i++) {
        double g = t->gradient[i];
        t->first[i] += (1.0 - beta1) * (g - t->first[i]);
        t->second[i] += (1.0 - beta2) * (g * g - t->second[i]);
        t->parameter[i] -= lr * t->first[i] * first_scale / (sqrt(t->second[i] * second_scale) + epsilon);
    }
}

static hone_status optimise(tables *t, const hone_bandit_options *options, hone_bandit_result *result) {
    const size_t row = (size_t)t->n * sizeof(double);
    normalise(t);
    memcpy(result->trajectory, t->probability, row);
    for (int64_t step = 1; step <= options->steps; step++) {
        HN_TRY(evaluate(t, &options->loss, &result->loss));
        adam(t, options->lr, step);
        normalise(t);
        memcpy(result->trajectory + step * t->n, t->probability, row);
    }
    HN_TRY(evaluate(t, &options->loss, &result->loss));
    memcpy(result->policy, t->probability, row);
    if (result->has_revision)
        memcpy(result->revision, t->probability + t->n, row * (size_t)t->n);
    return HONE_OK;
}

static hone_status result_create(const hone_bandit_problem *problem, const hone_bandit_options *options,
                                 hone_bandit_result **out) {
    const size_t n = (size_t)problem->actions, size = sizeof(double);
    HN_TRY(hn_alloc(out, 1, sizeof **out, "the bandit's result"));
    hone_bandit_result *result = *out;
    result->actions = problem->actions;
    result->steps = options->steps;
    result->has_revision = options->loss.method == HONE_SRPO;
    HN_TRY(hn_alloc(&result->policy, n, size, "the bandit's policy"));
    HN_TRY(hn_alloc(&result->revision, n * n, size, "the bandit's policy"));
    HN_TRY(hn_alloc(&result->closed_form, n, size, "the bandit's closed form"));
    HN_TRY(hn_alloc(&result->closed_revision, n * n, size, "the bandit's closed form"));
    return hn_alloc(&result->trajectory, n * ((size_t)options->steps + 1), size, "the bandit's trajectory");
}

void hone_bandit_destroy(hone_bandit_result *result) {
    if (!result)
        return;
    hn_free(result->policy);
    hn_free(result->revision);
    hn_free(result->closed_form);
    hn_free(result->closed_revision);
    hn_free(result->trajectory);
    hn_free(result);
}

hone_bandit_options hone_bandit_defaults(hone_method method) {
    hone_bandit_options options = {.loss = hone_loss_defaults(method), .steps = 4000, .lr = 0.01};
    options.loss.beta = 1.0;
    options.loss.alpha = 0.5;
    return options;
}

static hone_status check(const hone_bandit_problem *problem, const hone_bandit_options *options) {
    HN_TRY(hone_bandit_check(problem));
    HN_TRY(hn_bandit_check_method(&options->loss));
    if (options->steps < 0 || options->steps > MOST_STEPS)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld steps: give 0 to %d", (long long)options->steps,
                       MOST_STEPS);
    if (!(options->lr > 0.0 && isfinite(options->lr)))
        return hn_fail(HONE_ERROR_ARGUMENT, "lr is %g: it must be positive", options->lr);
    if (options->pairs < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld pairs: give 0 for the expectation, or at least 1",
                       (long long)options->pairs);
    return HONE_OK;
}

hone_status hone_bandit_train(const hone_bandit_problem *problem, const hone_bandit_options *options,
                              hone_bandit_result **out) {
    hone_bandit_result *result = NULL;
    hone_status status = HONE_OK;
    tables t = {0};
    *out = NULL;
    HN_TRY(check(problem, options));
    HN_GO(result_create(problem, options, &result));
    HN_GO(tables_create(&t, problem->actions, result->has_revision, options->loss.beta));
    if (options->pairs > 0)
        HN_GO(hn_bandit_sample(problem, options->pairs, options->seed, t.share));
    else
        hn_bandit_expected(problem, t.share);
    HN_GO(optimise(&t, options, result));
    status = hone_bandit_closed_form(problem, &options->loss, result->closed_form, result->closed_revision);
    result->has_closed_form = status == HONE_OK;
    if (status == HONE_ERROR_NUMERIC) /* training is fine; it only has nowhere to arrive */
        status = HONE_OK;
    if (status == HONE_OK)
        *out = result;
done:
    tables_clear(&t);
    if (status != HONE_OK)
        hone_bandit_destroy(result);
    return status;
}
