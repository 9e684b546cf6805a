/** Regular expressions of tokenizer.json (Oniguruma's dialect) through PCRE2. */
#ifndef HN_TEXT_PATTERN_H
#define HN_TEXT_PATTERN_H

#include <core/memory.h>
#include <stdbool.h>

typedef struct hn_pattern hn_pattern;
/** `literal`: the text is matched as it is. */
HONE_MUST_USE hone_status hn_pattern_create(const char *text, bool literal, hn_pattern **pattern);
void hn_pattern_destroy(hn_pattern *pattern);
/** The first non-empty match at or after `from`; *found false when there is none. */
HONE_MUST_USE hone_status hn_pattern_find(const hn_pattern *pattern, const char *text, size_t length,
                                          size_t from, bool *found, size_t *begin, size_t *end);

#endif
