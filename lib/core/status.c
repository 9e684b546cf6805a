#include "core/status.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/** A message; a text that one is made of; what is left of a text that is too long. */
enum { MESSAGE_BYTES = 1024, TEXT_BYTES = 8192, HEAD_BYTES = 700, TAIL_BYTES = 300 };

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

/** Bytes of the UTF-8 character that begins here, 0 when none does, or one that controls a terminal (U+0080 to U+009F). */
static size_t character(const unsigned char *c) {
    const size_t bytes = *c < 0x80 ? 1 : *c < 0xc2 ? 0 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : *c < 0xf5 ? 4 : 0;
    for (size_t i = 1; i < bytes; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    const bool longer = (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xf0 && c[1] < 0x90);
    const bool beyond = (*c == 0xed && c[1] > 0x9f) || (*c == 0xf4 && c[1] > 0x8f);
    return longer || beyond || (*c == 0xc2 && c[1] < 0xa0) ? 0 : bytes;
}

/** Escaped bytes of what begins at `c`: a character as it is; controls, and bytes that are no character, as \xNN. */
static size_t escape(const unsigned char *c, char to[4]) {
    static const char digits[] = "0123456789abcdef";
    const char letter = *c == '\n' ? 'n' : *c == '\t' ? 't' : *c == '\r' ? 'r' : 'x';
    const size_t bytes = *c < 0x20 || *c == 0x7f ? 0 : character(c);

    if (bytes > 0) {
        memcpy(to, c, bytes);
        return bytes;
    }
    to[0] = '\\';
    to[1] = letter;
    to[2] = digits[*c >> 4];
    to[3] = digits[*c & 15];
    return letter == 'x' ? 4 : 2;
}

/** Appends the text to `last`, as much as fits below `end`; false when some did not. */
static bool append(const char *text, size_t *at, size_t end) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        char piece[4];
        const size_t bytes = escape(c, piece);
        if (*at + bytes > end)
            return false;
        memcpy(last + *at, piece, bytes);
        *at += bytes;
        c += character(c) > 1 ? bytes : 1;
    }
    return true;
}

/* Messages quote file content, which may hold terminal escapes; what is copied here is one harmless line of UTF-8. A
 * text that does not fit loses its middle: the end is what helps. */
static void record(const char *text) {
    const size_t length = strlen(text);
    const char *tail = text + length - (length > TAIL_BYTES ? TAIL_BYTES : length / 2);
    size_t at = 0;

    if (!append(text, &at, MESSAGE_BYTES - 1)) {
        at = 0;
        (void)append(text, &at, HEAD_BYTES);
        (void)append("...", &at, MESSAGE_BYTES - 1);
        while ((*tail & 0xc0) == 0x80)
            tail++;
        (void)append(tail, &at, MESSAGE_BYTES - 1);
    }
    last[at] = '\0';
}

hone_status hn_fail_v(hone_status status, const char *format, va_list arguments) {
    char text[TEXT_BYTES];
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
    case EISDIR:
        return ": a file is wanted there, and a folder is in the way: choose another path";
    case ELOOP:
        return ": these links lead in a circle: give a path to a file";
    case ENXIO:
    case ENODEV:
        return ": a file is wanted here";
    case ENAMETOOLONG:
        return ": choose a shorter path";
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
    char text[TEXT_BYTES];
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
    char text[TEXT_BYTES], before[MESSAGE_BYTES];
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
    char text[TEXT_BYTES];
    if (strstr(last, "get it again") != NULL) /* said already, by who read the file */
        return status;
    (void)snprintf(text, sizeof text, "%s: %s", last, advice);
    record(text);
    return status;
}
