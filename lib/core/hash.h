/** XXH3 (xxHash): identity of content. Not cryptographic. */
#ifndef HN_CORE_HASH_H
#define HN_CORE_HASH_H

#include <hone/status.h>
#include <stddef.h>
#include <stdint.h>

uint64_t hn_hash64(const void *data, size_t bytes);

/** A running 128-bit hash. Each update is framed by its length, so that ("ab","c") and ("a","bc") differ. */
typedef struct hn_hasher hn_hasher;
HONE_MUST_USE hone_status hn_hasher_create(hn_hasher **hasher);
void hn_hasher_destroy(hn_hasher *hasher);
void hn_hasher_update(hn_hasher *hasher, const void *data, size_t bytes);
void hn_hasher_text(hn_hasher *hasher, const char *text);
/** 32 hexadecimal digits and a zero. */
void hn_hasher_digest(const hn_hasher *hasher, char digest[33]);

#endif
