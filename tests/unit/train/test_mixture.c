/* Files with weights, and which rows are held out. */
#include <core/memory.h>
#include <core/random.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/mixture.h>
#include <unistd.h>

#include <cmocka.h>

static void parse(const char *text, size_t files, const char *path, double weight) {
    hn_mixture mixture;
    assert_int_equal(hn_mixture_parse(text, &mixture), HONE_OK);
    assert_int_equal(mixture.files, files);
    assert_string_equal(mixture.file[files - 1].path, path);
    assert_true(mixture.file[files - 1].weight == weight);
    hn_mixture_clear(&mixture);
}

static void test_parse(void **state) {
    char odd[] = "/tmp/hone:mix,XXXXXX";
    hn_mixture mixture;

    (void)state;
    parse("a", 1, "a", 1.0);
    parse("a,b", 2, "b", 1.0);
    parse("a:2.5,b:0.5", 2, "b", 0.5);
    parse("a:0.5,c:/b", 2, "c:/b", 1.0);
    /* A file that is there is meant, whatever its name. */
    const int file = mkstemp(odd);
    assert_true(file >= 0);
    (void)close(file);
    parse(odd, 1, odd, 1.0);
    (void)unlink(odd);
    static const char *const wrong[] = {"a:0", "a:-1", "a:1e9", "a:nan", "a,,b", "", "a,"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(hn_mixture_parse(wrong[i], &mixture), HONE_ERROR_ARGUMENT);
        assert_non_null(strstr(hone_message(), "--data"));
        hn_mixture_clear(&mixture);
    }
}

/** Three files of 5, 4 and 3 rows with weights 1, 2.5 and 0.4: 5 + 10 + 1 rows an epoch. */
static const int64_t rows[] = {5, 4, 3};
enum { EPOCH = 16, ALL = 12 };

static void test_order(void **state) {
    hn_mixture mixture;
    int64_t scratch[EPOCH], order[EPOCH], again[EPOCH];
    int64_t third[3] = {0};

    (void)state;
    assert_int_equal(hn_mixture_parse("a,b:2.5,c:0.4", &mixture), HONE_OK);
    assert_int_equal(hn_mixture_epoch(&mixture, rows), EPOCH);
    for (int64_t epoch = 0; epoch < 40; epoch++) {
        int64_t count[ALL] = {0}, of_second = 0, of_third = 0;
        hn_mixture_order(&mixture, rows, 7, epoch, scratch, order);
        hn_mixture_order(&mixture, rows, 7, epoch, scratch, again);
        assert_memory_equal(order, again, sizeof order);
        for (int i = 0; i < EPOCH; i++) {
            assert_true(order[i] >= 0 && order[i] < ALL);
            count[order[i]]++;
        }
        for (int i = 0; i < 5; i++)
            assert_int_equal(count[i], 1);
        for (int i = 5; i < 9; i++) {
            assert_true(count[i] == 2 || count[i] == 3); /* two copies, and half of the rows once more */
            of_second += count[i];
        }
        for (int i = 9; i < ALL; i++) {
            assert_true(count[i] <= 1);
            of_third += count[i];
            third[i - 9] += count[i];
        }
        assert_int_equal(of_second, 10);
        assert_int_equal(of_third, 1);
    }
    for (int i = 0; i < 3; i++)
        assert_true(third[i] > 0); /* every row has its turn */
    hn_mixture_clear(&mixture);
}

static void test_one_file_is_a_shuffle(void **state) {
    hn_mixture mixture;
    int64_t scratch[9], order[9], plain[9];
    const int64_t nine[] = {9};

    (void)state;
    assert_int_equal(hn_mixture_parse("a", &mixture), HONE_OK);
    hn_mixture_order(&mixture, nine, 3, 2, scratch, order);
    hn_random_shuffle(3, HN_PURPOSE_SHUFFLE, 2, plain, 9);
    assert_memory_equal(order, plain, sizeof order);
    hn_mixture_clear(&mixture);
}

static void test_parts(void **state) {
    enum { PROMPTS = 20000 };
    const hn_part held = {0.1, 5, true}, rest = {0.1, 5, false}, other = {0.1, 6, true},
                  none = {0.0, 5, true}, all = {0.0, 5, false}, more = {0.2, 5, true};
    int64_t found = 0, moved = 0;
    char prompt[32];

    (void)state;
    for (int i = 0; i < PROMPTS; i++) {
        (void)snprintf(prompt, sizeof prompt, "prompt %d", i);
        assert_true(hn_part_has(&held, prompt) != hn_part_has(&rest, prompt));
        assert_true(hn_part_has(&all, prompt) && !hn_part_has(&none, prompt));
        assert_true(!hn_part_has(&held, prompt) ||
                    hn_part_has(&more, prompt)); /* a larger share keeps what was held out */
        found += hn_part_has(&held, prompt);
        moved += hn_part_has(&held, prompt) && !hn_part_has(&other, prompt);
    }
    assert_true(fabs((double)found / PROMPTS - 0.1) < 5.0 * sqrt(0.09 / PROMPTS));
    assert_true(moved > found / 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parse), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_one_file_is_a_shuffle),
                                       cmocka_unit_test(test_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
