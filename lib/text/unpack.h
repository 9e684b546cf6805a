/** The unpacked text of a file, a block at a time: plain, gzip or zstd by its first bytes. */
#ifndef HN_TEXT_UNPACK_H
#define HN_TEXT_UNPACK_H

#include <hone/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hn_unpacked hn_unpacked;
HONE_MUST_USE hone_status hn_unpacked_open(const char *path, hn_unpacked **text);
/** The next bytes of the text, *got <= room; 0 at its end alone. HONE_ERROR_FORMAT where the file is damaged or cut. */
HONE_MUST_USE hone_status hn_unpacked_read(hn_unpacked *text, void *data, size_t room, size_t *got);
/** Bytes of the file, as it lies on the disk, that have been read, and all of them. */
uint64_t hn_unpacked_position(const hn_unpacked *text, uint64_t *of);
void hn_unpacked_close(hn_unpacked *text);

#endif
