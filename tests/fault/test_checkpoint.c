/* Damaged, cut and foreign checkpoints; disks that fill up and calls that fail; no memory. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "tiny.h"

#include <checkpoint/checkpoint.h>
#include <checkpoint/format.h>
#include <core/file.h>
#include <core/log.h>
#include <core/memory.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const saving[] = {"save-every", "1", NULL};
static const tiny_run whole = {"whole", "srpo", false, 2, 1, saving},
                      part = {"part", "srpo", false, 2, 1, saving};
static const char *const newest = "part/checkpoints/step-00000004.hone";

static char warning[4096];

static void remember(void *context, hone_log_level level, const char *line) {
    (void)context;
    if (level == HONE_LOG_WARNING)
        (void)snprintf(warning, sizeof warning, "%s", line);
}

static int set_up(void **state) {
    hone_log_set_sink(remember, NULL, HONE_LOG_INFO);
    if (tiny_set_up(state) != 0)
        return 1;
    tiny_expect(tiny_train(&whole, false, 0, NULL), HONE_OK);
    return 0;
}

/* Whatever a test before this one left. */
static int fresh(void **state) {
    (void)state;
    hn_files_replace(NULL);
    tiny_remove("part");
    return 0;
}

/* Every chunk: HONE_OK only when the file is whole. The bytes read are summed, to compare. */
static hone_status read_all(const char *name, uint64_t *sum) {
    char *path = tiny_place(name);
    hn_checkpoint *file = NULL;
    hone_status status = hn_checkpoint_open(path, &file);
    *sum = 0;
    for (size_t i = 0; status == HONE_OK && i < hn_checkpoint_count(file); i++) {
        const hn_checkpoint_chunk *chunk = hn_checkpoint_item(file, i);
        unsigned char *data = NULL;
        assert_int_equal(hn_alloc(&data, chunk->bytes + 1, 1, "chunk"), HONE_OK);
        status = hn_checkpoint_read(file, chunk->name, data, chunk->bytes);
        for (size_t k = 0; status == HONE_OK && k < chunk->bytes; k++)
            *sum = *sum * 1099511628211u + data[k];
        hn_free(data);
    }
    hn_checkpoint_destroy(file);
    hn_free(path);
    return status;
}

static void put_raw(const char *name, const void *data, size_t length) {
    char *path = tiny_place(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    hn_free(path);
}

static void refused(const char *name) {
    uint64_t sum = 0;
    const hone_status status = read_all(name, &sum);
    if (status != HONE_ERROR_UNSUPPORTED)
        tiny_expect(status, HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), name));
}

static void truncations(void **state) {
    size_t length = 0;
    unsigned char *data = tiny_read("whole/checkpoints/step-00000004.hone", &length);
    (void)state;
    for (size_t cut = 0; cut < length; cut += cut < 64 || length - cut < 700 ? 1 : 997) {
        put_raw("cut.hone", data, cut);
        refused("cut.hone");
    }
    hn_free(data);
}

/* A flip in header, index or footer is seen on opening; one in a frame is seen, or changes nothing that is read. */
static void flips(void **state) {
    size_t length = 0, ignored = 0, tried = 0;
    uint64_t wanted = 0, sum = 0;
    unsigned char *data = tiny_read("whole/checkpoints/step-00000004.hone", &length);
    const size_t index = (size_t)hn_get64(data + length - HN_CHECKPOINT_FOOTER);

    (void)state;
    tiny_expect(read_all("whole/checkpoints/step-00000004.hone", &wanted), HONE_OK);
    for (size_t at = 0; at < length; at += at < HN_CHECKPOINT_HEADER || at >= index ? 1 : 97) {
        const unsigned char bit = (unsigned char)(1u << (at * 5 % 8));
        data[at] ^= bit;
        put_raw("flip.hone", data, length);
        data[at] ^= bit;
        if (at < HN_CHECKPOINT_HEADER || at >= index)
            refused("flip.hone");
        else if (read_all("flip.hone", &sum) == HONE_OK) {
            assert_int_equal(sum, wanted);
            ignored++;
        }
        tried++;
    }
    assert_true(ignored * 10 < tried);
    hn_free(data);
}

