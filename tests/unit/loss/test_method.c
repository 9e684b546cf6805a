/* Every loss: finite differences, the value at the reference, soft labels, units, extremes, refusals. */
#include <hone/loss.h>

#include "core/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define TRIALS 200

static double draw(uint64_t trial, uint64_t index) {
    return hn_random_uniform(7, HN_PURPOSE_TEST, (uint32_t)trial, index);
}

static hone_pair_logps random_pair(uint64_t trial) {
    hone_pair_logps pair = {
        .tokens = {1 + (int64_t)(40.0 * draw(trial, 20)), 1 + (int64_t)(40.0 * draw(trial, 21))},
        .preference = trial % 3 == 0 ? 1.0 : draw(trial, 22)};
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        pair.policy[c] = -20.0 * draw(trial, (uint64_t)c);
        pair.reference[c] = pair.policy[c] + 4.0 * draw(trial, 6 + (uint64_t)c) - 2.0;
    }
    return pair;
}

static hone_loss_options random_options(hone_method method, uint64_t trial) {
    hone_loss_options options = hone_loss_defaults(method);
    options.beta = 0.02 + draw(trial, 30);
    options.alpha = trial % 5 == 0 ? 0.0 : trial % 5 == 1 ? 1.0 : draw(trial, 31);
    options.gamma = 2.0 * draw(trial, 32) - 1.0;
    options.rpo_lambda = 2.0 * draw(trial, 33);
    options.label_smoothing = trial % 2 ? 0.49 * draw(trial, 34) : 0.0;
    options.length_normalize = trial / 2 % 2;
    options.ipo_sums = trial / 4 % 2;
    return options;
}

static double loss_of(const hone_loss_options *options, const hone_pair_logps *pair) {
    hone_loss_value value;
    assert_int_equal(hone_loss_evaluate(options, pair, &value), HONE_OK);
    return value.loss;
}

static void near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance * fmax(1.0, fmax(fabs(a), fabs(b)))))
        fail_msg("%.17g and %.17g differ by more than %g", a, b, tolerance);
}

static void one_difference(const hone_loss_options *options, const hone_pair_logps *pair,
                           const hone_loss_value *value, int c) {
    const double h = 1e-4;
    hone_pair_logps up = *pair, down = *pair, up2 = *pair, down2 = *pair;
    up.policy[c] += h;
    down.policy[c] -= h;
    up2.policy[c] += 2.0 * h;
    down2.policy[c] -= 2.0 * h;
    /* Fourth order: exact for the squares, 1e-12 for the logarithms. */
    double slope = 8.0 * (loss_of(options, &up) - loss_of(options, &down));
    slope = (slope - loss_of(options, &up2) + loss_of(options, &down2)) / (12.0 * h);
    near(value->derivative[c], slope, 1e-7);
}

static void derivatives_are_finite_differences(void **state) {
    (void)state;
    for (int m = 0; m < HONE_METHOD_COUNT; m++)
        for (uint64_t trial = 0; trial < TRIALS; trial++) {
            hone_loss_options options = random_options((hone_method)m, trial);
            hone_pair_logps pair = random_pair(trial);
            hone_loss_value value;
            assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
            for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
                one_difference(&options, &pair, &value, c);
        }
}

/* What a method does not read it must not touch: a NaN there changes nothing. */
static void unread_numbers_are_unread(void **state) {
    (void)state;
    for (int m = 0; m < HONE_METHOD_COUNT; m++)
        for (uint64_t trial = 0; trial < TRIALS; trial++) {
            hone_loss_options options = random_options((hone_method)m, trial);
            hone_pair_logps pair = random_pair(trial), hole;
            hone_loss_value value, same;
            uint32_t read = hone_loss_conditionals(&options);
            hole = pair;
            for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
                if (!(read >> c & 1u))
                    hole.policy[c] = hole.reference[c] = NAN;
                if (!hone_loss_needs_reference(&options))
                    hole.reference[c] = NAN;
            }
            assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
            assert_int_equal(hone_loss_evaluate(&options, &hole, &same), HONE_OK);
            assert_memory_equal(&value, &same, sizeof value);
            for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
                if (!(read >> c & 1u))
                    assert_true(value.derivative[c] == 0.0);
        }
}

static void at_the_reference(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        hone_pair_logps pair = random_pair(trial);
        pair.preference = 1.0;
        double loss = 0.0;
        hone_loss_options options = random_options(HONE_SRPO, trial);
        assert_true(hone_loss_at_reference(&options, &pair, &loss));
        near(loss, 1.0 - options.alpha / 2.0, 1e-15);
        options = random_options(HONE_DPO, trial);
        assert_true(hone_loss_at_reference(&options, &pair, &loss));
        near(loss, log(2.0), 1e-15);
        options = random_options(HONE_IPO, trial);
        assert_true(hone_loss_at_reference(&options, &pair, &loss));
        near(loss, 1.0 / (4.0 * options.beta * options.beta), 1e-15);
        options = random_options(HONE_RPO, trial);
        assert_true(hone_loss_at_reference(&options, &pair, &loss));
        near(loss, log(2.0) - options.rpo_lambda * pair.reference[HONE_W] / (double)pair.tokens[0], 1e-14);
        options = random_options(HONE_SIMPO, trial);
        assert_false(hone_loss_at_reference(&options, &pair, &loss));
        options = random_options(HONE_SFT, trial);
        assert_false(hone_loss_at_reference(&options, &pair, &loss));
    }
}

