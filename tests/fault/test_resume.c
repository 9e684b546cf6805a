/* A run that was stopped and resumed gives the bits of one that never stopped. */
#include "tiny.h"

#include <core/file.h>
#include <core/memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/** Stops after each step of the list (0 at its end), goes on with `threads`, and compares with the unbroken run. */
static void compare(const tiny_run *whole, const int64_t *stops, int64_t threads, const char *out) {
    tiny_run part = *whole;
    part.out = out;
    for (int i = 0; stops[i] != 0; i++) {
        tiny_expect(tiny_train(&part, i > 0, stops[i], NULL), HONE_ERROR_INTERRUPTED);
        assert_non_null(strstr(hone_message(), "--resume"));
        part.threads = threads;
    }
    tiny_expect(tiny_train(&part, true, 0, NULL), HONE_OK);
    tiny_assert_same_run(whole->out, part.out, whole->full);
    tiny_remove(out);
}

/** Ten rows by two: five steps an epoch; with accumulation of two, three, the last one short. */
static void all_stops(const char *method, bool full, int64_t accumulate, const char *const *extra) {
    const int64_t steps = accumulate == 1 ? 10 : 6;
    const tiny_run whole = {"whole", method, full, accumulate, 1, extra};
    hone_train_summary summary;

    tiny_expect(tiny_train(&whole, false, 0, &summary), HONE_OK);
    assert_int_equal(summary.steps, steps);
    for (int64_t stop = 1; stop < steps; stop++) {
        const int64_t stops[] = {stop, 0};
        compare(&whole, stops, 2, "part");
    }
    const int64_t often[] = {1, 2, steps - 2, steps - 1, 0};
    compare(&whole, often, 2, "part");
    tiny_remove("whole");
}

static void srpo_lora(void **state) {
    (void)state;
    all_stops("srpo", false, 1, NULL);
}

static void srpo_lora_accumulated(void **state) {
    (void)state;
    all_stops("srpo", false, 2, NULL);
}

static void srpo_full(void **state) {
    (void)state;
    all_stops("srpo", true, 2, NULL);
}

static void sft_lora(void **state) {
    (void)state;
    all_stops("sft", false, 2, NULL);
}

static void sft_full(void **state) {
    (void)state;
    all_stops("sft", true, 1, NULL);
}

static void naive_full(void **state) {
    static const char *const naive[] = {"pack", "naive", "schedule", "cosine", NULL};
    (void)state;
    all_stops("srpo", true, 2, naive);
}

/** Two threads first, one after: the same bits again. */
static void threads_down(void **state) {
    const tiny_run whole = {"whole", "srpo", false, 2, 1, NULL};
    tiny_run part = {"part", "srpo", false, 2, 2, NULL};
    (void)state;
    tiny_expect(tiny_train(&whole, false, 0, NULL), HONE_OK);
    tiny_expect(tiny_train(&part, false, 3, NULL), HONE_ERROR_INTERRUPTED);
    part.threads = 1;
    tiny_expect(tiny_train(&part, true, 0, NULL), HONE_OK);
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("whole");
    tiny_remove("part");
}

/** A process that dies between checkpoints: metrics go back to where the checkpoint stands. */
static void death(void **state) {
    static const char *const saving[] = {"save-every", "2", NULL};
    const tiny_run whole = {"whole", "srpo", false, 2, 1, saving},
                   part = {"part", "srpo", false, 2, 1, saving};
    size_t length = 0;

    (void)state;
    tiny_expect(tiny_train(&whole, false, 0, NULL), HONE_OK);
    tiny_expect(tiny_train(&part, false, 5, NULL), HONE_ERROR_INTERRUPTED);
    tiny_remove("part/checkpoints/step-00000005.hone");
    unsigned char *metrics = tiny_read("part/metrics.jsonl", &length);
    tiny_write("part/metrics.jsonl", metrics, length - 9); /* and its last line is cut */
    hn_free(metrics);
    tiny_expect(tiny_train(&part, true, 0, NULL), HONE_OK);
    tiny_assert_same_run("whole", "part", false);
    tiny_remove("whole");
    tiny_remove("part");
}

/** A complete run resumed does nothing and leaves the result as it was. A run is not overwritten without resume. */
static void complete(void **state) {
    const tiny_run run = {"whole", "srpo", true, 2, 1, NULL}, again = {"again", "srpo", true, 2, 1, NULL};
    hone_train_summary summary;
    (void)state;
    tiny_expect(tiny_train(&run, false, 0, NULL), HONE_OK);
    tiny_expect(tiny_train(&again, false, 0, NULL), HONE_OK);
    tiny_expect(tiny_train(&run, true, 0, &summary), HONE_OK);
    assert_int_equal(summary.steps, 6);
    assert_int_equal(summary.pairs, 0);
    tiny_assert_same_run("whole", "again", true);
    tiny_expect(tiny_train(&run, false, 0, NULL), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "--resume"));
    tiny_assert_same_run("whole", "again", true);
    tiny_remove("whole");
    tiny_remove("again");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(srpo_lora),    cmocka_unit_test(srpo_lora_accumulated),
        cmocka_unit_test(srpo_full),    cmocka_unit_test(sft_lora),
        cmocka_unit_test(sft_full),     cmocka_unit_test(naive_full),
        cmocka_unit_test(threads_down), cmocka_unit_test(death),
        cmocka_unit_test(complete),
    };
    return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
