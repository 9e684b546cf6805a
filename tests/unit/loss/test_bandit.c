/* The bandit against the numbers that the paper's equations give, against each other, and its refusals. */
#include <hone/bandit.h>

#include "core/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const double uniform[3] = {1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0}, skewed[3] = {.2, .7, .1};

static hone_bandit_problem example(const double *behaviour) {
    return (hone_bandit_problem){3, hone_bandit_example(), behaviour};
}

static void close_to(const double *got, const double *wanted, int32_t n, double tolerance) {
    for (int32_t i = 0; i < n; i++)
        if (!(fabs(got[i] - wanted[i]) <= tolerance))
            fail_msg("[%d] is %.9f, not %.9f", (int)i, got[i], wanted[i]);
}

static int32_t best(const double *policy, int32_t n) {
    int32_t most = 0;
    for (int32_t i = 1; i < n; i++)
        most = policy[i] > policy[most] ? i : most;
    return most;
}

static hone_bandit_result *trained(const hone_bandit_problem *problem, const hone_bandit_options *options) {
    hone_bandit_result *result = NULL;
    if (hone_bandit_train(problem, options, &result) != HONE_OK)
        fail_msg("%s", hone_message());
    return result;
}

static void published_closed_forms(void **state) {
    static const double at_1[3] = {.3553, .2571, .3876}, at_tenth[3] = {.1257, .0072, .8671};
    static const double ipo_0[3] = {.3618, .2566, .3816}, ipo_1[3] = {.3940, .2523, .3537};
    static const double dpo_0[3] = {.4050, .0686, .5265}, dpo_1[3] = {.6605, .0468, .2928};
    (void)state;
    const struct {
        hone_method method;
        double beta;
        const double *behaviour, *policy;
    } row[] = {
        {HONE_SRPO, 1.0, uniform, at_1},     {HONE_SRPO, 1.0, skewed, at_1},
        {HONE_SRPO, 0.1, uniform, at_tenth}, {HONE_SRPO, 0.1, skewed, at_tenth},
        {HONE_IPO, 1.0, uniform, ipo_0},     {HONE_IPO, 1.0, skewed, ipo_1},
        {HONE_DPO, 1.0, uniform, dpo_0},     {HONE_DPO, 1.0, skewed, dpo_1},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        hone_bandit_problem problem = example(row[i].behaviour);
        hone_loss_options options = hone_bandit_defaults(row[i].method).loss;
        double policy[3];
        options.beta = row[i].beta;
        assert_int_equal(hone_bandit_closed_form(&problem, &options, policy, NULL), HONE_OK);
        close_to(policy, row[i].policy, 3, 6e-5);
    }
}

/* Equation 5 written out once more. */
static void revision_is_equation_5(void **state) {
    hone_bandit_problem problem = example(skewed);
    hone_loss_options options = hone_bandit_defaults(HONE_SRPO).loss;
    double policy[3], revision[9];
    (void)state;
    options.beta = 0.3;
    assert_int_equal(hone_bandit_closed_form(&problem, &options, policy, revision), HONE_OK);
    double total = 0.0, z[3];
    for (int i = 0; i < 3; i++) {
        z[i] = 0.0;
        for (int j = 0; j < 3; j++)
            z[i] += exp(problem.preference[j * 3 + i] / 0.3) / 3.0;
        for (int j = 0; j < 3; j++)
            assert_true(fabs(revision[i * 3 + j] - exp(problem.preference[j * 3 + i] / 0.3) / 3.0 / z[i]) <
                        1e-14);
        total += 1.0 / z[i];
    }
    for (int i = 0; i < 3; i++)
        assert_true(fabs(policy[i] - 1.0 / z[i] / total) < 1e-14);
}

/* With the expectation as the loss, training arrives at the closed form: pi of all methods, and pi+. */
static void training_reaches_the_closed_form(void **state) {
    static const hone_method method[] = {HONE_SRPO, HONE_IPO, HONE_DPO};
    (void)state;
    for (int m = 0; m < 3; m++)
        for (int b = 0; b < 2; b++) {
            hone_bandit_problem problem = example(b ? skewed : uniform);
            hone_bandit_options options = hone_bandit_defaults(method[m]);
            hone_bandit_result *result = trained(&problem, &options);
            assert_true(result->has_closed_form);
            assert_int_equal(result->has_revision, method[m] == HONE_SRPO);
            close_to(result->policy, result->closed_form, 3, 1e-4);
            close_to(result->revision, result->closed_revision, 9, 1e-4);
            close_to(result->trajectory, uniform, 3, 1e-15);
            close_to(result->trajectory + 3 * options.steps, result->policy, 3, 0.0);
            hone_bandit_destroy(result);
        }
}

