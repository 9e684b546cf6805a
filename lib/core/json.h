/** Jansson, strict: duplicate keys refused, nesting and length capped, messages with line and column.
 *  Accessors name what is missing or has the wrong type, and where. */
#ifndef HN_CORE_JSON_H
#define HN_CORE_JSON_H

#include <hone/status.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/** Parses text of `length` bytes; `where` (a path, or "FILE:LINE") begins every message. *out: new reference.
 */
HONE_MUST_USE hone_status hn_json_parse(const char *text, size_t length, const char *where, json_t **out);
/** As hn_json_parse, of one line of a file: `where` is "FILE:LINE" already, and the message adds the column alone. */
HONE_MUST_USE hone_status hn_json_parse_row(const char *text, size_t length, const char *where, json_t **out);
/** Reads and parses a file of at most 64 MiB. */
HONE_MUST_USE hone_status hn_json_read(const char *path, json_t **out);
/** Writes indented JSON, keys in insertion order, real numbers in round-trip form, through hn_file_replace.
 */
HONE_MUST_USE hone_status hn_json_write(const char *path, const json_t *value);

/** Each returns HONE_ERROR_FORMAT naming `where` and the key when it is absent or of another type.
 *  The _or forms take an absent or null key as `fallback`. Strings are borrowed from `object`. */
HONE_MUST_USE hone_status hn_json_integer(const json_t *object, const char *key, const char *where,
                                          int64_t *out);
HONE_MUST_USE hone_status hn_json_integer_or(const json_t *object, const char *key, const char *where,
                                             int64_t fallback, int64_t *out);
HONE_MUST_USE hone_status hn_json_real(const json_t *object, const char *key, const char *where, double *out);
HONE_MUST_USE hone_status hn_json_real_or(const json_t *object, const char *key, const char *where,
                                          double fallback, double *out);
HONE_MUST_USE hone_status hn_json_boolean_or(const json_t *object, const char *key, const char *where,
                                             bool fallback, bool *out);
HONE_MUST_USE hone_status hn_json_string(const json_t *object, const char *key, const char *where,
                                         const char **out);
HONE_MUST_USE hone_status hn_json_string_or(const json_t *object, const char *key, const char *where,
                                            const char *fallback, const char **out);
#endif
