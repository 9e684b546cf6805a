/** A text file line by line, unpacked on the way; no more of it in memory than a line and a block. */
#ifndef HN_TEXT_LINES_H
#define HN_TEXT_LINES_H

#include <hone/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hn_lines hn_lines;
HONE_MUST_USE hone_status hn_lines_open(const char *path, hn_lines **lines);
/** The next line that is not blank, zero-terminated, its end left out; NULL at the end of the text. Valid until the next
 *  call. A line of more than 64 MB is an error. */
HONE_MUST_USE hone_status hn_lines_next(hn_lines *lines, const char **line, size_t *length);
/** "FILE:N" of that line. Borrowed. */
const char *hn_lines_where(const hn_lines *lines);
/** N, from 1. */
int64_t hn_lines_number(const hn_lines *lines);
/** Bytes of the text so far. */
uint64_t hn_lines_bytes(const hn_lines *lines);
/** As hn_unpacked_position. */
uint64_t hn_lines_position(const hn_lines *lines, uint64_t *of);
void hn_lines_close(hn_lines *lines);

#endif