/* For other weights of the two losses, and for a small beta. */
static void srpo_for_any_alpha(void **state) {
    static const double alpha[] = {0.1, 0.8}, beta[] = {1.0, 0.1, 0.02};
    (void)state;
    for (int a = 0; a < 2; a++)
        for (int b = 0; b < 3; b++) {
            hone_bandit_problem problem = example(skewed);
            hone_bandit_options options = hone_bandit_defaults(HONE_SRPO);
            options.loss.alpha = alpha[a];
            options.loss.beta = beta[b];
            hone_bandit_result *result = trained(&problem, &options);
            close_to(result->policy, result->closed_form, 3, 1e-4);
            close_to(result->revision, result->closed_revision, 9, 1e-4);
            hone_bandit_destroy(result);
        }
}

/* The claim of section 5. */
static void robustness(void **state) {
    static const hone_method method[] = {HONE_SRPO, HONE_IPO, HONE_DPO};
    (void)state;
    for (int64_t pairs = 0; pairs <= 200000; pairs += 200000)
        for (int m = 0; m < 3; m++) {
            hone_bandit_problem even = example(uniform), odd = example(skewed);
            hone_bandit_options options = hone_bandit_defaults(method[m]);
            options.pairs = pairs;
            hone_bandit_result *a = trained(&even, &options), *b = trained(&odd, &options);
            assert_int_equal(best(a->policy, 3), 2);
            assert_int_equal(best(b->policy, 3), method[m] == HONE_SRPO ? 2 : 0);
            if (method[m] == HONE_SRPO)
                close_to(a->policy, b->policy, 3, pairs ? 2e-2 : 2e-3);
            hone_bandit_destroy(a);
            hone_bandit_destroy(b);
        }
}

static void sampling_is_a_function_of_the_seed(void **state) {
    hone_bandit_problem problem = example(skewed);
    hone_bandit_options options = hone_bandit_defaults(HONE_IPO);
    (void)state;
    options.pairs = 500;
    options.steps = 50;
    options.seed = 3;
    hone_bandit_result *a = trained(&problem, &options), *b = trained(&problem, &options);
    assert_memory_equal(a->trajectory, b->trajectory, 51 * 3 * sizeof(double));
    hone_bandit_destroy(b);
    options.seed = 4;
    b = trained(&problem, &options);
    assert_memory_not_equal(a->policy, b->policy, 3 * sizeof(double));
    hone_bandit_destroy(a);
    hone_bandit_destroy(b);
}

/* Random preferences of several sizes: the closed forms are stationary points of what is trained. */
static void random_problems(void **state) {
    static const hone_method method[] = {HONE_SRPO, HONE_IPO, HONE_DPO};
    static double p[64 * 64], mu[64];
    (void)state;
    for (uint32_t trial = 0; trial < 12; trial++) {
        int32_t n = trial < 11 ? 2 + (int32_t)trial / 3 * 2 : 64;
        double sum = 0.0;
        for (int32_t i = 0; i < n; i++) {
            for (int32_t j = 0; j <= i; j++) {
                double u = hn_random_uniform(5, HN_PURPOSE_TEST, trial, (uint64_t)(i * 64 + j));
                p[i * n + j] = i == j ? 0.5 : 0.05 + 0.9 * u;
                p[j * n + i] = 1.0 - p[i * n + j];
            }
            mu[i] = 0.2 + hn_random_uniform(6, HN_PURPOSE_TEST, trial, (uint64_t)i);
            sum += mu[i];
        }
        for (int32_t i = 0; i < n; i++)
            mu[i] /= sum;
        hone_bandit_problem problem = {n, p, mu};
        hone_bandit_options options = hone_bandit_defaults(method[trial % 3]);
        options.steps = n == 64 ? 300 : 3000;
        options.loss.label_smoothing = trial == 2 ? 0.2 : 0.0;
        hone_bandit_result *result = trained(&problem, &options);
        assert_true(result->has_closed_form);
        close_to(result->policy, result->closed_form, n, 1e-3);
        close_to(result->revision, result->closed_revision, n * n, 2e-3);
        hone_bandit_destroy(result);
    }
}

