/** A tokenizer from the arrays of a GGUF file's metadata. */
#ifndef HN_TEXT_GGUF_PARTS_H
#define HN_TEXT_GGUF_PARTS_H

#include <hone/tokenizer.h>

/** Borrowed. token_type: 1 normal, 3 control (special), 4 user-defined; may be NULL. */
typedef struct hn_gguf_parts {
    const char *model, *pre; /**< tokenizer.ggml.model, .pre */
    char *const *token;
    size_t tokens;
    const int32_t *token_type;
    size_t token_types;
    char *const *merge;
    size_t merges;
    int32_t bos, eos;          /**< -1: none */
    const char *chat_template; /**< may be NULL */
} hn_gguf_parts;

HONE_MUST_USE hone_status hn_tokenizer_from_gguf(const hn_gguf_parts *parts, const char *where,
                                                 hone_tokenizer **tokenizer);

#endif
