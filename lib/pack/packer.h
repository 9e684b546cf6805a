/** Builds packs one after the other in the same memory: hone_pack_create is one of these, used once. */
#ifndef HN_PACK_PACKER_H
#define HN_PACK_PACKER_H

#include <pack/trie.h>
#include <stddef.h>

/** Working memory and the pack; arrays only grow. */
typedef struct hn_packer {
    hn_trie trie;
    int32_t *node_of;    /**< [tokens] the trie's node */
    int32_t *segment_of; /**< [nodes] the segment that a kept node lies in */
    int32_t *edge_of;    /**< [nodes] the edge that ends in a scored node */
    hone_pack *pack;     /**< of the last build */
    size_t token_room, node_room, edge_room, completion_room, sequence_room, range_room; /**< in elements */
} hn_packer;

/** The most that a build may meet, so that it allocates nothing: sequences, their tokens (padding included), the tokens of
 *  their completions, key ranges. */
typedef struct hn_packer_extents {
    int64_t sequences, tokens, completions, ranges;
} hn_packer_extents;

/** Zero-initialise, then reserve or build; clear after failure too. */
HONE_MUST_USE hone_status hn_packer_reserve(hn_packer *packer, const hn_packer_extents *extents);
/** As hone_pack_create; the pack is the packer's, and good until the next build. */
HONE_MUST_USE hone_status hn_packer_build(hn_packer *packer, const hone_sequence *sequence, int64_t count,
                                          hone_pack_layout layout, const hone_pack **pack);
void hn_packer_clear(hn_packer *packer);

#endif
