/** Recording failures: the place that detects one calls hn_fail, callers pass the status on. */
#ifndef HN_CORE_STATUS_H
#define HN_CORE_STATUS_H

#include <hone/status.h>
#include <stdarg.h>

/** Records the thread's message and returns `status`: one line of UTF-8 (control characters and other bytes in it are escaped);
 *  one that is too long loses its middle. */
hone_status hn_fail(hone_status status, const char *format, ...) HONE_PRINTF(2, 3);
hone_status hn_fail_v(hone_status status, const char *format, va_list arguments) HONE_PRINTF(2, 0);

/** As hn_fail, with ": " and strerror(error) appended; HONE_ERROR_IO, or NOT_FOUND for ENOENT. */
hone_status hn_fail_errno(int error, const char *format, ...) HONE_PRINTF(2, 3);

/** Puts "prefix: " before the recorded message and returns `status`: where a caller knows the file or row. */
hone_status hn_fail_in(hone_status status, const char *format, ...) HONE_PRINTF(2, 3);

/** Puts ": advice" behind the recorded message and returns `status`: where a caller knows what can be done about it. A message
 *  that says to get a file again is left as it is. */
hone_status hn_fail_advise(hone_status status, const char *advice);

/** Returns the failure from the enclosing function. */
#define HN_TRY(expression)                                                                                   \
    do {                                                                                                     \
        hone_status hn_status_ = (expression);                                                               \
        if (hn_status_ != HONE_OK)                                                                           \
            return hn_status_;                                                                               \
    } while (0)

/** Stores the status in `status` and goes to `done` on failure: the one exit for cleanup. */
#define HN_GO(expression)                                                                                    \
    do {                                                                                                     \
        status = (expression);                                                                               \
        if (status != HONE_OK)                                                                               \
            goto done;                                                                                       \
    } while (0)

#endif
