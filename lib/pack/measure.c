#include "pack/trie.h"

#include "core/status.h"

hone_status hone_pack_measure(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                              int64_t *tokens) {
    int64_t naive = 0, longest = 0;
    *tokens = 0;
    if (layout == HONE_PACK_TRIE) {
        hn_trie trie = {0};
        hone_status status = hn_trie_build(sequence, count, layout, &trie);
        if (status == HONE_OK)
            *tokens = trie.kept;
        hn_trie_clear(&trie);
        return status;
    }
    HN_TRY(hn_trie_extent(sequence, count, layout, &naive, &longest));
    /* What each sequence ends with is a target only; in the padded layout a padding token takes its place. */
    *tokens = layout == HONE_PACK_PADDED ? count * longest : naive - count;
    return HONE_OK;
}
