/** What the library says while it works: the embedding program decides where it goes. */
#ifndef HONE_LOG_H
#define HONE_LOG_H

#include <hone/export.h>

HONE_BEGIN

typedef enum hone_log_level { HONE_LOG_DEBUG = 0, HONE_LOG_INFO, HONE_LOG_WARNING } hone_log_level;

/** Receives one line without newline. May be called from any thread, one call at a time. */
typedef void (*hone_log_sink)(void *context, hone_log_level level, const char *line);

/** Installs the sink for lines of at least `least`; NULL (the initial state) discards everything. */
HONE_API void hone_log_set_sink(hone_log_sink sink, void *context, hone_log_level least);

HONE_END

#endif
