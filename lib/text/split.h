/** Pre-tokenisation: a text in pieces, by the steps of tokenizer.json. */
#ifndef HN_TEXT_SPLIT_H
#define HN_TEXT_SPLIT_H

#include <core/json.h>
#include <core/memory.h>

typedef struct hn_span {
    size_t begin, end;
} hn_span;

typedef struct hn_spans {
    hn_span *item;
    size_t count, capacity;
} hn_spans;
void hn_spans_clear(hn_spans *spans);

typedef struct hn_splitter hn_splitter;

/** `definition`: the value of "pre_tokenizer" (Sequence, Split, Digits, ByteLevel). HONE_ERROR_UNSUPPORTED names what is
 *  outside. */
HONE_MUST_USE hone_status hn_splitter_create(const json_t *definition, const char *where,
                                             hn_splitter **splitter);
void hn_splitter_destroy(hn_splitter *splitter);
/** Whether a space is put before a text that does not begin with one. */
bool hn_splitter_prefix_space(const hn_splitter *splitter);
/** The words of the text, in order; they need not cover it (behaviour Removed). */
HONE_MUST_USE hone_status hn_splitter_run(const hn_splitter *splitter, const char *text, size_t length,
                                          hn_spans *words);

#endif
