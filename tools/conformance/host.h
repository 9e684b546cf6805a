/**
 * The services that a device gets from the conformance program: plain storage, a small pool of threads, options.
 * It is written apart from the library's, so that a backend can't lean on what only one host happens to do.
 */
#ifndef CF_HOST_H
#define CF_HOST_H

#include <hone/backend.h>
#include <stdbool.h>

enum { CF_MOST_OPTIONS = 8 };

typedef struct cf_option {
    const char *name, *value;
} cf_option;

typedef struct cf_pool cf_pool;

typedef struct cf_host {
    hone_host table; /**< what the device sees; its context is this structure */
    cf_pool *pool;
    cf_option option[CF_MOST_OPTIONS];
    int options;
    char message[512]; /**< of the last failure */
} cf_host;

/** Starts threads - 1 workers; false when that fails. The host must not move afterwards. */
bool cf_host_start(cf_host *host, int threads);
void cf_host_stop(cf_host *host);
/** Ignored beyond CF_MOST_OPTIONS and when `value` is NULL. Strings are borrowed. */
void cf_host_option(cf_host *host, const char *name, const char *value);

#endif
