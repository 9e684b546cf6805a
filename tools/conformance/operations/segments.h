/** Segments and key ranges for attention: packs of random tries, and caches with branches. */
#ifndef CF_SEGMENTS_H
#define CF_SEGMENTS_H

#include "../case.h"

enum { CF_MOST_SEGMENTS = 512, CF_MOST_RANGES = 4096, CF_MOST_DEPTH = 12 };

typedef struct cf_segments {
    hone_segment segment[CF_MOST_SEGMENTS];
    int32_t range[CF_MOST_RANGES][2];
    int count, ranges;
    int64_t queries, keys; /**< T and C */
} cf_segments;

/** A pack of `queries` tokens: random tries in depth-first pre-order, runs of at most `longest` tokens. */
void cf_segments_trie(cf_segments *it, cf_random *random, int64_t queries, int64_t longest);
/** Decoding: `branches` over a shared prompt, each with a history of its own and one query or a few, rows between
 *  the queries and between the regions of keys that belong to nobody. */
void cf_segments_cache(cf_segments *it, cf_random *random, int branches, int64_t prompt, int64_t history);
/** Declares the operands SEGMENT and RANGE, which both attention operations have in the same places. */
void cf_segments_declare(const cf_segments *it, cf_case *to);

/** seen[t * C + j]: query t sees key j; from the case's operands. To be freed. */
unsigned char *cf_visibility(const cf_case *it);
/** Queries that belong to a segment: covered[t]. To be freed. */
unsigned char *cf_coverage(const cf_case *it);

#endif
