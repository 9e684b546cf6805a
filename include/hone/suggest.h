/** What someone who misspelt a name may have meant. */
#ifndef HONE_SUGGEST_H
#define HONE_SUGGEST_H

#include <hone/export.h>
#include <stddef.h>

HONE_BEGIN

/** Steps (insertions, deletions, replacements, swaps of neighbours: the restricted Damerau-Levenshtein distance) between two
 *  names, at most 64 bytes of each. */
HONE_API size_t hone_name_distance(const char *a, const char *b);
/** The known name nearest to `name`, when it is no further than a third of its length (but 2 at least); else NULL. */
HONE_API const char *hone_suggest(const char *name, const char *const *known, size_t count);

HONE_END

#endif
