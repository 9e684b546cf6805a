/* Distances by hand, and what is suggested for a misspelt name. */
#include <hone/suggest.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_distance(void **state) {
    static const struct {
        const char *a, *b;
        size_t distance;
    } pair[] = {
        {"", "", 0},           {"", "abc", 3},           {"beta", "beta", 0}, {"bata", "beta", 1},
        {"trian", "train", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},    {"sampels", "samples", 1},
        {"a", "b", 1}};

    (void)state;
    for (size_t i = 0; i < sizeof pair / sizeof pair[0]; i++) {
        assert_int_equal(hone_name_distance(pair[i].a, pair[i].b), pair[i].distance);
        assert_int_equal(hone_name_distance(pair[i].b, pair[i].a), pair[i].distance);
    }
}

static void test_suggestions(void **state) {
    static const char *const known[] = {"train", "beta", "batch-pairs", "lr", "data"};

    (void)state;
    assert_string_equal(hone_suggest("trian", known, 5), "train");
    assert_string_equal(hone_suggest("bata", known, 5), "beta");
    assert_string_equal(hone_suggest("batchpairs", known, 5), "batch-pairs");
    assert_null(hone_suggest("colour", known, 5));
    assert_null(hone_suggest("xy", known, 5));
    assert_null(hone_suggest("", known, 5));
    assert_null(hone_suggest("beta", known, 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_distance), cmocka_unit_test(test_suggestions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
