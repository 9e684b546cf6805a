/** The one thread pool. Workers sleep between calls; indices are claimed dynamically. */
#ifndef HN_CORE_THREADS_H
#define HN_CORE_THREADS_H

#include <hone/status.h>
#include <stdint.h>

typedef struct hn_pool hn_pool;

/** `threads` >= 1 counts the caller; 0 means the processors this process may run on. */
HONE_MUST_USE hone_status hn_pool_create(int threads, hn_pool **pool);
void hn_pool_destroy(hn_pool *pool);
int hn_pool_threads(const hn_pool *pool);
/** body(argument, index, thread) for index in [0, count), 0 <= thread < threads; returns when all are done.
 *  Called by one thread at a time; a body must not call it. */
void hn_pool_run(hn_pool *pool, int64_t count, void (*body)(void *argument, int64_t index, int thread),
                 void *argument);

#endif
