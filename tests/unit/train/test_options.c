/* Options from flags and YAML, and the learning rate of every step. */
#include <core/file.h>
#include <core/memory.h>
#include <hone/tokenizer.h>
#include <hone/train.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/options.h>
#include <train/schedule.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hone-options-XXXXXX";

static int make_file(void **state) {
    (void)state;
    return mkstemp(path) < 0;
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

static hone_status load(hone_train_options *options, const char *yaml) {
    assert_int_equal(hn_file_replace(path, yaml, strlen(yaml)), HONE_OK);
    return hone_train_options_load(options, path);
}

static void test_yaml_and_flags(void **state) {
    hone_train_options options;
    (void)state;
    assert_int_equal(hone_train_options_init(&options), HONE_OK);
    assert_int_equal(
        load(&options,
             "# a run\nmodel: m\ndata: \"d e\"\nout: r\nmethod: ipo\nlr: 3e-5\nbatch-pairs: 7\nfull: true\n"),
        HONE_OK);
    assert_int_equal(hone_train_options_set(&options, "lr", "1e-4"), HONE_OK);
    assert_int_equal(hone_train_options_check(&options), HONE_OK);
    assert_string_equal(options.data, "d e");
    assert_int_equal(options.loss.method, HONE_IPO);
    assert_true(options.lr == 1e-4 && options.batch_pairs == 7 && options.full);
    hone_train_options_clear(&options);
}

/** What is saved reads back as the same options. */
static void test_text_round_trip(void **state) {
    hone_train_options options, again;
    char *first = NULL, *second = NULL;
    (void)state;
    assert_int_equal(hone_train_options_init(&options), HONE_OK);
    assert_int_equal(load(&options, "model: 'a \"b\" \\ c'\ndata: d\nout: r\nmethod: srpo\nbeta: 0.1\n"),
                     HONE_OK);
    assert_int_equal(hone_train_options_check(&options), HONE_OK);
    assert_int_equal(hone_train_options_text(&options, &first), HONE_OK);
    assert_int_equal(hone_train_options_init(&again), HONE_OK);
    assert_int_equal(load(&again, first), HONE_OK);
    assert_int_equal(hone_train_options_check(&again), HONE_OK);
    assert_int_equal(hone_train_options_text(&again, &second), HONE_OK);
    assert_string_equal(first, second);
    assert_true(again.loss.beta == 0.1);
    hone_text_free(first);
    hone_text_free(second);
    hone_train_options_clear(&options);
    hone_train_options_clear(&again);
}

static void refused(const char *yaml, const char *part) {
    hone_train_options options;
    assert_int_equal(hone_train_options_init(&options), HONE_OK);
    hone_status status = load(&options, yaml);
    if (status == HONE_OK)
        status = hone_train_options_check(&options);
    assert_int_not_equal(status, HONE_OK);
    if (strstr(hone_message(), part) == NULL)
        print_message("%s\n", hone_message());
    assert_non_null(strstr(hone_message(), part));
    hone_train_options_clear(&options);
}

static void test_refusals(void **state) {
    (void)state;
    refused("model: m\nlearning-rate: 1\n", ":2");
    refused("model: m\nlr: fast\n", ":2");
    refused("model: [1, 2]\n", ":1");
    refused("- 1\n", "NAME: VALUE");
    refused("a: b: c\n", ":1");
    refused("model: m\ndata: d\nout: r\n", "--method");
    refused("model: m\ndata: d\nout: r\nmethod: ppo\n", "ppo");
    refused("model: m\ndata: d\nout: r\nmethod: dpo\nbatch-pairs: 0\n", "--batch-pairs");
    refused("model: m\ndata: d\nout: r\nmethod: dpo\nbeta: 0\n", "beta");
    refused("model: m\ndata: d\nout: r\nmethod: dpo\nschedule: step\n", "--schedule");
    refused("model: m\ndata: d\nout: r\nmethod: dpo\nclip: -1\n", "--clip");
    refused("model: m\ndata: d\nout: r\nmethod: dpo\nmemory-limit: 0\n", "--memory-limit");
}

static void test_memory_limits(void **state) {
    static const char *const wrong[] = {"",     "0",   "-1",  "M",  "9X",       "9MB",
                                        "1e30", "nan", "inf", "0x", "automatic"};
    uint64_t bytes = 0;
    (void)state;
    assert_int_equal(hn_limit_parse("900M", &bytes), HONE_OK);
    assert_true(bytes == 900000000u);
    assert_int_equal(hn_limit_parse("1.5G", &bytes), HONE_OK);
    assert_true(bytes == 1500000000u);
    assert_int_equal(hn_limit_parse("64K", &bytes), HONE_OK);
    assert_true(bytes == 64000u);
    assert_int_equal(hn_limit_parse("12345", &bytes), HONE_OK);
    assert_true(bytes == 12345u);
    assert_int_equal(hn_limit_parse("none", &bytes), HONE_OK);
    assert_true(bytes == 0);
    assert_int_equal(hn_limit_parse("auto", &bytes), HONE_OK);
    assert_true(bytes == HN_LIMIT_AUTO);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(hn_limit_parse(wrong[i], &bytes), HONE_ERROR_ARGUMENT);
}

static void close_to(double a, double b) { assert_true(fabs(a - b) < 1e-12); }

static void test_schedules(void **state) {
    (void)state;
    assert_int_equal(hn_schedule_warmup(0.1, 25), 3);
    assert_int_equal(hn_schedule_warmup(10.0, 25), 10);
    assert_int_equal(hn_schedule_warmup(0.0, 25), 0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_CONSTANT, 1, 10, 4), 0.0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_CONSTANT, 3, 10, 4), 0.5);
    close_to(hn_schedule_factor(HONE_SCHEDULE_CONSTANT, 9, 10, 4), 1.0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_LINEAR, 1, 10, 0), 1.0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_LINEAR, 5, 10, 4), 1.0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_LINEAR, 8, 10, 4), 0.5);
    close_to(hn_schedule_factor(HONE_SCHEDULE_COSINE, 5, 12, 4), 1.0);
    close_to(hn_schedule_factor(HONE_SCHEDULE_COSINE, 9, 12, 4), 0.5);
    close_to(hn_schedule_factor(HONE_SCHEDULE_COSINE, 13, 12, 4), 0.0);
    /* More warm-up than steps: the rate only rises. */
    close_to(hn_schedule_factor(HONE_SCHEDULE_LINEAR, 3, 3, 10), 0.2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_yaml_and_flags),
                                       cmocka_unit_test(test_text_round_trip),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_memory_limits),
                                       cmocka_unit_test(test_schedules)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