static void srpo_parts_at_the_reference(void **state) {
    (void)state;
    hone_loss_options options = hone_loss_defaults(HONE_SRPO);
    hone_pair_logps pair = {.tokens = {3, 4}, .preference = 1.0};
    hone_loss_value value;
    options.alpha = 0.25;
    assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
    near(value.improvement, 0.5, 1e-15);
    near(value.generation, 1.0, 1e-15);
    near(value.loss, 0.875, 1e-15);
}

/* The formulas of the paper, written out again from its text for a hard label. */
static void srpo_is_the_papers(void **state) {
    (void)state;
    for (uint64_t trial = 0; trial < TRIALS; trial++) {
        hone_loss_options options = random_options(HONE_SRPO, trial);
        hone_pair_logps pair = random_pair(trial);
        double r[6];
        pair.preference = 1.0;
        for (int c = 0; c < 6; c++) {
            int l = c == HONE_L || c == HONE_L_GIVEN_L || c == HONE_L_GIVEN_W;
            double unit = options.length_normalize ? 1.0 / (double)pair.tokens[l] : 1.0;
            r[c] = (pair.policy[c] - pair.reference[c]) * unit;
        }
        double a = 0.5 - options.beta * (r[HONE_W_GIVEN_L] - r[HONE_L_GIVEN_L]);
        double b = 0.5 - options.beta * (r[HONE_W_GIVEN_W] - r[HONE_L_GIVEN_W]);
        double g = 1.0 - options.beta * (r[HONE_W_GIVEN_L] - r[HONE_L_GIVEN_W] + r[HONE_W] - r[HONE_L]);
        near(loss_of(&options, &pair), (1.0 - options.alpha) * g * g + options.alpha * (a * a + b * b),
             1e-13);
    }
}

/* q for (w, l) says the same as 1 - q for (l, w); and one half is indifferent to which is which. */
static void labels_turn_around(void **state) {
    static const int other[6] = {HONE_L,         HONE_W,         HONE_L_GIVEN_W,
                                 HONE_W_GIVEN_W, HONE_L_GIVEN_L, HONE_W_GIVEN_L};
    (void)state;
    for (int m = HONE_DPO; m < HONE_METHOD_COUNT; m++)
        for (uint64_t trial = 0; trial < TRIALS; trial++) {
            hone_loss_options options = random_options((hone_method)m, trial);
            hone_pair_logps pair = random_pair(trial), turned = pair;
            hone_loss_value value, back;
            for (int c = 0; c < 6; c++) {
                turned.policy[c] = pair.policy[other[c]];
                turned.reference[c] = pair.reference[other[c]];
            }
            turned.tokens[0] = pair.tokens[1];
            turned.tokens[1] = pair.tokens[0];
            turned.preference = 1.0 - pair.preference;
            assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
            assert_int_equal(hone_loss_evaluate(&options, &turned, &back), HONE_OK);
            near(value.loss, back.loss, 1e-13);
            for (int c = 0; c < 6; c++)
                near(value.derivative[c], back.derivative[other[c]], 1e-12);
        }
}

/* A label that is right with chance q: the derivative is the expectation of the hard ones, for every method.
 */
static void soft_is_expected_hard(void **state) {
    (void)state;
    for (int m = HONE_DPO; m < HONE_METHOD_COUNT; m++)
        for (uint64_t trial = 0; trial < TRIALS; trial++) {
            hone_loss_options options = random_options((hone_method)m, trial);
            hone_pair_logps pair = random_pair(trial), right = pair, wrong = pair;
            hone_loss_value soft, yes, no;
            double q = pair.preference;
            right.preference = 1.0;
            wrong.preference = 0.0;
            assert_int_equal(hone_loss_evaluate(&options, &pair, &soft), HONE_OK);
            assert_int_equal(hone_loss_evaluate(&options, &right, &yes), HONE_OK);
            assert_int_equal(hone_loss_evaluate(&options, &wrong, &no), HONE_OK);
            for (int c = 0; c < 6; c++)
                near(soft.derivative[c], q * yes.derivative[c] + (1.0 - q) * no.derivative[c], 1e-12);
        }
}

