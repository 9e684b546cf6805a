#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[200];

static char *path_of(const char *name) {
    char *path = NULL;
    assert_int_equal(hn_path_join(folder, name, &path), HONE_OK);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    const char *base = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/hone-test-XXXXXX", base ? base : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char **names = NULL;
    size_t count = 0;
    (void)state;
    hn_files_replace(NULL);
    if (hn_folder_list(folder, &names, &count) != HONE_OK)
        return -1;
    for (size_t i = 0; i < count; i++) {
        char *path = path_of(names[i]);
        if (unlink(path) != 0)
            (void)rmdir(path);
        hn_free(path);
    }
    hn_names_free(names, count);
    return rmdir(folder);
}

static void expect_content(const char *path, const char *text) {
    char *data = NULL;
    size_t length = 0;
    assert_int_equal(hn_file_read(path, 1 << 20, &data, &length), HONE_OK);
    assert_int_equal(length, strlen(text));
    assert_string_equal(data, text);
    hn_free(data);
}

static size_t entries(void) {
    char **names = NULL;
    size_t count = 0;
    assert_int_equal(hn_folder_list(folder, &names, &count), HONE_OK);
    hn_names_free(names, count);
    return count;
}

static void whole_files(void **state) {
    char *path = path_of("whole"), *data = NULL;
    size_t length = 0;
    hn_map map;
    (void)state;
    assert_int_equal(hn_file_read(path, 10, &data, &length), HONE_ERROR_NOT_FOUND);
    assert_non_null(strstr(hone_message(), path));
    assert_int_equal(hn_map_open(path, &map), HONE_ERROR_NOT_FOUND);
    assert_int_equal(hn_file_replace(path, "hello", 5), HONE_OK);
    expect_content(path, "hello");
    assert_true(hn_file_exists(path) && !hn_folder_exists(path));
    assert_int_equal(hn_file_read(path, 4, &data, &length), HONE_ERROR_FORMAT);
    assert_null(data);
    assert_int_equal(hn_map_open(path, &map), HONE_OK);
    assert_int_equal(map.size, 5);
    assert_memory_equal(map.data, "hello", 5);
    hn_map_close(&map);
    assert_int_equal(hn_file_append(path, " you\n", 5), HONE_OK);
    expect_content(path, "hello you\n");
    assert_int_equal(hn_file_replace(path, "", 0), HONE_OK);
    assert_int_equal(hn_map_open(path, &map), HONE_OK);
    assert_int_equal(map.size, 0);
    assert_non_null(map.data);
    hn_map_close(&map);
    assert_int_equal(hn_file_read(folder, 10, &data, &length), HONE_ERROR_IO);
    assert_int_equal(hn_map_open("/dev/null", &map), HONE_ERROR_IO);
    hn_free(path);
}

static void writers(void **state) {
    char *path = path_of("written"), *data = NULL;
    size_t length = 0, before = entries();
    hn_writer *writer = NULL;
    static char big[200000];
    (void)state;
    memset(big, 'b', sizeof big);
    assert_int_equal(hn_writer_create(path, &writer), HONE_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hn_writer_write(writer, "small", 5), HONE_OK);
        assert_int_equal(hn_writer_write(writer, big, sizeof big), HONE_OK);
    }
    assert_int_equal(hn_writer_position(writer), 3 * (5 + sizeof big));
    assert_false(hn_file_exists(path));
    assert_int_equal(hn_writer_commit(writer), HONE_OK);
    hn_writer_destroy(writer);
    assert_int_equal(hn_file_read(path, 1 << 20, &data, &length), HONE_OK);
    assert_int_equal(length, 3 * (5 + sizeof big));
    assert_memory_equal(data + 5 + sizeof big, "smallbbb", 8);
    hn_free(data);
    assert_int_equal(hn_writer_create(path, &writer), HONE_OK);
    assert_int_equal(hn_writer_write(writer, "never", 5), HONE_OK);
    hn_writer_destroy(writer); /* not committed: the old file stays, the temporary one goes */
    assert_int_equal(entries(), before + 1);
    hn_free(path);
}

