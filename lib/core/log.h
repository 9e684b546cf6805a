/** Messages for people while something runs: never the result, never on stdout. The library prints nothing
 *  by itself: the program that embeds it installs a sink (hone/log.h). */
#ifndef HN_CORE_LOG_H
#define HN_CORE_LOG_H

#include <hone/log.h>

/** Sends one line to the sink, if there is one and it wants the level. */
void hn_log(hone_log_level level, const char *format, ...) HONE_PRINTF(2, 3);

#endif
