#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "core/threads.h"

#include "core/memory.h"
#include "core/status.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

/*
 * One word says everything about the job in hand: its number, whether workers may still join, and how many
 * are in. Who publishes a job works on it too, closes it when no index is left and then waits only for the
 * workers that joined: a worker that the system woke too late costs nothing, it finds the job closed.
 */
#define ACTIVE UINT64_C(0xffff)
#define OPEN UINT64_C(0x10000)
#define JOB UINT64_C(0x20000)
#define MAX_THREADS 1024
#define SPINS 4000

struct hn_pool {
    int threads, spins;
    _Atomic uint64_t state;
    _Atomic int64_t next;
    _Atomic int sleepers;
    _Atomic bool caller_waits, stop;
    int64_t count;
    void (*body)(void *argument, int64_t index, int thread);
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t published, finished;
    struct worker {
        hn_pool *pool;
        pthread_t thread;
        int number;
    } * worker;
};

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void claim(hn_pool *pool, int thread) {
    for (;;) {
        int64_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count)
            return;
        pool->body(pool->argument, index, thread);
    }
}

static bool news(hn_pool *pool, uint64_t seen) {
    return atomic_load(&pool->state) / JOB != seen || atomic_load(&pool->stop);
}

/* The counter of sleepers is raised before the last look at the word and read after the word is written: one
 * of the two sides sees the other. */
static void await_job(hn_pool *pool, uint64_t seen) {
    for (int i = 0; i < pool->spins; i++) {
        if (news(pool, seen))
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->sleepers, 1);
    while (!news(pool, seen))
        pthread_cond_wait(&pool->published, &pool->lock);
    atomic_fetch_sub(&pool->sleepers, 1);
    pthread_mutex_unlock(&pool->lock);
}

static bool join(hn_pool *pool, uint64_t *seen) {
    uint64_t state = atomic_load(&pool->state);
    do {
        *seen = state / JOB;
        if (!(state & OPEN))
            return false;
    } while (!atomic_compare_exchange_weak(&pool->state, &state, state + 1));
    return true;
}

static void leave(hn_pool *pool) {
    uint64_t before = atomic_fetch_sub(&pool->state, 1);
    if ((before & ACTIVE) != 1 || !atomic_load(&pool->caller_waits))
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_signal(&pool->finished);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
    struct worker *self = argument;
    hn_pool *pool = self->pool;
    uint64_t seen = 0;
    while (!atomic_load(&pool->stop)) {
        await_job(pool, seen);
        if (join(pool, &seen)) {
            claim(pool, self->number);
            leave(pool);
        }
    }
    return NULL;
}

static void wake(hn_pool *pool) {
    if (atomic_load(&pool->sleepers) == 0)
        return;
    pthread_mutex_lock(&pool->lock);
    pthread_cond_broadcast(&pool->published);
    pthread_mutex_unlock(&pool->lock);
}

static void await_workers(hn_pool *pool) {
    for (int i = 0; i < pool->spins; i++) {
        if ((atomic_load(&pool->state) & ACTIVE) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&pool->lock);
    atomic_store(&pool->caller_waits, true);
    while ((atomic_load(&pool->state) & ACTIVE) != 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    atomic_store(&pool->caller_waits, false);
    pthread_mutex_unlock(&pool->lock);
}

void hn_pool_run(hn_pool *pool, int64_t count, void (*body)(void *argument, int64_t index, int thread),
                 void *argument) {
    if (pool->threads == 1 || count <= 1) {
        for (int64_t i = 0; i < count; i++)
            body(argument, i, 0);
        return;
    }
    pool->count = count;
    pool->body = body;
    pool->argument = argument;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_fetch_add(&pool->state, JOB | OPEN);
    wake(pool);
    claim(pool, 0);
    atomic_fetch_and(&pool->state, ~OPEN);
    await_workers(pool);
}

int hn_pool_threads(const hn_pool *pool) { return pool->threads; }

static int processors(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

/* Workers take no signals: those belong to the thread that knows how to stop. */
static hone_status start(hn_pool *pool, int number) {
    sigset_t all, old;
    struct worker *worker = &pool->worker[number];
    *worker = (struct worker){.pool = pool, .number = number};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&worker->thread, NULL, work, worker);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error ? hn_fail_errno(error, "starting thread %d", number + 1) : HONE_OK;
}

hone_status hn_pool_create(int threads, hn_pool **out) {
    hn_pool *pool = NULL;
    int available = processors();
    *out = NULL;
    if (threads < 0 || threads > MAX_THREADS)
        return hn_fail(HONE_ERROR_ARGUMENT, "%d threads: give 0 (all processors) to %d", threads,
                       MAX_THREADS);
    HN_TRY(hn_alloc(&pool, 1, sizeof *pool, "a thread pool"));
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->published, NULL);
    pthread_cond_init(&pool->finished, NULL);
    int wanted = threads == 0 ? available : threads;
    pool->threads = 1;
    pool->spins =
        wanted > available ? 0 : SPINS; /* spinning on a processor that another of us needs is a loss */
    hone_status status = hn_alloc(&pool->worker, (size_t)wanted, sizeof *pool->worker, "threads");
    for (; status == HONE_OK && pool->threads < wanted;) {
        status = start(pool, pool->threads);
        if (status == HONE_OK)
            pool->threads++; /* so that destroy joins what was started */
    }
    if (status != HONE_OK) {
        hn_pool_destroy(pool);
        return status;
    }
    *out = pool;
    return HONE_OK;
}

void hn_pool_destroy(hn_pool *pool) {
    if (!pool)
        return;
    atomic_store(&pool->stop, true);
    wake(pool);
    for (int i = 1; i < pool->threads; i++)
        pthread_join(pool->worker[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->published);
    pthread_mutex_destroy(&pool->lock);
    hn_free(pool->worker);
    hn_free(pool);
}