/* A disk that takes so many bytes, and calls that fail at the n-th. */
static size_t room;
static int fail_call, calls;
static hn_file_calls faulty;

static ssize_t limited_write(int file, const void *data, size_t bytes) {
    if (room == 0) {
        errno = ENOSPC;
        return -1;
    }
    size_t part = bytes < room ? bytes : room;
    room -= part;
    return write(file, data, part);
}

static int faulty_fsync(int file) {
    if (++calls == fail_call) {
        errno = EIO;
        return -1;
    }
    return fsync(file);
}

static int faulty_rename(const char *from, const char *to) {
    if (++calls == fail_call) {
        errno = EACCES;
        return -1;
    }
    return rename(from, to);
}

static void full_disk(void **state) {
    char *path = path_of("disk");
    static char big[300000];
    (void)state;
    assert_int_equal(hn_file_replace(path, "old", 3), HONE_OK);
    size_t before = entries();
    faulty = *hn_files();
    faulty.write = limited_write;
    hn_files_replace(&faulty);
    for (room = 0; room < sizeof big; room = room + 7919) {
        size_t left = room;
        assert_int_equal(hn_file_replace(path, big, sizeof big), HONE_ERROR_IO);
        assert_non_null(strstr(hone_message(), "No space left"));
        room = left;
        expect_content(path, "old");
        assert_int_equal(entries(), before);
    }
    room = 3;
    assert_int_equal(hn_file_append(path, "abcdef", 6), HONE_ERROR_IO);
    hn_files_replace(NULL);
    hn_free(path);
}

static void failing_calls(void **state) {
    char *path = path_of("calls");
    (void)state;
    assert_int_equal(hn_file_replace(path, "old", 3), HONE_OK);
    faulty = *hn_files();
    faulty.fsync = faulty_fsync;
    faulty.rename = faulty_rename;
    hn_files_replace(&faulty);
    for (fail_call = 1; fail_call <= 3; fail_call++) { /* fsync, rename, fsync of the folder */
        calls = 0;
        assert_int_equal(hn_file_replace(path, "new", 3), HONE_ERROR_IO);
        expect_content(path, fail_call < 3 ? "old" : "new");
    }
    hn_files_replace(NULL);
    hn_free(path);
}

static void folders(void **state) {
    char *deep = path_of("a"), *deeper = path_of("a/b//c/"), *file = path_of("plain");
    char **names = NULL;
    size_t count = 0;
    (void)state;
    assert_int_equal(hn_folder_make(deeper), HONE_OK);
    assert_int_equal(hn_folder_make(deeper), HONE_OK);
    assert_true(hn_folder_exists(deeper));
    assert_int_equal(hn_folder_list(deep, &names, &count), HONE_OK);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "b");
    hn_names_free(names, count);
    assert_int_equal(hn_file_replace(file, "x", 1), HONE_OK);
    assert_int_equal(hn_folder_make(file), HONE_ERROR_IO);
    assert_int_equal(hn_folder_make(""), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_folder_list(file, &names, &count), HONE_ERROR_IO);
    char *inner = path_of("a/b/c"), *middle = path_of("a/b");
    assert_int_equal(rmdir(inner) + rmdir(middle), 0);
    hn_free(inner);
    hn_free(middle);
    hn_free(deep);
    hn_free(deeper);
    hn_free(file);
}

static void clocks(void **state) {
    (void)state;
    double then = hn_seconds();
    assert_true(hn_seconds() >= then);
    assert_true(hn_peak_bytes() > 100000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),   cmocka_unit_test(writers), cmocka_unit_test(full_disk),
        cmocka_unit_test(failing_calls), cmocka_unit_test(folders), cmocka_unit_test(clocks),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
