#include "core/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MOST 5000

typedef struct work {
    int done[MOST];
    int threads;
    _Atomic int wrong;
    _Atomic int busy[64];
} work;

static void mark(void *argument, int64_t index, int thread) {
    work *w = argument;
    if (thread < 0 || thread >= w->threads || atomic_fetch_add(&w->busy[thread], 1) != 0)
        atomic_fetch_add(&w->wrong, 1);
    w->done[index]++; /* plain: each index is one thread's, and the caller reads after the join */
    atomic_fetch_sub(&w->busy[thread], 1);
}

static void run_many(int threads, int runs) {
    static work w;
    hn_pool *pool = NULL;
    assert_int_equal(hn_pool_create(threads, &pool), HONE_OK);
    assert_true(hn_pool_threads(pool) == threads || threads == 0);
    for (int run = 0; run < runs; run++) {
        int64_t count = run % 7 == 0 ? MOST : run % 5;
        memset(&w, 0, sizeof w);
        w.threads = hn_pool_threads(pool);
        hn_pool_run(pool, count, mark, &w);
        assert_int_equal(w.wrong, 0);
        for (int64_t i = 0; i < MOST; i++)
            assert_int_equal(w.done[i], i < count);
    }
    hn_pool_destroy(pool);
}

static void every_index_once(void **state) {
    (void)state;
    run_many(1, 20);
    run_many(2, 400);
    run_many(3, 100);
    run_many(8, 100);
    run_many(0, 50);
}

/* Workers that sleep are woken: pauses longer than the spinning lie between the calls. */
static void after_sleep(void **state) {
    static work w;
    hn_pool *pool = NULL;
    const struct timespec pause = {0, 3000000};
    (void)state;
    assert_int_equal(hn_pool_create(4, &pool), HONE_OK);
    w.threads = 4;
    for (int run = 0; run < 20; run++) {
        (void)nanosleep(&pause, NULL);
        hn_pool_run(pool, 50, mark, &w);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(w.done[i], 20);
    hn_pool_destroy(pool);
}

static void wait_for_both(void *argument, int64_t index, int thread) {
    _Atomic int *arrived = argument;
    (void)index;
    (void)thread;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 2) {
        const struct timespec pause = {0, 100000};
        (void)nanosleep(&pause, NULL);
    }
}

/* Two indices that wait for each other end only when two threads are at work at once. */
static void it_is_parallel(void **state) {
    hn_pool *pool = NULL;
    _Atomic int arrived = 0;
    (void)state;
    assert_int_equal(hn_pool_create(2, &pool), HONE_OK);
    hn_pool_run(pool, 2, wait_for_both, &arrived);
    assert_int_equal(arrived, 2);
    hn_pool_destroy(pool);
}

static void refusals(void **state) {
    hn_pool *pool = (hn_pool *)(void *)state;
    assert_int_equal(hn_pool_create(-1, &pool), HONE_ERROR_ARGUMENT);
    assert_null(pool);
    assert_int_equal(hn_pool_create(100000, &pool), HONE_ERROR_ARGUMENT);
    hn_pool_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_once),
        cmocka_unit_test(after_sleep),
        cmocka_unit_test(it_is_parallel),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
