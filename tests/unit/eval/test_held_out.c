/* Held-out numbers against sums by hand. */
#include <eval/held_out.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void within(double found, double wanted) {
    if (!(fabs(found - wanted) <= 1e-12))
        fail_msg("%.15g, not %.15g", found, wanted);
}

/** Policy above a reference of zeros: r is what is given. */
static hone_pair_logps pair_of(double w, double l, double w_l, double l_l, double w_w, double l_w, double q) {
    return (hone_pair_logps){.policy = {w, l, w_l, l_l, w_w, l_w}, .tokens = {2, 4}, .preference = q};
}

static hone_held_out measure(const hone_loss_options *loss, const hone_pair_logps *pair, int count) {
    hn_held_out_sums sums = {{0}, 0, 0};
    hone_held_out out;
    for (int i = 0; i < count; i++)
        assert_int_equal(hn_held_out_add(&sums, loss, &pair[i]), HONE_OK);
    hn_held_out_end(&sums, loss, &out);
    return out;
}

static void test_reference(void **state) {
    const hone_loss_options loss = hone_loss_defaults(HONE_SRPO);
    const hone_pair_logps pair[] = {pair_of(0, 0, 0, 0, 0, 0, 1.0), pair_of(0, 0, 0, 0, 0, 0, 0.5)};
    const hone_held_out out = measure(&loss, pair, 2);

    (void)state;
    assert_int_equal(out.rows, 2);
    within(out.loss, (0.75 + 0.0) / 2.0); /* 1 - alpha / 2, and nothing to learn at q = 1/2 */
    within(out.margin, 0.0);
    within(out.accuracy, 0.5);
    within(out.preference_accuracy, 0.5);
    within(out.brier, (0.25 + 0.25 + 0.0 + 0.0) / 4.0);
    assert_int_equal(out.bin[5].count, 4);
    within(out.bin[5].predicted, 0.5);
    within(out.bin[5].observed, 0.5);
    assert_true(isnan(out.bin[0].predicted));
}

static void test_rows(void **state) {
    hone_loss_options loss = hone_loss_defaults(HONE_DPO);
    /* beta 0.1. Row 1: rewards right, p^(w > l) = .5 + .1 (2 - -1) = .8, p^(l > w) = .5 + .1 (-1 - 1) = .3.
     * Row 2: rewards wrong, p^ = .5 + .1 (-6) = -.1, cut to 0, and .5 + .1 (6) = 1.1, cut to 1.
     * Row 3: as row 2, but the label says that l is the better one. */
    const hone_pair_logps pair[] = {pair_of(3, 1, 2, -1, 1, -1, 1.0), pair_of(1, 3, -3, 3, -3, 3, 1.0),
                                    pair_of(1, 3, -3, 3, -3, 3, 0.0)};
    hone_held_out out = measure(&loss, pair, 3);

    (void)state;
    const double right = log1p(exp(-0.2)), wrong = log1p(exp(0.2));
    within(out.loss, (right + wrong + right) / 3.0);
    within(out.margin, (0.2 - 0.2 - 0.2) / 3.0);
    within(out.accuracy, 2.0 / 3.0);
    within(out.preference_accuracy, 2.0 / 3.0);
    within(out.brier, (0.04 + 0.09 + 1.0 + 1.0 + 0.0 + 0.0) / 6.0);
    assert_int_equal(out.bin[0].count, 2);
    within(out.bin[0].observed, 0.5);
    assert_int_equal(out.bin[HONE_CALIBRATION_BINS - 1].count, 2);
    within(out.bin[HONE_CALIBRATION_BINS - 1].predicted, 1.0);
    assert_int_equal(out.bin[8].count + out.bin[7].count, 1);
    assert_int_equal(out.bin[3].count + out.bin[2].count, 1);
    /* Means: w has 2 tokens, l has 4: p^(w > l) = .5 + .1 (2/2 + 1/4), p^(l > w) = .5 + .1 (-1/4 - 1/2). */
    loss.length_normalize = true;
    out = measure(&loss, pair, 1);
    within(out.brier, (0.375 * 0.375 + 0.425 * 0.425) / 2.0);
    loss = hone_loss_defaults(HONE_SFT);
    out = measure(&loss, pair, 2);
    within(out.loss, -(3.0 + 1.0) / 4.0);
    assert_true(isnan(out.margin) && isnan(out.accuracy) && isnan(out.preference_accuracy) &&
                isnan(out.brier));
    for (int k = 0; k < HONE_CALIBRATION_BINS; k++)
        assert_int_equal(out.bin[k].count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference), cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
