/* Judges: what scores mean, mixtures, specifications that are refused. */
#include <hone/eval.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static hone_judge *open_judge(const char *spec, double temperature) {
    hone_judge_options options = hone_judge_defaults();
    options.spec = spec;
    options.temperature = temperature;
    hone_judge *judge = NULL;
    if (hone_judge_open(&options, &judge) != HONE_OK)
        fail_msg("%s", hone_message());
    return judge;
}

static double score(const char *spec, hone_case about, const char *text) {
    hone_judge *judge = open_judge(spec, 0.0);
    double value = -1.0;
    if (hone_judge_score(judge, &about, text, &value) != HONE_OK)
        fail_msg("%s", hone_message());
    hone_judge_close(judge);
    return value;
}

static void close_to(double found, double wanted) {
    if (!(fabs(found - wanted) < 1e-12))
        fail_msg("%.15g, not %.15g", found, wanted);
}

static void test_exact(void **state) {
    const hone_case about = {.prompt = "x", .reference = " a b\n"};
    (void)state;
    close_to(score("exact", about, "a b"), 1.0);
    close_to(score("exact", about, "\ta b  "), 1.0);
    close_to(score("exact", about, "a  b"), 0.0);
    close_to(score("exact", about, ""), 0.0);
    close_to(score("exact", (hone_case){.reference = " "}, ""), 1.0);
}

static void test_rules(void **state) {
    const hone_case none = {0}, foo = {.package = "foo"};
    char line[100];

    (void)state;
    close_to(score("rules", none, "small tool"), 1.0);
    close_to(score("rules", foo, "small tool"), 1.0);
    close_to(score("rules", none, ""), 0.0);
    close_to(score("rules", foo, " \n"), 0.0);
    close_to(score("rules", foo, "a tool"), 0.8);
    close_to(score("rules", foo, "An tool"), 0.8);
    close_to(score("rules", foo, "THE tool"), 0.8);
    close_to(score("rules", foo, "atool"), 1.0);
    close_to(score("rules", foo, "theory of tools"), 1.0);
    close_to(score("rules", foo, "tool."), 0.8);
    close_to(score("rules", foo, "Foo is a tool"), 0.8);
    close_to(score("rules", foo, "foo-bar tool"), 0.8);
    close_to(score("rules", foo, "food"), 1.0);
    close_to(score("rules", foo, "two\nlines"), 0.6);
    close_to(score("rules", none, "A tool."), 0.5);
    memset(line, 'x', sizeof line);
    line[80] = '\0';
    close_to(score("rules", foo, line), 1.0);
    line[80] = 'x';
    line[81] = '\0';
    close_to(score("rules", foo, line), 0.6);
    /* 79 letters and one of two bytes: 80 characters. */
    memcpy(line + 79, "\xC3\xA9", 3);
    close_to(score("rules", foo, line), 1.0);
}

static void test_mixture(void **state) {
    const hone_case about = {.reference = "small tool"};
    (void)state;
    close_to(score("chrf:0.7,rules:0.3", about, "small tool"), 1.0);
    close_to(score("chrf:0.7,rules:0.3", about, "zzz."), 0.3 * 0.75);
    close_to(score("chrf:7,rules:3", about, "zzz."), 0.3 * 0.75);
    close_to(score("exact,rules", about, "zzz"), 0.5);
}

static void test_compare(void **state) {
    const hone_case about = {.reference = "b"};
    double p = -1.0;

    (void)state;
    hone_judge *judge = open_judge("exact", 0.0);
    assert_true(hone_judge_has_scores(judge));
    assert_int_equal(hone_judge_compare(judge, &about, "b", "c", &p), HONE_OK);
    close_to(p, 1.0);
    assert_int_equal(hone_judge_compare(judge, &about, "c", "b", &p), HONE_OK);
    close_to(p, 0.0);
    assert_int_equal(hone_judge_compare(judge, &about, "c", "d", &p), HONE_OK);
    close_to(p, 0.5);
    assert_int_equal(hone_judge_counted(judge).asked, 3);
    assert_int_equal(hone_judge_counted(judge).failed, 0);
    hone_judge_close(judge);
    judge = open_judge("exact", 0.5);
    assert_int_equal(hone_judge_compare(judge, &about, "b", "c", &p), HONE_OK);
    close_to(p, 1.0 / (1.0 + exp(-2.0)));
    hone_judge_close(judge);
}

/** Equal texts are a draw, and no judge is bothered with them: this one could not even be asked without a program. */
static void test_equal_texts(void **state) {
    const hone_case about = {.prompt = "x"};
    hone_judge_options options = hone_judge_defaults();
    hone_judge *judge = NULL;
    double p = -1.0;

    (void)state;
    options.spec = "command";
    options.command = "exit 127";
    assert_int_equal(hone_judge_open(&options, &judge), HONE_OK);
    assert_int_equal(hone_judge_compare(judge, &about, "same", "same", &p), HONE_OK);
    close_to(p, 0.5);
    assert_int_equal(hone_judge_compare(judge, &about, "same", "other", &p), HONE_ERROR_NOT_FOUND);
    assert_int_equal(hone_judge_counted(judge).asked, 2);
    hone_judge_close(judge);
}

static void refuse(const char *spec, double temperature, const char *says) {
    hone_judge_options options = hone_judge_defaults();
    options.spec = spec;
    options.temperature = temperature;
    hone_judge *judge = (hone_judge *)1;
    assert_int_equal(hone_judge_open(&options, &judge), HONE_ERROR_ARGUMENT);
    assert_null(judge);
    assert_non_null(strstr(hone_message(), says));
}

static void test_refusals(void **state) {
    const hone_case about = {0};
    double value = 0.0;

    (void)state;
    refuse("", 0.0, "judge \"\"");
    refuse("exakt", 0.0, "\"exakt\" is not one of");
    refuse("chrf,", 0.0, "judge \"\"");
    refuse("chrf:", 0.0, "weight");
    refuse("chrf:-1", 0.0, "weight");
    refuse("chrf:0", 0.0, "weight");
    refuse("chrf:nan,rules", 0.0, "weight");
    refuse("chrf:1x", 0.0, "weight");
    refuse("chrf:inf", 0.0, "weight");
    refuse("exact,exact,exact,exact,exact,exact,exact,exact,exact", 0.0, "more than 8");
    refuse("exact", -1.0, "temperature");
    refuse("exact", NAN, "temperature");
    hone_judge *judge = open_judge("exact", 0.0);
    assert_int_equal(hone_judge_score(judge, &about, "a", &value), HONE_ERROR_ARGUMENT);
    hone_judge_close(judge);
    hone_judge_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_exact),       cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_mixture),     cmocka_unit_test(test_compare),
                                       cmocka_unit_test(test_equal_texts), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