static void published_numbers(void **state) {
    (void)state;
    hone_loss_value value;
    hone_pair_logps pair = {
        .policy = {-8.0, -12.0}, .reference = {-9.0, -10.0}, .tokens = {4, 6}, .preference = 1.0};
    hone_loss_options options = hone_loss_defaults(HONE_DPO);
    assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
    near(value.loss, log1p(exp(-0.1 * 3.0)), 1e-15);
    near(value.reward_chosen, 0.1, 1e-15);
    near(value.reward_rejected, -0.2, 1e-15);
    options = hone_loss_defaults(HONE_IPO);
    near(loss_of(&options, &pair), pow(0.25 + 2.0 / 6.0 - 5.0, 2.0), 1e-14);
    options.ipo_sums = true;
    near(loss_of(&options, &pair), 4.0, 1e-14);
    options = hone_loss_defaults(HONE_SIMPO);
    near(loss_of(&options, &pair), log1p(exp(-(2.0 * (-2.0 + 2.0) - 1.0))), 1e-15);
    options = hone_loss_defaults(HONE_RPO);
    near(loss_of(&options, &pair), log1p(exp(-0.3)) + 2.0, 1e-15);
    options = hone_loss_defaults(HONE_SFT);
    near(loss_of(&options, &pair), 8.0, 1e-15);
    options = hone_loss_defaults(HONE_DPO);
    options.label_smoothing = 0.1;
    near(loss_of(&options, &pair), 0.9 * log1p(exp(-0.3)) + 0.1 * log1p(exp(0.3)), 1e-15);
}

static void extremes_stay_finite(void **state) {
    static const double size[] = {1e2, 1e4, 1e8, 1e100};
    (void)state;
    for (int m = 0; m < HONE_METHOD_COUNT; m++)
        for (size_t s = 0; s < sizeof size / sizeof *size; s++)
            for (int sign = 0; sign < 4; sign++) {
                hone_loss_options options = hone_loss_defaults((hone_method)m);
                hone_pair_logps pair = {.tokens = {1, 1}, .preference = 1.0};
                hone_loss_value value;
                for (int c = 0; c < 6; c++)
                    pair.policy[c] = (sign >> (c & 1) & 1 ? -1.0 : 1.0) * size[s];
                assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_OK);
                assert_true(isfinite(value.loss) &&
                            value.loss >= (m == HONE_DPO || m == HONE_IPO ? 0.0 : -size[s]));
                for (int c = 0; c < 6; c++)
                    assert_true(isfinite(value.derivative[c]));
            }
}

static void expect_refusal(const hone_loss_options *options, const char *word) {
    assert_int_equal(hone_loss_check(options), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), word));
}

static void refusals(void **state) {
    (void)state;
    hone_loss_options options = hone_loss_defaults(HONE_SRPO);
    hone_loss_value value;
    hone_method method = HONE_SFT;
    options.beta = 0.0;
    expect_refusal(&options, "beta");
    options.beta = NAN;
    expect_refusal(&options, "beta");
    options.beta = INFINITY;
    expect_refusal(&options, "beta");
    options = hone_loss_defaults(HONE_SRPO);
    options.alpha = 1.5;
    expect_refusal(&options, "alpha");
    options = hone_loss_defaults(HONE_DPO);
    options.label_smoothing = 0.5;
    expect_refusal(&options, "label-smoothing");
    options = hone_loss_defaults(HONE_RPO);
    options.rpo_lambda = -1.0;
    expect_refusal(&options, "rpo-lambda");
    options = hone_loss_defaults(HONE_SIMPO);
    options.gamma = NAN;
    expect_refusal(&options, "gamma");
    options = hone_loss_defaults((hone_method)99);
    expect_refusal(&options, "99");
    assert_int_equal(hone_method_parse("ppo", &method), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "ppo"));
    options = hone_loss_defaults(HONE_DPO);
    hone_pair_logps pair = {.tokens = {1, 1}, .preference = 1.0};
    pair.policy[HONE_L] = NAN;
    assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_ERROR_NUMERIC);
    pair = (hone_pair_logps){.tokens = {1, 1}, .preference = 1.01};
    assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_ERROR_ARGUMENT);
    pair = (hone_pair_logps){.tokens = {1, 0}, .preference = 1.0};
    assert_int_equal(hone_loss_evaluate(&options, &pair, &value), HONE_ERROR_ARGUMENT);
}

static void names(void **state) {
    static const char *const conditional[] = {"w", "l", "w|l", "l|l", "w|w", "l|w"};
    (void)state;
    for (int m = 0; m < HONE_METHOD_COUNT; m++) {
        hone_method back = HONE_METHOD_COUNT;
        hone_loss_options options = hone_loss_defaults((hone_method)m);
        assert_int_equal(hone_method_parse(hone_method_name((hone_method)m), &back), HONE_OK);
        assert_int_equal(back, m);
        assert_int_equal(options.method, m);
        assert_int_equal(hone_loss_check(&options), HONE_OK);
    }
    for (int c = 0; c < 6; c++)
        assert_string_equal(hone_conditional_name((hone_conditional)c), conditional[c]);
    assert_null(hone_method_name(HONE_METHOD_COUNT));
    assert_null(hone_conditional_name(HONE_CONDITIONAL_COUNT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_are_finite_differences),
        cmocka_unit_test(unread_numbers_are_unread),
        cmocka_unit_test(at_the_reference),
        cmocka_unit_test(srpo_parts_at_the_reference),
        cmocka_unit_test(srpo_is_the_papers),
        cmocka_unit_test(labels_turn_around),
        cmocka_unit_test(soft_is_expected_hard),
        cmocka_unit_test(published_numbers),
        cmocka_unit_test(extremes_stay_finite),
        cmocka_unit_test(refusals),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
