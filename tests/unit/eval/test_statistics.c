/* Bootstrap and paired tests against closed forms. */
#include <core/random.h>
#include <hone/eval.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void within(double found, double wanted, double tolerance) {
    if (!(fabs(found - wanted) <= tolerance))
        fail_msg("%.15g, not %.15g +- %g", found, wanted, tolerance);
}

static hone_estimate estimate(const double *value, int64_t count, int64_t resamples, int64_t size,
                              uint64_t seed) {
    const hone_bootstrap how = {.resamples = resamples, .size = size, .seed = seed};
    hone_estimate out;
    assert_int_equal(hone_estimate_mean(value, count, &how, &out), HONE_OK);
    return out;
}

static void test_constant(void **state) {
    const double value[] = {0.25, 0.25, NAN, 0.25};
    const hone_estimate e = estimate(value, 4, 20, 512, 1);
    (void)state;
    assert_int_equal(e.count, 3);
    within(e.value, 0.25, 0.0);
    within(e.mean, 0.25, 1e-15);
    within(e.deviation, 0.0, 1e-15);
    within(e.low, 0.25, 1e-15);
    within(e.high, 0.25, 1e-15);
}

static void test_nothing(void **state) {
    const double value[] = {NAN, NAN};
    const hone_bootstrap bad = {.resamples = 1, .size = 512}, empty = {.resamples = 20, .size = 0};
    hone_estimate e = estimate(value, 2, 20, 512, 1);
    hone_paired paired;

    (void)state;
    assert_int_equal(e.count, 0);
    assert_true(isnan(e.value) && isnan(e.mean) && isnan(e.deviation) && isnan(e.low) && isnan(e.high));
    assert_int_equal(hone_estimate_mean(value, 0, &(hone_bootstrap){.resamples = 20, .size = 512}, &e),
                     HONE_OK);
    assert_int_equal(hone_estimate_mean(value, 2, &bad, &e), HONE_ERROR_ARGUMENT);
    assert_int_equal(hone_estimate_mean(value, 2, &empty, &e), HONE_ERROR_ARGUMENT);
    assert_int_equal(hone_paired_test(value, value, 2, 1, &paired), HONE_OK);
    assert_true(isnan(paired.sign_p) && isnan(paired.difference));
}

/** The protocol's own numbers: a coin of p = 0.3 on 1,000 rows; a resample's mean deviates by sqrt(p q / 512). */
static void test_deviation(void **state) {
    enum { ROWS = 1000 };
    double value[ROWS];
    const hone_bootstrap defaults = hone_bootstrap_defaults();

    (void)state;
    for (int i = 0; i < ROWS; i++)
        value[i] = i % 10 < 3 ? 1.0 : 0.0;
    assert_int_equal(defaults.resamples, 20);
    assert_int_equal(defaults.size, 512);
    const hone_estimate e = estimate(value, ROWS, 4000, 512, 3);
    const double sigma = sqrt(0.3 * 0.7 / 512.0);
    within(e.value, 0.3, 1e-12);
    within(e.mean, 0.3, 5.0 * sigma / sqrt(4000.0));
    within(e.deviation, sigma, 5.0 * sigma / sqrt(2.0 * 4000.0));
    within(e.low, 0.3 - 1.96 * sigma, 0.2 * sigma);
    within(e.high, 0.3 + 1.96 * sigma, 0.2 * sigma);
}

/** Few rows stay as unsure as they are: 16 of them deviate by sqrt(p q / 16), whatever size is asked for. */
static void test_few(void **state) {
    double value[16];
    (void)state;
    for (int i = 0; i < 16; i++)
        value[i] = i % 2;
    within(estimate(value, 16, 4000, 512, 3).deviation, sqrt(0.25 / 16.0), 0.01);
    within(estimate(value, 16, 4000, 4, 3).deviation, sqrt(0.25 / 4.0), 0.02);
}

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/** Percentiles 2.5 and 97.5 of twenty numbers lie at positions 0.475 and 18.525 of their order. */
static void test_percentiles(void **state) {
    const double value[] = {0.0, 0.5, 1.0, 1.0, 0.0, 0.125, 0.75};
    double mean[20];

    (void)state;
    for (uint32_t r = 0; r < 20; r++) {
        mean[r] = 0.0;
        for (uint64_t i = 0; i < 5; i++)
            mean[r] += value[hn_random_below(9, HN_PURPOSE_BOOTSTRAP, r, i, 7)] / 5.0;
    }
    qsort(mean, 20, sizeof *mean, ascending);
    const hone_estimate e = estimate(value, 7, 20, 5, 9);
    within(e.low, mean[0] + 0.475 * (mean[1] - mean[0]), 1e-12);
    within(e.high, mean[18] + 0.525 * (mean[19] - mean[18]), 1e-12);
    assert_true(estimate(value, 7, 20, 5, 9).mean == e.mean);
    assert_true(estimate(value, 7, 20, 5, 10).mean != e.mean);
}

static hone_paired paired(int wins, int draws, int losses) {
    double a[256], b[256];
    int n = 0;
    hone_paired out;
    for (int i = 0; i < wins + draws + losses; i++, n++) {
        a[n] = i < wins ? 1.0 : 0.5;
        b[n] = i < wins + draws ? 0.5 : 1.0;
    }
    a[n] = NAN;
    b[n++] = 1.0;
    assert_int_equal(hone_paired_test(a, b, n, 5, &out), HONE_OK);
    assert_int_equal(out.wins, wins);
    assert_int_equal(out.draws, draws);
    assert_int_equal(out.losses, losses);
    return out;
}

/** Sums of binomial coefficients by hand; the last in exact integers. */
static void test_sign(void **state) {
    (void)state;
    within(paired(0, 4, 0).sign_p, 1.0, 1e-12);
    within(paired(5, 0, 0).sign_p, 2.0 / 32.0, 1e-12);
    within(paired(0, 7, 5).sign_p, 2.0 / 32.0, 1e-12);
    within(paired(4, 2, 1).sign_p, 2.0 * 6.0 / 32.0, 1e-12);
    within(paired(3, 0, 3).sign_p, 1.0, 1e-12);
    within(paired(8, 3, 2).sign_p, 2.0 * (1.0 + 10.0 + 45.0) / 1024.0, 1e-12);
    within(paired(60, 0, 40).sign_p, 0.05688793364098078, 1e-10);
}

static void test_paired(void **state) {
    const hone_paired all = paired(50, 0, 0), even = paired(40, 20, 40), some = paired(60, 0, 40);
    (void)state;
    within(all.difference, 0.5, 1e-12);
    within(all.low, 0.5, 1e-12);
    within(all.bootstrap_p, 2.0 / 2001.0, 1e-12);
    within(even.difference, 0.0, 1e-12);
    assert_true(even.bootstrap_p > 0.5 && even.low < 0.0 && even.high > 0.0);
    /* The mean of 100 signs of +-1/2 with p = 0.6: 0.1 +- sqrt(0.24 / 100); a normal tail of 2.04 sigma. */
    within(some.difference, 0.1, 1e-12);
    within(some.low, 0.1 - 1.96 * 0.049, 0.012);
    within(some.high, 0.1 + 1.96 * 0.049, 0.012);
    within(some.bootstrap_p, 0.041, 0.02);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_constant),    cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_deviation),   cmocka_unit_test(test_few),
                                       cmocka_unit_test(test_percentiles), cmocka_unit_test(test_sign),
                                       cmocka_unit_test(test_paired)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
