#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hone_log_sink sink;
static void *sink_context;
static hone_log_level sink_least;

void hone_log_set_sink(hone_log_sink new_sink, void *context, hone_log_level least) {
    pthread_mutex_lock(&lock);
    sink = new_sink;
    sink_context = context;
    sink_least = least;
    pthread_mutex_unlock(&lock);
}

void hn_log(hone_log_level level, const char *format, ...) {
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    pthread_mutex_lock(&lock);
    if (sink && level >= sink_least)
        sink(sink_context, level, line);
    pthread_mutex_unlock(&lock);
}
