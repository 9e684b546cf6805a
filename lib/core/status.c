#include "core/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MESSAGE_BYTES 1024

static _Thread_local char last[MESSAGE_BYTES];

const char *hone_status_name(hone_status status) {
    switch (status) {
    case HONE_OK:
        return "success";
    case HONE_ERROR_ARGUMENT:
        return "argument error";
    case HONE_ERROR_MEMORY:
        return "memory error";
    case HONE_ERROR_IO:
        return "input/output error";
    case HONE_ERROR_FORMAT:
        return "format error";
    case HONE_ERROR_UNSUPPORTED:
        return "unsupported";
    case HONE_ERROR_DEVICE:
        return "device error";
    case HONE_ERROR_NOT_FOUND:
        return "not found";
    case HONE_ERROR_NUMERIC:
        return "numeric error";
    case HONE_ERROR_INTERRUPTED:
        return "interrupted";
    }
    return "unknown status";
}

const char *hone_message(void) { return last; }

/* Messages quote file content, which may hold terminal escapes; what is copied here is one harmless line. A
 * text that does not fit loses its end at a character boundary. */
static void record(const char *text) {
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (const unsigned char *c = (const unsigned char *)text; *c && at + 5 < MESSAGE_BYTES; c++) {
        if (*c == '\n' || *c == '\t' || *c == '\r') {
            last[at++] = '\\';
            last[at++] = *c == '\n' ? 'n' : *c == '\t' ? 't' : 'r';
        } else if (*c < 0x20 || *c == 0x7f) {
            last[at++] = '\\';
            last[at++] = 'x';
            last[at++] = digits[*c >> 4];
            last[at++] = digits[*c & 15];
        } else if ((*c & 0xc0) == 0xc0 && at + 8 >= MESSAGE_BYTES) {
            break;
        } else {
            last[at++] = (char)*c;
        }
    }
    last[at] = '\0';
}

hone_status hn_fail_v(hone_status status, const char *format, va_list arguments) {
    char text[MESSAGE_BYTES];
    if (vsnprintf(text, sizeof text, format, arguments) < 0)
        text[0] = '\0';
    record(text);
    return status;
}

hone_status hn_fail(hone_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)hn_fail_v(status, format, arguments);
    va_end(arguments);
    return status;
}

/* What someone can do about it: the system says what went wrong alone. */
static const char *remedy(int error) {
    switch (error) {
    case ENOENT:
        return ": is the path right?";
    case ENOTDIR:
    case EEXIST:
        return ": a folder is wanted there, and a file is in the way: choose another path";
    case EACCES:
    case EPERM:
        return ": ask for the rights, or choose another path";
    case EROFS:
        return ": choose a path that can be written";
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return ": make room, or choose a path with more";
    default:
        return "";
    }
}

hone_status hn_fail_errno(int error, const char *format, ...) {
    char text[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t at = length < 0 ? 0 : (size_t)length;
    if (at > sizeof text - 160) /* keep room for the reason, which is the part that helps */
        at = sizeof text - 160;
    /* strerror and not strerror_r, which is one of two functions by feature macro; C libraries of this decade
     * keep its text per thread. */
    (void)snprintf(text + at, sizeof text - at, ": %s%s", strerror(error), remedy(error));
    record(text);
    return error == ENOENT ? HONE_ERROR_NOT_FOUND : HONE_ERROR_IO;
}

hone_status hn_fail_in(hone_status status, const char *format, ...) {
    char text[MESSAGE_BYTES], before[MESSAGE_BYTES];
    memcpy(before, last, sizeof before);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t at = length < 0 ? 0 : (size_t)length;
    if (at > sizeof text / 2)
        at = sizeof text / 2;
    (void)snprintf(text + at, sizeof text - at, ": %.*s", (int)(sizeof text - at - 3), before);
    record(text);
    return status;
}

hone_status hn_fail_advise(hone_status status, const char *advice) {
    char text[MESSAGE_BYTES];
    const size_t length = strlen(last), room = sizeof text - 1 - strlen(": ") - strlen(advice);
    (void)snprintf(text, sizeof text, "%.*s: %s", (int)(length < room ? length : room), last, advice);
    return hn_fail(status, "%s", text);
}
