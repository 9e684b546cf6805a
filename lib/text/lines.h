/** A text file line by line, unpacked on the way: plain, gzip or zstd by its first bytes. */
#ifndef HN_TEXT_LINES_H
#define HN_TEXT_LINES_H

#include <core/memory.h>

/** The whole unpacked text. `limit` bounds it, whatever a compressed file claims. */
HONE_MUST_USE hone_status hn_text_read(const char *path, size_t limit, hn_bytes *text);

#endif
