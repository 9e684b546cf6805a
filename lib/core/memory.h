/** Allocation with checked sizes. Every failure is a recorded HONE_ERROR_MEMORY, never an abort. */
#ifndef HN_CORE_MEMORY_H
#define HN_CORE_MEMORY_H

#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Zeroed memory for `count` elements of `size` bytes into *out (at least one byte, so never NULL on
 *  success); `what` names it in the message. *out is NULL on failure. Free with hn_free. */
HONE_MUST_USE hone_status hn_alloc(void *out, size_t count, size_t size, const char *what);
/** Grows *memory (may be NULL) to `count` elements; old contents kept, the rest undefined; unchanged on
 * failure. */
HONE_MUST_USE hone_status hn_realloc(void *memory, size_t count, size_t size, const char *what);
/** A copy of the string, or of its first `length` bytes, always terminated. */
HONE_MUST_USE hone_status hn_strdup(char **out, const char *text);
HONE_MUST_USE hone_status hn_strndup(char **out, const char *text, size_t length);
/** printf into a new string. */
HONE_MUST_USE hone_status hn_format(char **out, const char *format, ...) HONE_PRINTF(2, 3);
void hn_free(void *memory);

/** Ensures room for `needed` elements in a growing array: doubles *capacity as required. */
HONE_MUST_USE hone_status hn_reserve(void *array, size_t *capacity, size_t needed, size_t size,
                                     const char *what);

/** A growing byte string, always zero-terminated once it has been appended to; zero-initialise, free with
 * hn_bytes_clear. */
typedef struct hn_bytes {
    char *data;
    size_t length, capacity;
} hn_bytes;
HONE_MUST_USE hone_status hn_bytes_append(hn_bytes *bytes, const void *data, size_t length);
HONE_MUST_USE hone_status hn_bytes_printf(hn_bytes *bytes, const char *format, ...) HONE_PRINTF(2, 3);
void hn_bytes_clear(hn_bytes *bytes);

/** False when the result does not fit; *out is then untouched. */
bool hn_mul_size(size_t a, size_t b, size_t *out);
bool hn_add_size(size_t a, size_t b, size_t *out);
bool hn_mul_i64(int64_t a, int64_t b, int64_t *out);
bool hn_add_i64(int64_t a, int64_t b, int64_t *out);

/** Makes the n-th allocation from now fail (0 = off): for fault tests. */
void hn_memory_fail_at(int64_t n);
/** Allocations (hn_alloc, hn_realloc and what is built on them) since the process began. */
int64_t hn_memory_allocations(void);

#endif
