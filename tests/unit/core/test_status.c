#include "core/log.h"
#include "core/status.h"

#include <hone/dtype.h>
#include <hone/version.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void *message_of_another(void *unused) {
    static char yes;
    (void)unused;
    return strlen(hone_message()) == 0 ? &yes : NULL;
}

static void messages_belong_to_threads(void **state) {
    pthread_t thread;
    void *empty = NULL;
    (void)state;
    assert_int_equal(hn_fail(HONE_ERROR_FORMAT, "row %d", 3), HONE_ERROR_FORMAT);
    assert_string_equal(hone_message(), "row 3");
    assert_int_equal(pthread_create(&thread, NULL, message_of_another, NULL), 0);
    assert_int_equal(pthread_join(thread, &empty), 0);
    assert_non_null(empty);
    assert_string_equal(hone_message(), "row 3");
}

static void prefixes_and_errno(void **state) {
    (void)state;
    assert_int_equal(hn_fail_errno(ENOENT, "model.bin"), HONE_ERROR_NOT_FOUND);
    assert_int_equal(hn_fail_errno(ENOSPC, "%s", "model.bin"), HONE_ERROR_IO);
    assert_string_equal(hone_message(),
                        "model.bin: No space left on device: make room, or choose a path with more");
    assert_int_equal(hn_fail_in(HONE_ERROR_IO, "saving step %d", 5), HONE_ERROR_IO);
    assert_string_equal(
        hone_message(),
        "saving step 5: model.bin: No space left on device: make room, or choose a path with more");
    assert_int_equal(hn_fail(HONE_ERROR_FORMAT, "model.bin: \x1b is no header"), HONE_ERROR_FORMAT);
    assert_int_equal(hn_fail_advise(HONE_ERROR_FORMAT, "get it again"), HONE_ERROR_FORMAT);
    assert_string_equal(hone_message(), "model.bin: \\x1b is no header: get it again");
    assert_int_equal(hn_fail_advise(HONE_ERROR_FORMAT, "get the file again"), HONE_ERROR_FORMAT);
    assert_string_equal(hone_message(), "model.bin: \\x1b is no header: get it again");
}

/* What a file says is quoted in messages and must not drive a terminal or begin a line. */
static void control_characters(void **state) {
    char longer[4000];
    (void)state;
    (void)hn_fail(HONE_ERROR_FORMAT, "%s", "a\nb\x1b[31m\x7f\xc3\xa9");
    assert_string_equal(hone_message(), "a\\nb\\x1b[31m\\x7f\xc3\xa9");
    for (size_t i = 0; i + 2 < sizeof longer; i += 2)
        memcpy(longer + i, "\xc3\xa9", 3);
    (void)hn_fail(HONE_ERROR_FORMAT, "x%s: choose another",
                  longer); /* no half of a character, and the end is there */
    assert_true(strlen(hone_message()) > 900 && strlen(hone_message()) < 1024);
    assert_null(strchr(hone_message(), '\\'));
    assert_non_null(strstr(hone_message(), "\xc3\xa9...\xc3\xa9"));
    assert_non_null(strstr(hone_message(), "\xc3\xa9: choose another"));
    (void)hn_fail(HONE_ERROR_FORMAT, "%s", "\xff\xc3 \xed\xe2\x82\xac\xc3");
    assert_string_equal(hone_message(), "\\xff\\xc3 \\xed\xe2\x82\xac\\xc3");
    (void)hn_fail(HONE_ERROR_FORMAT, "%s",
                  "\xc2\x9b"
                  "1m\xed\xa0\x80");
    assert_string_equal(hone_message(), "\\xc2\\x9b1m\\xed\\xa0\\x80");
    memset(longer, '\x01', 280);
    longer[280] = '\0';
    (void)hn_fail(HONE_ERROR_FORMAT, "%s", longer);
    assert_true(strlen(hone_message()) > 900 && strlen(hone_message()) < 1024);
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    (void)hn_fail_errno(EACCES, "%s", longer);
    assert_non_null(strstr(hone_message(), "Permission denied"));
    (void)hn_fail_in(HONE_ERROR_IO, "%s", longer);
    assert_true(strlen(hone_message()) < 1024);
}

static void catch_line(void *context, hone_log_level level, const char *line) {
    char *to = context;
    to[0] = (char)('0' + (int)level);
    memcpy(to + 1, line, strlen(line) + 1);
}

static void log_lines(void **state) {
    char got[100] = "";
    (void)state;
    hn_log(HONE_LOG_WARNING, "nobody listens");
    hone_log_set_sink(catch_line, got, HONE_LOG_INFO);
    hn_log(HONE_LOG_DEBUG, "too quiet");
    assert_string_equal(got, "");
    hn_log(HONE_LOG_WARNING, "%d", 42);
    assert_string_equal(got, "242");
    hone_log_set_sink(NULL, NULL, HONE_LOG_INFO);
    hn_log(HONE_LOG_WARNING, "gone");
    assert_string_equal(got, "242");
}

static void tables(void **state) {
    static const size_t size[] = {4, 8, 2, 2, 4, 1, 1};
    static const char *const name[] = {"f32", "f64", "f16", "bf16", "i32", "u8", "q8"};
    (void)state;
    for (int i = 0; i < HONE_DTYPE_COUNT; i++) {
        assert_int_equal(hone_dtype_size((hone_dtype)i), size[i]);
        assert_string_equal(hone_dtype_name((hone_dtype)i), name[i]);
    }
    assert_int_equal(hone_dtype_size(HONE_DTYPE_COUNT), 0);
    assert_int_equal(hone_q8_row(0), 0);
    assert_int_equal(hone_q8_row(33), 34 + 4);
    assert_int_equal(hone_q8_row(576), 576 + 36);
    assert_int_equal(hone_q8_row(INT64_MAX), -1);
    assert_string_equal(hone_dtype_name((hone_dtype)-1), "?");
    assert_string_equal(hone_version(), HONE_VERSION);
    for (int i = HONE_OK; i <= HONE_ERROR_INTERRUPTED; i++)
        assert_true(strlen(hone_status_name((hone_status)i)) > 0);
    assert_string_equal(hone_status_name((hone_status)99), "unknown status");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_belong_to_threads),
        cmocka_unit_test(prefixes_and_errno),
        cmocka_unit_test(control_characters),
        cmocka_unit_test(log_lines),
        cmocka_unit_test(tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
