#include "segments.h"

#include <stdlib.h>

/* ---- tries ---- */

typedef struct trie {
    cf_segments *it;
    cf_random *random;
    int64_t at, queries, longest;
    int chain[CF_MOST_DEPTH]; /* ancestors, the root first */
    bool merge;               /* ranges that touch become one */
} trie;

static void add_range(cf_segments *it, hone_segment *of, int32_t first, int32_t end, bool merge) {
    if (merge && of->range_end > of->range_begin && it->range[of->range_end - 1][1] == first) {
        it->range[of->range_end - 1][1] = end;
        return;
    }
    it->range[it->ranges][0] = first;
    it->range[it->ranges][1] = end;
    of->range_end = ++it->ranges;
}

static void grow(trie *t, int depth) {
    cf_segments *it = t->it;
    const int64_t left = t->queries - t->at;
    const int64_t wanted = cf_between(t->random, 1, t->longest);
    const int32_t begin = (int32_t)t->at, end = (int32_t)(t->at + (wanted < left ? wanted : left));
    hone_segment *segment = &it->segment[it->count];

    t->chain[depth] = it->count++;
    *segment = (hone_segment){begin, end, begin, it->ranges, it->ranges, 0};
    for (int i = 0; i < depth; i++) {
        const hone_segment *ancestor = &it->segment[t->chain[i]];
        add_range(it, segment, ancestor->query_begin, ancestor->query_end, t->merge);
    }
    t->at = end;
    for (int64_t children = cf_between(t->random, 0, 3); children > 0 && t->at < t->queries; children--) {
        if (depth + 1 < CF_MOST_DEPTH)
            grow(t, depth + 1);
    }
    segment->subtree_end = (int32_t)t->at;
}

void cf_segments_trie(cf_segments *it, cf_random *random, int64_t queries, int64_t longest) {
    trie t = {.it = it, .random = random, .queries = queries, .longest = longest};

    t.merge = cf_between(random, 0, 1) == 1;
    it->count = it->ranges = 0;
    it->queries = it->keys = queries;
    while (t.at < queries)
        grow(&t, 0);
}

/* ---- caches ---- */

void cf_segments_cache(cf_segments *it, cf_random *random, int branches, int64_t prompt, int64_t history) {
    const int32_t prompt_begin = (int32_t)cf_between(random, 0, 5);
    int32_t query = (int32_t)cf_between(random, 0, 2), key = prompt_begin + (int32_t)prompt;

    it->count = it->ranges = 0;
    for (int i = 0; i < branches; i++) {
        const int32_t queries = (int32_t)(cf_between(random, 0, 3) == 0 ? cf_between(random, 2, 9) : 1);
        const int32_t own = (int32_t)cf_between(random, 0, history); /* keys that the branch has already */
        hone_segment *segment = &it->segment[it->count++];
        key += (int32_t)cf_between(random, 0, 3);
        *segment = (hone_segment){query, query + queries, key + own, it->ranges, it->ranges, query + queries};
        if (own > 0 && i % 2 == 1) /* the order of ranges means nothing */
            add_range(it, segment, key, key + own, false);
        if (prompt > 0)
            add_range(it, segment, prompt_begin, prompt_begin + (int32_t)prompt, false);
        if (own > 0 && i % 2 == 0)
            add_range(it, segment, key, key + own, false);
        key += own + queries;
        query += queries + (int32_t)(cf_between(random, 0, 2) == 0 ? cf_between(random, 1, 3) : 0);
    }
    it->queries = query + cf_between(random, 0, 2);
    it->keys = key + cf_between(random, 0, 4);
}

/* ---- operands ---- */

void cf_segments_declare(const cf_segments *it, cf_case *to) {
    double *segment = cf_index(to, HONE_ATTENTION_SEGMENT, cf_shape2(it->count, HONE_SEGMENT_FIELDS));
    double *range = cf_index(to, HONE_ATTENTION_RANGE, cf_shape2(it->ranges, 2));

    for (int i = 0; i < it->count; i++) {
        const hone_segment *s = &it->segment[i];
        const int32_t field[HONE_SEGMENT_FIELDS] = {s->query_begin, s->query_end, s->key_begin,
                                                    s->range_begin, s->range_end, s->subtree_end};
        for (int j = 0; j < HONE_SEGMENT_FIELDS; j++)
            segment[i * HONE_SEGMENT_FIELDS + j] = field[j];
    }
    for (int i = 0; i < it->ranges; i++) {
        range[2 * i] = it->range[i][0];
        range[2 * i + 1] = it->range[i][1];
    }
}

static void see(unsigned char *seen, double first, double end) {
    for (int64_t j = (int64_t)first; j < (int64_t)end; j++)
        seen[j] = 1;
}

unsigned char *cf_visibility(const cf_case *it) {
    const int64_t T = cf_extent(it, HONE_ATTENTION_Q, 0), C = cf_extent(it, HONE_ATTENTION_K, 0);
    const double *range = it->operand[HONE_ATTENTION_RANGE].value;
    unsigned char *seen = calloc((size_t)(T * C) + 1, 1);

    if (seen == NULL)
        abort();
    for (int64_t s = 0; s < cf_extent(it, HONE_ATTENTION_SEGMENT, 0); s++) {
        const double *field = it->operand[HONE_ATTENTION_SEGMENT].value + s * HONE_SEGMENT_FIELDS;
        for (int64_t t = (int64_t)field[0]; t < (int64_t)field[1]; t++) {
            see(seen + t * C, field[2], field[2] + (double)t - field[0] + 1);
            for (int64_t g = (int64_t)field[3]; g < (int64_t)field[4]; g++)
                see(seen + t * C, range[2 * g], range[2 * g + 1]);
        }
    }
    return seen;
}

unsigned char *cf_coverage(const cf_case *it) {
    unsigned char *covered = calloc((size_t)cf_extent(it, HONE_ATTENTION_Q, 0) + 1, 1);

    if (covered == NULL)
        abort();
    for (int64_t s = 0; s < cf_extent(it, HONE_ATTENTION_SEGMENT, 0); s++) {
        const double *field = it->operand[HONE_ATTENTION_SEGMENT].value + s * HONE_SEGMENT_FIELDS;
        see(covered, field[0], field[1]);
    }
    return covered;
}
