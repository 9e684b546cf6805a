#include "core/memory.h"
#include "core/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void allocation(void **state) {
    unsigned char *data = NULL;
    (void)state;
    int64_t before = hn_memory_allocations();
    assert_int_equal(hn_alloc(&data, 100, 1, "a test"), HONE_OK);
    for (int i = 0; i < 100; i++)
        assert_int_equal(data[i], 0);
    memset(data, 7, 100);
    assert_int_equal(hn_realloc(&data, 1000, 1, "a test"), HONE_OK);
    assert_int_equal(data[99], 7);
    assert_int_equal(hn_memory_allocations() - before, 2);
    hn_free(data);
    assert_int_equal(hn_alloc(&data, 0, 8, "nothing"), HONE_OK);
    assert_non_null(data);
    hn_free(data);
    hn_free(NULL);
}

static void impossible_sizes(void **state) {
    unsigned char *data = (unsigned char *)state;
    size_t size = 5;
    int64_t number = 5;
    (void)state;
    assert_int_equal(hn_alloc(&data, SIZE_MAX / 2, 4, "a monster"), HONE_ERROR_MEMORY);
    assert_null(data);
    assert_non_null(strstr(hone_message(), "a monster"));
    assert_int_equal(hn_alloc(&data, SIZE_MAX / 2 + 10, 1, "a monster"), HONE_ERROR_MEMORY);
    assert_false(hn_mul_size(SIZE_MAX, 2, &size));
    assert_false(hn_add_size(SIZE_MAX, 1, &size));
    assert_int_equal(size, 5);
    assert_false(hn_mul_i64(INT64_MIN, -1, &number));
    assert_false(hn_add_i64(INT64_MAX, 1, &number));
    assert_int_equal(number, 5);
    assert_true(hn_mul_i64(-3, 4, &number) && number == -12);
    assert_true(hn_mul_size(3, 4, &size) && size == 12);
}

static void injected_failures(void **state) {
    char *text = NULL;
    (void)state;
    hn_memory_fail_at(2);
    assert_int_equal(hn_strdup(&text, "first"), HONE_OK);
    assert_int_equal(hn_realloc(&text, 50, 1, "the second"), HONE_ERROR_MEMORY);
    assert_string_equal(text, "first");
    assert_non_null(strstr(hone_message(), "the second"));
    assert_int_equal(hn_realloc(&text, 50, 1, "the third"), HONE_OK);
    hn_memory_fail_at(0);
    hn_free(text);
}

static void growing(void **state) {
    int *array = NULL;
    size_t capacity = 0;
    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(hn_reserve(&array, &capacity, i + 1, sizeof *array, "numbers"), HONE_OK);
        array[i] = (int)i;
    }
    assert_int_equal(array[500], 500);
    assert_true(capacity >= 1000 && capacity < 4000);
    hn_free(array);
}

static void texts(void **state) {
    hn_bytes bytes = {NULL, 0, 0};
    char *text = NULL;
    (void)state;
    assert_int_equal(hn_strndup(&text, "abcdef", 3), HONE_OK);
    assert_string_equal(text, "abc");
    hn_free(text);
    assert_int_equal(hn_format(&text, "%d and %s", 5, "six"), HONE_OK);
    assert_string_equal(text, "5 and six");
    hn_free(text);
    assert_int_equal(hn_bytes_append(&bytes, "", 0), HONE_OK);
    assert_string_equal(bytes.data, "");
    assert_int_equal(hn_bytes_append(&bytes, "a\0b", 3), HONE_OK);
    assert_int_equal(hn_bytes_printf(&bytes, "%03d", 7), HONE_OK);
    assert_int_equal(bytes.length, 6);
    assert_memory_equal(bytes.data, "a\0b007", 7);
    hn_bytes_clear(&bytes);
    assert_null(bytes.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocation),
        cmocka_unit_test(impossible_sizes),
        cmocka_unit_test(injected_failures),
        cmocka_unit_test(growing),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
