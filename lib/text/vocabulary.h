/** Tokens by id and by text, and merges by pair. */
#ifndef HN_TEXT_VOCABULARY_H
#define HN_TEXT_VOCABULARY_H

#include <core/memory.h>
#include <stdbool.h>

typedef struct hn_token {
    char *text; /**< as stored; NULL: no token has this id */
    size_t length;
} hn_token;

typedef struct hn_merge {
    uint64_t pair; /**< left << 32 | right; UINT64_MAX: free */
    int32_t rank, result;
} hn_merge;

typedef struct hn_vocabulary {
    hn_token *token; /**< [count] by id */
    int64_t count;
    int32_t *slot; /**< ids by hash of the text; -1: free */
    size_t slots;
    hn_merge *merge;
    size_t merge_slots, merges;
} hn_vocabulary;

/** Room for ids below `count` and for `merges` merges. */
HONE_MUST_USE hone_status hn_vocabulary_create(hn_vocabulary *vocabulary, int64_t count, size_t merges);
void hn_vocabulary_clear(hn_vocabulary *vocabulary);
/** HONE_ERROR_FORMAT for an id out of range or taken. A second token of the same text is found by its first id. */
HONE_MUST_USE hone_status hn_vocabulary_set(hn_vocabulary *vocabulary, int32_t id, const char *text,
                                            size_t length);
/** -1 when there is none. */
int32_t hn_vocabulary_find(const hn_vocabulary *vocabulary, const char *text, size_t length);
/** The first merge of a pair counts. */
HONE_MUST_USE hone_status hn_vocabulary_add_merge(hn_vocabulary *vocabulary, int32_t left, int32_t right,
                                                  int32_t rank, int32_t result);
/** NULL when the pair is not merged. */
const hn_merge *hn_vocabulary_merge(const hn_vocabulary *vocabulary, int32_t left, int32_t right);

#endif
