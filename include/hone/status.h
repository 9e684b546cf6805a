/**
 * What a call that can fail returns, and the message that explains it.
 *
 * The place that detects a failure records one message naming the thing, the numbers and the
 * remedy; every caller passes the status on. The message belongs to the calling thread and stays
 * until the next failure on that thread.
 */
#ifndef HONE_STATUS_H
#define HONE_STATUS_H

#include <hone/export.h>

HONE_BEGIN

typedef enum hone_status {
    HONE_OK = 0,
    HONE_ERROR_ARGUMENT,    /**< the caller passed something that the documentation rules out */
    HONE_ERROR_MEMORY,      /**< an allocation failed or was larger than a limit */
    HONE_ERROR_IO,          /**< the operating system refused: open, read, write, sync, space */
    HONE_ERROR_FORMAT,      /**< a file's content is damaged or is not what it claims to be */
    HONE_ERROR_UNSUPPORTED, /**< well formed, but outside what this build or device can do */
    HONE_ERROR_DEVICE,      /**< a device, its module or its driver failed */
    HONE_ERROR_NOT_FOUND,   /**< a named thing (file, device, tensor, template) does not exist */
    HONE_ERROR_NUMERIC,     /**< a number that must be finite or exact is not: divergence, self-check */
    HONE_ERROR_INTERRUPTED  /**< stopped on request, state saved */
} hone_status;

/** The constant's name in words ("format error"); never NULL. */
HONE_API const char *hone_status_name(hone_status status);

/** The calling thread's last failure message, one line without newline; "" when there was none.
 *  Borrowed: valid until the next failing hone call on this thread. */
HONE_API const char *hone_message(void);

HONE_END

#endif
