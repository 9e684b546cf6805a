/** Byte-pair encoding of one word (Sennrich et al. 2016). */
#ifndef HN_TEXT_BPE_H
#define HN_TEXT_BPE_H

#include <hone/tokenizer.h>
#include <text/vocabulary.h>

/** Room for the words of one text, reused from word to word; zero-initialise. */
typedef struct hn_bpe {
    struct hn_bpe_symbol *symbol;
    struct hn_bpe_candidate *heap;
    size_t symbols, heap_size, heap_count;
} hn_bpe;
void hn_bpe_clear(hn_bpe *bpe);

/** Merges the `count` ids of `word` pair by pair, the lowest rank first and the leftmost among equals; appends the
 *  result. O(n log n). */
HONE_MUST_USE hone_status hn_bpe_encode(hn_bpe *bpe, const hn_vocabulary *vocabulary, const int32_t *word,
                                        size_t count, hone_ids *ids);

#endif
