/* Lines of plain and packed files, wherever the blocks end. */
#include <core/file.h>
#include <core/memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <text/lines.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

enum { LINES = 300, LONGEST = 200000 };

static char path[] = "/tmp/hone-lines-XXXXXX";

static int make_file(void **state) {
    (void)state;
    const int file = mkstemp(path);
    return file < 0 ? -1 : close(file);
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

/** Some lines are longer than a block, some blank; line i begins with its number and is filled with one letter. */
static size_t length_of(int i) { return i % 7 == 3 ? 0 : (size_t)(i * 7919 % (i % 50 == 1 ? LONGEST : 900)); }

static void make_text(hn_bytes *text, bool ended) {
    for (int i = 0; i < LINES; i++) {
        for (size_t k = 0; k < length_of(i); k++)
            assert_int_equal(hn_bytes_append(text, k == 0 ? "#" : i % 2 ? "a" : "b", 1), HONE_OK);
        if (i < LINES - 1 || ended)
            assert_int_equal(hn_bytes_append(text, i % 3 == 0 ? "\r\n" : "\n", i % 3 == 0 ? 2 : 1), HONE_OK);
    }
}

static void check_lines(void) {
    hn_lines *lines = NULL;
    const char *line = NULL;
    size_t length = 0;
    uint64_t of = 0;

    assert_int_equal(hn_lines_open(path, &lines), HONE_OK);
    for (int i = 0; i < LINES; i++) {
        char where[64];
        if (length_of(i) == 0)
            continue;
        assert_int_equal(hn_lines_next(lines, &line, &length), HONE_OK);
        assert_non_null(line);
        assert_int_equal(hn_lines_number(lines), i + 1);
        (void)snprintf(where, sizeof where, "%s:%d", path, i + 1);
        assert_string_equal(hn_lines_where(lines), where);
        assert_int_equal(strlen(line), length);
        assert_int_equal(strcspn(line, "\r"), length_of(i));
        assert_int_equal(line[0], '#');
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(hn_lines_next(lines, &line, &length), HONE_OK);
        assert_null(line);
    }
    const uint64_t at = hn_lines_position(lines, &of);
    assert_true(at <= of && of > 0);
    hn_lines_close(lines);
}

static void write_packed(const hn_bytes *text) {
    const size_t room = ZSTD_compressBound(text->length);
    char *packed = NULL;

    assert_int_equal(hn_alloc(&packed, room, 1, "packed text"), HONE_OK);
    /* Two frames, as `cat a.zst b.zst` makes them. */
    const size_t half = text->length / 2, first = ZSTD_compress(packed, room, text->data, half, 1),
                 second =
                     ZSTD_compress(packed + first, room - first, text->data + half, text->length - half, 1);
    assert_false(ZSTD_isError(first) || ZSTD_isError(second));
    assert_int_equal(hn_file_replace(path, packed, first + second), HONE_OK);
    hn_free(packed);
}

static void test_every_packing(void **state) {
    (void)state;
    for (int ended = 0; ended < 2; ended++) {
        hn_bytes text = {0};
        make_text(&text, ended != 0);
        assert_int_equal(hn_file_replace(path, text.data, text.length), HONE_OK);
        check_lines();
        write_packed(&text);
        check_lines();
        gzFile file = gzopen(path, "wb");
        assert_int_equal(gzwrite(file, text.data, (unsigned)text.length), (int)text.length);
        assert_int_equal(gzclose(file), Z_OK);
        check_lines();
        hn_bytes_clear(&text);
    }
}

static void expect_none(const char *text) {
    hn_lines *lines = NULL;
    const char *line = "";
    size_t length = 0;

    assert_int_equal(hn_file_replace(path, text, strlen(text)), HONE_OK);
    assert_int_equal(hn_lines_open(path, &lines), HONE_OK);
    assert_int_equal(hn_lines_next(lines, &line, &length), HONE_OK);
    assert_null(line);
    hn_lines_close(lines);
}

static void test_nothing(void **state) {
    (void)state;
    expect_none("");
    expect_none("\n");
    expect_none(" \t\r\n\n   ");
}

/** A few kilobytes that unpack to one line without end. */
static void test_a_line_without_end(void **state) {
    const size_t size = (size_t)80 << 20;
    char *zeros = NULL;
    hn_bytes text = {0};
    hn_lines *lines = NULL;
    const char *line = NULL;
    size_t length = 0;

    (void)state;
    assert_int_equal(hn_alloc(&zeros, size, 1, "zeros"), HONE_OK);
    text.data = zeros;
    text.length = size;
    write_packed(&text);
    hn_free(zeros);
    assert_int_equal(hn_lines_open(path, &lines), HONE_OK);
    assert_int_equal(hn_lines_next(lines, &line, &length), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "64 MB"));
    hn_lines_close(lines);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_packing),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_a_line_without_end),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