static void without_a_minimum(void **state) {
    static const double always[4] = {.5, 1.0, 0.0, .5}, half[2] = {.5, .5};
    (void)state;
    hone_bandit_problem problem = {2, always, half};
    hone_bandit_options options = hone_bandit_defaults(HONE_DPO);
    double policy[2];
    options.steps = 20;
    assert_int_equal(hone_bandit_closed_form(&problem, &options.loss, policy, NULL), HONE_ERROR_NUMERIC);
    assert_non_null(strstr(hone_message(), "no minimum"));
    hone_bandit_result *result = trained(&problem, &options);
    assert_false(result->has_closed_form);
    assert_true(result->policy[0] > 0.5);
    hone_bandit_destroy(result);
    options.loss.label_smoothing = 0.1; /* which is one of the remedies */
    assert_int_equal(hone_bandit_closed_form(&problem, &options.loss, policy, NULL), HONE_OK);
    assert_true(fabs(log(policy[0] / policy[1]) - log(9.0)) < 1e-9);
}

static void refuse_problem(int32_t n, const double *p, const double *mu, const char *word) {
    hone_bandit_problem problem = {n, p, mu};
    hone_bandit_options options = hone_bandit_defaults(HONE_SRPO);
    hone_bandit_result *result = NULL;
    assert_int_equal(hone_bandit_train(&problem, &options, &result), HONE_ERROR_ARGUMENT);
    assert_null(result);
    if (!strstr(hone_message(), word))
        fail_msg("\"%s\" does not say \"%s\"", hone_message(), word);
}

static void refuse_options(hone_bandit_options options, hone_status status, const char *word) {
    hone_bandit_problem problem = example(uniform);
    hone_bandit_result *result = NULL;
    assert_int_equal(hone_bandit_train(&problem, &options, &result), status);
    assert_null(result);
    if (!strstr(hone_message(), word))
        fail_msg("\"%s\" does not say \"%s\"", hone_message(), word);
}

static void refusals(void **state) {
    static const double good[4] = {.5, .6, .4, .5}, diagonal[4] = {.4, .6, .4, .5}, sum[4] = {.5, .6, .5, .5};
    static const double above[4] = {.5, 1.1, -.1, .5}, nan_entry[4] = {.5, NAN, .4, .5};
    static const double half[2] = {.5, .5}, zero[2] = {1.0, 0.0}, less[2] = {.5, .4},
                        negative[2] = {1.5, -.5};
    hone_bandit_options options = hone_bandit_defaults(HONE_SRPO);
    (void)state;
    refuse_problem(1, good, half, "1 actions");
    refuse_problem(65, good, half, "65 actions");
    refuse_problem(2, diagonal, half, "diagonal");
    refuse_problem(2, sum, half, "together they must be 1");
    refuse_problem(2, above, half, "[0, 1]");
    refuse_problem(2, nan_entry, half, "preference [0][1]");
    refuse_problem(2, good, zero, "behaviour [1] is 0");
    refuse_problem(2, good, less, "add up to 0.9");
    refuse_problem(2, good, negative, "behaviour [0]");
    options.loss.beta = -1.0;
    refuse_options(options, HONE_ERROR_ARGUMENT, "beta");
    options = hone_bandit_defaults(HONE_SRPO);
    options.lr = 0.0;
    refuse_options(options, HONE_ERROR_ARGUMENT, "lr");
    options = hone_bandit_defaults(HONE_SRPO);
    options.steps = -1;
    refuse_options(options, HONE_ERROR_ARGUMENT, "steps");
    options = hone_bandit_defaults(HONE_SRPO);
    options.pairs = -1;
    refuse_options(options, HONE_ERROR_ARGUMENT, "pairs");
    refuse_options(hone_bandit_defaults(HONE_SFT), HONE_ERROR_UNSUPPORTED, "sft");
    hone_bandit_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_closed_forms),
        cmocka_unit_test(revision_is_equation_5),
        cmocka_unit_test(training_reaches_the_closed_form),
        cmocka_unit_test(srpo_for_any_alpha),
        cmocka_unit_test(robustness),
        cmocka_unit_test(sampling_is_a_function_of_the_seed),
        cmocka_unit_test(random_problems),
        cmocka_unit_test(without_a_minimum),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