/* The newest of four checkpoints is replaced by `data`: the third is taken, with a word of warning. */
static void fall_back(const void *data, size_t length, const char *reason) {
    hone_train_summary summary;
    tiny_expect(tiny_train(&part, false, 4, NULL), HONE_ERROR_INTERRUPTED);
    put_raw(newest, data, length);
    warning[0] = '\0';
    tiny_expect(tiny_train(&part, true, 0, &summary), HONE_OK);
    if (strstr(warning, "step-00000004.hone") == NULL || strstr(warning, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", warning, reason);
    assert_int_equal(summary.steps, 6);
    assert_int_equal(summary.pairs, 10); /* steps 4 to 6: the second epoch */
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("part");
}

static void older_is_taken(void **state) {
    size_t length = 0;
    unsigned char *data = tiny_read("whole/checkpoints/step-00000004.hone", &length);
    (void)state;
    fall_back("", 0, "not a hone checkpoint");
    fall_back(data, 7, "not a hone checkpoint");
    fall_back(data, 20, "damaged or cut");
    fall_back(data, length / 2, "damaged or cut");
    fall_back(data, length - 1, "damaged or cut");
    data[HN_CHECKPOINT_HEADER + 40] ^= 4;
    fall_back(data, length, "damaged");
    data[HN_CHECKPOINT_HEADER + 40] ^= 4;
    data[length / 2] ^= 4;
    fall_back(data, length, "damaged");
    hn_free(data);
}

static void none_is_good(void **state) {
    static const char *const names[] = {"part/checkpoints/step-00000001.hone",
                                        "part/checkpoints/step-00000002.hone"};
    (void)state;
    tiny_expect(tiny_train(&part, false, 2, NULL), HONE_ERROR_INTERRUPTED);
    for (int i = 0; i < 2; i++)
        put_raw(names[i], "HONE", 4);
    tiny_expect(tiny_train(&part, true, 0, NULL), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "no checkpoint"));
    assert_non_null(strstr(hone_message(), "not a hone checkpoint"));
    tiny_remove("part");
}

/** Resumes with one thing changed: refused, and the reason names it. */
static void foreign(const char *option, const char *value, const char *reason) {
    const bool path = strcmp(option, "model") == 0 || strcmp(option, "data") == 0;
    char *text = path ? tiny_place(value) : NULL;
    const char *const extra[] = {"save-every", "1", option, path ? text : value, NULL};
    tiny_run changed = part;
    changed.extra = extra;
    tiny_expect(tiny_train(&changed, true, 0, NULL), HONE_ERROR_FORMAT);
    if (strstr(hone_message(), "belongs to another run") == NULL || strstr(hone_message(), reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", hone_message(), reason);
    hn_free(text);
}

static void foreign_runs(void **state) {
    (void)state;
    tiny_expect(tiny_train(&part, false, 4, NULL), HONE_ERROR_INTERRUPTED);
    foreign("model", "other", "its base is");
    foreign("data", "more.jsonl", "its data is");
    foreign("method", "dpo", "its method is"); /* its sequences are others too, but that follows from it */
    foreign("full", NULL, "its trained is");
    foreign("lora-rank", "4", "its trained is");
    foreign("lora-targets", "all-linear", "its trained is");
    foreign("seed", "1", "its seed is 0");
    foreign("batch-pairs", "1", "its batch is 4");
    /* After all that the run itself goes on as if nothing had been tried. */
    tiny_expect(tiny_train(&part, true, 0, NULL), HONE_OK);
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("part");
}

static void foreign_method(void **state) {
    tiny_run other = {"part", "dpo", false, 2, 1, NULL};
    (void)state;
    tiny_expect(tiny_train(&other, false, 2, NULL), HONE_ERROR_INTERRUPTED);
    other.method = "ipo";
    tiny_expect(tiny_train(&other, true, 0, NULL), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "its method is \"dpo\", this run's is \"ipo\""));
}

/* ---- calls that fail ---- */

typedef enum call {
    CALL_OPEN,
    CALL_READ,
    CALL_WRITE,
    CALL_FSYNC,
    CALL_CLOSE,
    CALL_RENAME,
    CALL_UNLINK,
    CALL_MKDIR
} call;
static struct {
    call which;
    int number;      /* errno; 0: half of the bytes */
    bool forever;    /* from then on, as on a full disk */
    int64_t at, now; /* the call that fails, from 1 */
    bool fired;
} fault;

static bool due(call which) {
    if (which != fault.which)
        return false;
    fault.now++;
    const bool is = fault.now == fault.at || (fault.forever && fault.now > fault.at);
    if (is) {
        fault.fired = true;
        errno = fault.number;
    }
    return is;
}

static int faulty_open(const char *path, int flags, mode_t mode) {
    if ((flags & O_CREAT) != 0 && due(CALL_OPEN))
        return -1;
    return open(path, flags, mode);
}
static ssize_t faulty_read(int file, void *data, size_t bytes) {
    if (due(CALL_READ)) {
        if (fault.number != 0)
            return -1;
        bytes = (bytes + 1) / 2;
    }
    return read(file, data, bytes);
}
static ssize_t faulty_write(int file, const void *data, size_t bytes) {
    if (due(CALL_WRITE)) {
        if (fault.number != 0)
            return -1;
        bytes = (bytes + 1) / 2;
    }
    return write(file, data, bytes);
}
static int faulty_fsync(int file) { return due(CALL_FSYNC) ? -1 : fsync(file); }
static int faulty_close(int file) {
    const int result = close(file);
    return due(CALL_CLOSE) ? -1 : result;
}
static int faulty_rename(const char *from, const char *to) {
    return due(CALL_RENAME) ? -1 : rename(from, to);
}
static int faulty_unlink(const char *path) { return due(CALL_UNLINK) ? -1 : unlink(path); }
static int faulty_mkdir(const char *path, mode_t mode) { return due(CALL_MKDIR) ? -1 : mkdir(path, mode); }

static const hn_file_calls faulty = {faulty_open,  faulty_read,   faulty_write,  faulty_fsync,
                                     faulty_close, faulty_rename, faulty_unlink, faulty_mkdir};

/* What is left is whole, and nothing is left that should not be. */
static void assert_sound(void) {
    char *path = tiny_place("part"), *checkpoints = tiny_place("part/checkpoints"), **names = NULL;
    size_t count = 0;
    if (hn_folder_exists(path))
        tiny_assert_no_temporary("part");
    if (hn_folder_exists(checkpoints)) {
        tiny_assert_no_temporary("part/checkpoints");
        tiny_expect(hn_folder_list(checkpoints, &names, &count), HONE_OK);
    }
    for (size_t i = 0; i < count; i++) {
        char *name = NULL;
        uint64_t sum = 0;
        assert_int_equal(hn_path_join("part/checkpoints", names[i], &name), HONE_OK);
        tiny_expect(read_all(name, &sum), HONE_OK);
        hn_free(name);
    }
    hn_names_free(names, count);
    hn_free(path);
    hn_free(checkpoints);
}

/* The n-th call fails, for each n of a run: an error that says so or none at all, then the rest of the run. True when
 * there was an n-th call. */
static bool one_fault(call which, int number, bool forever, int64_t n, bool may_fail) {
    fault.which = which;
    fault.number = number;
    fault.forever = forever;
    fault.at = n;
    fault.now = 0;
    fault.fired = false;
    hn_files_replace(&faulty);
    const hone_status status = tiny_train(&part, false, 0, NULL);
    hn_files_replace(NULL);
    if (fault.fired && status != HONE_OK) {
        if (!may_fail)
            fail_msg("call %lld: %s", (long long)n, hone_message());
        tiny_expect(status, HONE_ERROR_IO);
        if (number != 0 && strstr(hone_message(), strerror(number)) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", hone_message(), strerror(number));
        assert_null(strchr(hone_message(), '\n'));
        assert_sound();
        tiny_expect(tiny_train(&part, true, 0, NULL), HONE_OK);
    } else
        tiny_expect(status, HONE_OK);
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("part");
    return fault.fired;
}

static int64_t each_fault(call which, int number, bool forever, bool may_fail) {
    int64_t n = 1;
    while (one_fault(which, number, forever, n, may_fail))
        n++;
    return n - 1;
}

static void full_disk(void **state) {
    (void)state;
    assert_true(each_fault(CALL_WRITE, ENOSPC, true, true) > 10);
}
static void short_writes(void **state) {
    (void)state;
    assert_true(each_fault(CALL_WRITE, 0, false, true) > 10);
}
static void interrupted_writes(void **state) {
    (void)state;
    assert_true(each_fault(CALL_WRITE, EINTR, false, false) > 10);
}
static void failing_syncs(void **state) {
    (void)state;
    assert_true(each_fault(CALL_FSYNC, EIO, false, true) > 10);
}
static void failing_renames(void **state) {
    (void)state;
    assert_true(each_fault(CALL_RENAME, EACCES, false, true) > 5);
}
static void failing_opens(void **state) {
    (void)state;
    assert_true(each_fault(CALL_OPEN, EMFILE, false, true) > 10);
}
static void failing_closes(void **state) {
    (void)state;
    assert_true(each_fault(CALL_CLOSE, EIO, false, true) > 10);
}
static void failing_folders(void **state) {
    (void)state;
    assert_true(each_fault(CALL_MKDIR, EROFS, true, true) >= 2);
}
static void failing_reads(void **state) {
    (void)state;
    assert_true(each_fault(CALL_READ, EIO, false, true) >= 3);
}
static void short_reads(void **state) {
    (void)state;
    assert_true(each_fault(CALL_READ, 0, false, false) >= 3);
}

/* Old checkpoints that can't be removed are no reason to stop. */
static void failing_removal(void **state) {
    static const char *const few[] = {"save-every", "1", "keep", "1", NULL};
    tiny_run run = part;
    (void)state;
    run.extra = few;
    memset(&fault, 0, sizeof fault);
    fault.which = CALL_UNLINK;
    fault.number = EACCES;
    fault.forever = true;
    fault.at = 1;
    warning[0] = '\0';
    hn_files_replace(&faulty);
    tiny_expect(tiny_train(&run, false, 0, NULL), HONE_OK);
    hn_files_replace(NULL);
    assert_true(fault.fired);
    assert_non_null(strstr(warning, "can't be removed"));
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("part");
}

/* ---- no memory ---- */

/* Fails allocations of a whole run, of LoRA and of full training, one at a time; about `tries` of them. */
static void starve(const tiny_run *run, bool resume, int64_t tries) {
    const int64_t before = hn_memory_allocations();
    tiny_expect(tiny_train(run, resume, resume ? 0 : 2, NULL), resume ? HONE_OK : HONE_ERROR_INTERRUPTED);
    const int64_t count = hn_memory_allocations() - before, stride = count / tries + 1;
    int64_t failed = 0;

    if (!resume)
        tiny_remove(run->out);
    /* Setting a run up takes many small ones: all of those at the start, the rest by strides. */
    for (int64_t n = 1; n <= count; n += n < tries / 2 ? 1 : stride) {
        const hone_status status = tiny_starve(run, resume, resume ? 0 : 2, n);
        if (status == HONE_ERROR_MEMORY)
            failed++;
        else if (status != HONE_OK && status != HONE_ERROR_INTERRUPTED)
            fail_msg("allocation %lld of %lld: %s: %s", (long long)n, (long long)count,
                     hone_status_name(status), hone_message());
        if (!resume)
            tiny_remove(run->out);
    }
    assert_true(failed > 0);
}

static void no_memory_lora(void **state) {
    (void)state;
    starve(&part, false, 300);
    tiny_remove("cache");
}

static void no_memory_full(void **state) {
    const tiny_run full = {"part", "srpo", true, 2, 1, saving};
    (void)state;
    starve(&full, false, 200);
}

/* Resumed over and over: every refusal leaves the checkpoints good. */
static void no_memory_resumed(void **state) {
    (void)state;
    tiny_expect(tiny_train(&part, false, 5, NULL), HONE_ERROR_INTERRUPTED);
    starve(&part, true, 200);
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("part");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(truncations, fresh),        cmocka_unit_test_setup(flips, fresh),
        cmocka_unit_test_setup(older_is_taken, fresh),     cmocka_unit_test_setup(none_is_good, fresh),
        cmocka_unit_test_setup(foreign_runs, fresh),       cmocka_unit_test_setup(foreign_method, fresh),
        cmocka_unit_test_setup(full_disk, fresh),          cmocka_unit_test_setup(short_writes, fresh),
        cmocka_unit_test_setup(interrupted_writes, fresh), cmocka_unit_test_setup(failing_syncs, fresh),
        cmocka_unit_test_setup(failing_renames, fresh),    cmocka_unit_test_setup(failing_opens, fresh),
        cmocka_unit_test_setup(failing_closes, fresh),     cmocka_unit_test_setup(failing_folders, fresh),
        cmocka_unit_test_setup(failing_reads, fresh),      cmocka_unit_test_setup(short_reads, fresh),
        cmocka_unit_test_setup(failing_removal, fresh),    cmocka_unit_test_setup(no_memory_lora, fresh),
        cmocka_unit_test_setup(no_memory_full, fresh),     cmocka_unit_test_setup(no_memory_resumed, fresh),
    };
    return cmocka_run_group_tests(tests, set_up, tiny_tear_down);
}
