#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>
#include <text/lines.h>
#include <text/unpack.h>

enum { BLOCK = 1 << 16 };
static const size_t line_limit = (size_t)64 << 20;

struct hn_lines {
    hn_unpacked *text;
    char *path, *data;
    size_t capacity, begin, end; /**< data[begin .. end) has not been handed out */
    bool ended;
    int64_t number;
    uint64_t bytes;
    char where[512];
};

hone_status hn_lines_open(const char *path, hn_lines **out) {
    hn_lines *lines = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&lines, 1, sizeof *lines, "an open text"));
    HN_GO(hn_strdup(&lines->path, path));
    HN_GO(hn_unpacked_open(path, &lines->text));
    HN_GO(hn_reserve(&lines->data, &lines->capacity, BLOCK + 1, 1, "a line"));
    *out = lines;
    lines = NULL;
done:
    hn_lines_close(lines);
    return status;
}

/** One block more behind what is there, the handed-out part dropped; room for a zero stays. */
static hone_status fill(hn_lines *lines) {
    size_t got = 0;

    if (lines->begin > 0)
        memmove(lines->data, lines->data + lines->begin, lines->end - lines->begin);
    lines->end -= lines->begin;
    lines->begin = 0;
    HN_TRY(hn_reserve(&lines->data, &lines->capacity, lines->end + BLOCK + 1, 1, "a line"));
    HN_TRY(hn_unpacked_read(lines->text, lines->data + lines->end, BLOCK, &got));
    lines->end += got;
    lines->bytes += got;
    lines->ended = got == 0;
    return HONE_OK;
}

static void begin_line(hn_lines *lines) {
    lines->number++;
    (void)snprintf(lines->where, sizeof lines->where, "%s:%lld", lines->path, (long long)lines->number);
}

/** The next line, blank or not; *line NULL at the end. */
static hone_status take(hn_lines *lines, const char **line, size_t *length) {
    size_t searched = 0;

    *line = NULL;
    begin_line(lines);
    for (;;) {
        char *const from = lines->data + lines->begin;
        const size_t there = lines->end - lines->begin;
        char *end = there > searched ? memchr(from + searched, '\n', there - searched) : NULL;
        if (end == NULL && lines->ended && there > 0)
            end = from + there; /* `fill` left room for the zero */
        if (end != NULL) {
            *end = '\0';
            *line = from;
            *length = (size_t)(end - from);
            lines->begin += *length + (*length < there ? 1 : 0);
            return HONE_OK;
        }
        if (lines->ended)
            return HONE_OK;
        if (there > line_limit)
            return hn_fail(
                HONE_ERROR_FORMAT,
                "%s: the line is longer than %zu MB: split the row, or put each on a line of its own",
                lines->where, line_limit >> 20);
        searched = there;
        HN_TRY(fill(lines));
    }
}

hone_status hn_lines_next(hn_lines *lines, const char **line, size_t *length) {
    do {
        HN_TRY(take(lines, line, length));
    } while (*line != NULL && strspn(*line, " \t\r") == *length);
    return HONE_OK;
}

const char *hn_lines_where(const hn_lines *lines) { return lines->where; }

int64_t hn_lines_number(const hn_lines *lines) { return lines->number; }

uint64_t hn_lines_bytes(const hn_lines *lines) { return lines->bytes; }

uint64_t hn_lines_position(const hn_lines *lines, uint64_t *of) {
    return hn_unpacked_position(lines->text, of);
}

void hn_lines_close(hn_lines *lines) {
    if (lines == NULL)
        return;
    hn_unpacked_close(lines->text);
    hn_free(lines->path);
    hn_free(lines->data);
    hn_free(lines);
}
