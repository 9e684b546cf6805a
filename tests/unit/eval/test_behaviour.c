/* The behaviour policy: what its weights are, and that draws follow them. */
#include <eval/behaviour.h>
#include <hone/pairs.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 4, PAIRS = COUNT * (COUNT - 1) / 2 };

static void close_to(double found, double wanted, double error) {
    if (!(fabs(found - wanted) <= error))
        fail_msg("%.12g, not %.12g", found, wanted);
}

static const hn_candidate candidates[COUNT] = {{"a", 0, 0, 2, -1.0, 0.0},
                                               {"b", 1, 0, 4, -1.0, 0.5},
                                               {"c", 2, 0, 6, -1.0, 0.5},
                                               {"d", 3, 0, 8, -1.0, 1.0}};

static void test_parse(void **state) {
    hn_behaviour b;

    (void)state;
    assert_int_equal(hn_behaviour_parse(NULL, &b), HONE_OK);
    for (int f = 0; f < HN_FEATURES; f++)
        close_to(b.strength[f], 0.0, 0.0);
    assert_int_equal(hn_behaviour_parse("length:1.5,score:-2", &b), HONE_OK);
    close_to(b.strength[HN_LENGTH], 1.5, 0.0);
    close_to(b.strength[HN_SCORE], -2.0, 0.0);
    static const char *const wrong[] = {"",          "length",     "length:", "beauty:1",  "length:x",
                                        "length:1x", "length:nan", ",",       "length:1,", "lengths:1"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(hn_behaviour_parse(wrong[i], &b), HONE_ERROR_ARGUMENT);
        assert_non_null(strstr(hone_message(), "FEATURE:STRENGTH"));
    }
}

/* Lengths 2, 4, 6, 8: mean 5, deviation sqrt 5. Equal log-probabilities say nothing, whatever their strength. */
static void test_logits(void **state) {
    hn_behaviour b;
    double logit[COUNT];

    (void)state;
    assert_int_equal(hn_behaviour_parse("length:2,logp:9", &b), HONE_OK);
    hn_behaviour_logits(&b, candidates, COUNT, logit);
    for (int i = 0; i < COUNT; i++)
        close_to(logit[i], 2.0 * (2.0 * i - 3.0) / sqrt(5.0), 1e-12);
}

/** Pairs of independent draws that differ: P(a, b) = mu(a) mu(b) / sum over pairs. */
static void expected(const double *logit, double *p) {
    double sum = 0.0;
    int n = 0;

    for (int a = 0; a < COUNT; a++)
        for (int b = a + 1; b < COUNT; b++)
            sum += p[n++] = exp(logit[a] + logit[b]);
    for (n = 0; n < PAIRS; n++)
        p[n] /= sum;
}

static void test_draws(void **state) {
    enum { ROWS = 40000 };
    hn_behaviour b;
    double logit[COUNT], p[PAIRS];
    int64_t found[COUNT][COUNT] = {{0}};
    hn_pair pair[PAIRS], again[PAIRS];
    int n = 0;

    (void)state;
    assert_int_equal(hn_behaviour_parse("score:-1", &b), HONE_OK);
    hn_behaviour_logits(&b, candidates, COUNT, logit);
    expected(logit, p);
    for (int64_t row = 0; row < ROWS; row++) {
        assert_int_equal(hn_behaviour_draw(logit, COUNT, 3, row, 1, pair), 1);
        found[pair[0].a][pair[0].b]++;
    }
    for (int a = 0; a < COUNT; a++)
        for (int k = a + 1; k < COUNT; k++, n++) {
            const double share = (double)found[a][k] / ROWS;
            close_to(share, p[n], 5.0 * sqrt(p[n] * (1.0 - p[n]) / ROWS)); /* five standard errors */
        }
    /* Without replacement: all of them, each once, and the same again. */
    assert_int_equal(hn_behaviour_draw(logit, COUNT, 3, 1, 100, pair), PAIRS);
    assert_int_equal(hn_behaviour_draw(logit, COUNT, 3, 1, 100, again), PAIRS);
    memset(found, 0, sizeof found);
    for (n = 0; n < PAIRS; n++) {
        assert_true(pair[n].a < pair[n].b && pair[n].b < COUNT);
        assert_int_equal(found[pair[n].a][pair[n].b]++, 0);
        assert_true(pair[n].a == again[n].a && pair[n].b == again[n].b);
    }
}

static void test_names(void **state) {
    hone_pairs_select select;
    hone_pairs_label label;

    (void)state;
    assert_int_equal(hone_pairs_select_parse("best", &select), HONE_OK);
    assert_int_equal(select, HONE_PAIRS_BEST);
    assert_int_equal(hone_pairs_select_parse("worst", &select), HONE_ERROR_ARGUMENT);
    assert_int_equal(hone_pairs_label_parse("sampled", &label), HONE_OK);
    assert_int_equal(label, HONE_PAIRS_SAMPLED);
    assert_int_equal(hone_pairs_label_parse("", &label), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "soft, hard or sampled"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_logits),
                                       cmocka_unit_test(test_draws), cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
