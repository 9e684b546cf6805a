/** The trie of a list of sequences, before it is laid out as a stream. */
#ifndef HN_PACK_TRIE_H
#define HN_PACK_TRIE_H

#include <hone/pack.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    HN_KEPT = 1,   /**< the network reads this token: it becomes one of the pack's tokens */
    HN_SCORED = 2, /**< some sequence's completion has it: the edge from its parent is scored */
    HN_PARENT = 4, /**< it has a kept child */
    HN_FORK = 8    /**< it has several */
};

/** Node 0 stands above all roots; -1 is "none". Children are in the order of first appearance. */
typedef struct hn_trie {
    int64_t nodes, kept;
    int32_t *token, *parent, *first_child, *last_child, *sibling;
    unsigned char *flags;
    int64_t *completion_begin; /**< [count + 1] into completion_node */
    int32_t *completion_node;  /**< the node of every completion token of every sequence */
    int64_t naive_tokens, longest;
    int32_t *slot;                                               /**< open addressing over (parent, token) */
    uint64_t slot_mask;                                          /**< 0: nothing is merged */
    size_t node_room, sequence_room, completion_room, slot_room; /**< of the arrays, in elements */
} hn_trie;

/** Room for `nodes` nodes, of which `completions` end scored edges, under `count` sequences; merging ones take a table too.
 *  Arrays only grow. */
HONE_MUST_USE hone_status hn_trie_reserve(hn_trie *trie, int64_t nodes, int64_t count, int64_t completions,
                                          bool merged);
/** Checks the sequences and inserts them all, in place of what the trie held (zero-initialised: nothing). Call
 *  hn_trie_clear in the end, after failure too. */
HONE_MUST_USE hone_status hn_trie_build(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                                        hn_trie *trie);
void hn_trie_clear(hn_trie *trie);

/** The checks alone: sum and maximum of the sequences' lengths. */
HONE_MUST_USE hone_status hn_trie_extent(const hone_sequence *sequence, int64_t count,
                                         hone_pack_layout layout, int64_t *naive_tokens, int64_t *longest);

#endif
