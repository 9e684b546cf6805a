/**
 * The pack: any list of (context, completion) token sequences as one token trie.
 *
 * Equal prefixes are merged, whatever templates they came from; the network sees one stream of T
 * tokens in depth-first pre-order. Key j is visible to query i exactly when j <= i < subtree_end[j];
 * a token's position is its depth. Plain causal sequences, padding-free packing, shared prompts and
 * revision trees are the same case.
 *
 * A log-probability belongs to an edge (parent row, child token). A row has several edges when
 * several sequences continue it differently, and an edge may count for several sequences. A node is
 * scored for some sequences and only context for others. The last token of a completion is a
 * target only: it becomes a node when another sequence has it in its context.
 */
#ifndef HONE_PACK_H
#define HONE_PACK_H

#include <hone/export.h>
#include <hone/status.h>
#include <stdint.h>

HONE_BEGIN

typedef struct hone_sequence {
    const int32_t *context; /**< at least one token: an empty context is an error */
    int64_t context_length;
    const int32_t *completion; /**< every token is scored; at least one */
    int64_t completion_length;
} hone_sequence;

typedef enum hone_pack_layout {
    HONE_PACK_TRIE = 0,  /**< equal prefixes merged */
    HONE_PACK_SEQUENCES, /**< one root a sequence, nothing merged: padding-free packing */
    HONE_PACK_PADDED /**< the same, every sequence padded to the longest with unscored tokens: what peers do
                      */
} hone_pack_layout;

/** Owned by the library; read only. All arrays are int32 so that they go to a device as they are. */
typedef struct hone_pack {
    int64_t tokens, segments, ranges, rows, edges, sequences;
    int32_t *token;       /**< [tokens] in depth-first pre-order */
    int32_t *position;    /**< [tokens] depth */
    int32_t *subtree_end; /**< [tokens] one past the last descendant */
    int32_t *segment;     /**< [segments][6]: query_begin, query_end, key_begin, range_begin, range_end,
                             subtree_end:     the maximal unbranched runs; see hone_segment in backend.h */
    int32_t *range;  /**< [ranges][2]: ancestor keys of a segment, first and last + 1; adjacent ones merged */
    int32_t *row;    /**< [rows] strictly increasing: rows that predict something */
    int32_t *begin;  /**< [rows + 1] edges of row u are begin[u] .. begin[u+1] */
    int32_t *target; /**< [edges] the predicted token */
    int64_t *sequence_begin; /**< [sequences + 1] into sequence_edge */
    int32_t *sequence_edge;  /**< the edges of each sequence's completion, in order */
    int64_t naive_tokens;    /**< sum of the sequences' lengths, contexts included */
    int64_t padded_tokens;   /**< sequences times the longest */
    int64_t visible_pairs;   /**< (query, key) pairs that attention computes */
} hone_pack;

/** Builds a pack. Token order among siblings is the order of first appearance. HONE_ERROR_ARGUMENT for an
 *  empty context or completion or a negative token; HONE_ERROR_MEMORY. *pack is NULL on failure. */
HONE_API HONE_MUST_USE hone_status hone_pack_create(const hone_sequence *sequence, int64_t count,
                                                    hone_pack_layout layout, hone_pack **pack);
HONE_API void hone_pack_destroy(hone_pack *pack);

/** Tokens that the trie of `count` sequences would have, without building the rest: for budgets. */
HONE_API HONE_MUST_USE hone_status hone_pack_measure(const hone_sequence *sequence, int64_t count,
                                                     hone_pack_layout layout, int64_t *tokens);

/** sum[s] = sum of edge_logp over the edges of sequence s, in double, in order. */
HONE_API void hone_pack_sums(const hone_pack *pack, const float *edge_logp, double *sum);
/** edge_weight[e] = sum over the sequences s that score e of derivative[s]: d loss / d logp of each edge. */
HONE_API void hone_pack_weights(const hone_pack *pack, const double *derivative, float *edge_weight);

HONE_END

#endif
