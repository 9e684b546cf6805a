#include "host.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_THREADS = 64 };

struct cf_pool {
    pthread_mutex_t lock;
    pthread_cond_t begun, ended;
    pthread_t worker[MOST_THREADS];
    int threads;
    uint64_t round; /* raised when a loop begins */
    int busy;       /* workers that have not ended this round */
    bool stop;
    void (*body)(void *argument, int64_t index, int thread);
    void *argument;
    int64_t count, next;
};

typedef struct worker_start {
    cf_pool *pool;
    int thread;
} worker_start;

/* ---- a loop over indices ---- */

static int64_t claim(cf_pool *pool) {
    (void)pthread_mutex_lock(&pool->lock);
    const int64_t index = pool->next < pool->count ? pool->next++ : -1;
    (void)pthread_mutex_unlock(&pool->lock);
    return index;
}

static void work(cf_pool *pool, int thread) {
    for (int64_t index = claim(pool); index >= 0; index = claim(pool))
        pool->body(pool->argument, index, thread);
}

static void *worker_main(void *argument) {
    const worker_start start = *(worker_start *)argument;
    cf_pool *pool = start.pool;
    uint64_t seen = 0;

    free(argument);
    (void)pthread_mutex_lock(&pool->lock);
    while (!pool->stop) {
        if (pool->round == seen) {
            (void)pthread_cond_wait(&pool->begun, &pool->lock);
            continue;
        }
        seen = pool->round;
        (void)pthread_mutex_unlock(&pool->lock);
        work(pool, start.thread);
        (void)pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            (void)pthread_cond_signal(&pool->ended);
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void host_parallel(void *context, int64_t count,
                          void (*body)(void *argument, int64_t index, int thread), void *argument) {
    cf_pool *pool = ((cf_host *)context)->pool;

    (void)pthread_mutex_lock(&pool->lock);
    pool->body = body;
    pool->argument = argument;
    pool->count = count;
    pool->next = 0;
    pool->busy = pool->threads - 1;
    pool->round++;
    (void)pthread_cond_broadcast(&pool->begun);
    (void)pthread_mutex_unlock(&pool->lock);
    work(pool, 0);
    (void)pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        (void)pthread_cond_wait(&pool->ended, &pool->lock);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* ---- the other services ---- */

HONE_PRINTF(3, 4)
static hone_status host_fail(void *context, hone_status status, const char *format, ...) {
    cf_host *host = context;
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(host->message, sizeof host->message, format, arguments);
    va_end(arguments);
    return status;
}

static void *host_allocate(void *context, size_t bytes, size_t alignment) {
    void *memory = NULL;

    (void)context;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    /* Undefined contents had better not be zeros. */
    if (posix_memalign(&memory, alignment, bytes > 0 ? bytes : 1) != 0)
        return NULL;
    memset(memory, 0xf9, bytes);
    return memory;
}

static void host_release(void *context, void *memory, size_t bytes) {
    (void)context;
    (void)bytes;
    free(memory);
}

static int host_threads(void *context) { return ((cf_host *)context)->pool->threads; }

static const char *host_option(void *context, const char *name) {
    const cf_host *host = context;

    for (int i = 0; i < host->options; i++) {
        if (strcmp(host->option[i].name, name) == 0)
            return host->option[i].value;
    }
    return NULL;
}

void cf_host_option(cf_host *host, const char *name, const char *value) {
    if (value != NULL && host->options < CF_MOST_OPTIONS)
        host->option[host->options++] = (cf_option){name, value};
}

/* ---- life ---- */

static bool start_worker(cf_pool *pool, int thread) {
    worker_start *start = malloc(sizeof *start);

    if (start == NULL)
        return false;
    *start = (worker_start){pool, thread};
    if (pthread_create(&pool->worker[thread], NULL, worker_main, start) != 0) {
        free(start);
        return false;
    }
    return true;
}

bool cf_host_start(cf_host *host, int threads) {
    cf_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL)
        return false;
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->begun, NULL);
    (void)pthread_cond_init(&pool->ended, NULL);
    host->pool = pool;
    host->table = (hone_host){
        .abi = HONE_BACKEND_ABI,
        .size = sizeof(hone_host),
        .context = host,
        .fail = host_fail,
        .allocate = host_allocate,
        .release = host_release,
        .parallel = host_parallel,
        .threads = host_threads,
        .option = host_option,
    };
    pool->threads = 1;
    while (pool->threads < threads && pool->threads < MOST_THREADS) {
        if (!start_worker(pool, pool->threads)) {
            cf_host_stop(host);
            return false;
        }
        pool->threads++;
    }
    return true;
}

void cf_host_stop(cf_host *host) {
    cf_pool *pool = host->pool;

    if (pool == NULL)
        return;
    (void)pthread_mutex_lock(&pool->lock);
    pool->stop = true;
    (void)pthread_cond_broadcast(&pool->begun);
    (void)pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++)
        (void)pthread_join(pool->worker[i], NULL);
    (void)pthread_mutex_destroy(&pool->lock);
    (void)pthread_cond_destroy(&pool->begun);
    (void)pthread_cond_destroy(&pool->ended);
    free(pool);
    host->pool = NULL;
}
