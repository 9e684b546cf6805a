/**
 * Text to token ids and back: byte-level BPE as tokenizer.json describes it.
 */
#ifndef HONE_TOKENIZER_H
#define HONE_TOKENIZER_H

#include <hone/export.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

typedef struct hone_tokenizer hone_tokenizer;

/** A growing list of ids; zero-initialise, free with hone_ids_clear. */
typedef struct hone_ids {
    int32_t *data;
    int64_t count;
    int64_t capacity;
} hone_ids;
HONE_API void hone_ids_clear(hone_ids *ids);
HONE_API HONE_MUST_USE hone_status hone_ids_append(hone_ids *ids, const int32_t *data, int64_t count);

/** Reads folder/tokenizer.json and, where present, tokenizer_config.json, special_tokens_map.json and
 *  generation_config.json / config.json for the end-of-sequence and padding tokens and the chat template. */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_open(const char *folder, hone_tokenizer **tokenizer);
HONE_API void hone_tokenizer_destroy(hone_tokenizer *tokenizer);

/** Appends the ids of `text` (UTF-8; invalid bytes are an error naming the offset). No token is added by
 *  itself (no begin or end of sequence). `special`: text equal to a special token becomes it (literals of
 *  templates); without, special tokens' text is ordinary text, so that user text can't produce them. */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_encode(const hone_tokenizer *tokenizer, const char *text,
                                                         size_t length, bool special, hone_ids *ids);
/** New zero-terminated string (free with hone_text_free), invalid UTF-8 replaced by U+FFFD; special tokens
 * left out when `skip_special`. */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_decode(const hone_tokenizer *tokenizer, const int32_t *ids,
                                                         int64_t count, bool skip_special, char **text);
HONE_API void hone_text_free(char *text);

/** Ids are 0 .. vocabulary-1 (added tokens included). */
HONE_API int64_t hone_tokenizer_vocabulary(const hone_tokenizer *tokenizer);
/** -1 when the model has none. */
HONE_API int32_t hone_tokenizer_bos(const hone_tokenizer *tokenizer);
HONE_API int32_t hone_tokenizer_eos(const hone_tokenizer *tokenizer);
HONE_API bool hone_tokenizer_is_special(const hone_tokenizer *tokenizer, int32_t id);
/** The token's text as stored, or NULL. Borrowed. */
HONE_API const char *hone_tokenizer_token(const hone_tokenizer *tokenizer, int32_t id);
/** The Jinja text of chat_template, or NULL. Borrowed. */
HONE_API const char *hone_tokenizer_chat_template(const hone_tokenizer *tokenizer);
/** 32 hexadecimal digits over everything that ids depend on. Borrowed. */
HONE_API const char *hone_tokenizer_digest(const hone_tokenizer *tokenizer);

/** Writes tokenizer.json and tokenizer_config.json (transformers loads them). */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_save(const hone_tokenizer *tokenizer, const char *folder);

typedef struct hone_tokenizer_train_options {
    int64_t vocabulary;         /**< wanted size, the 256 bytes and the special tokens included */
    int64_t min_frequency;      /**< a pair rarer than this is not merged */
    const char *const *special; /**< special tokens; the first is the end of sequence */
    size_t special_count;
    const char *pattern; /**< pre-tokenisation (PCRE2, UTF), NULL for GPT-2's */
} hone_tokenizer_train_options;

/** Byte-level BPE (Sennrich et al. 2016) over `texts`, ties broken by the smaller ids: deterministic. */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_train(const hone_tokenizer_train_options *options,
                                                        const char *const *texts, const size_t *lengths,
                                                        size_t count, hone_tokenizer **tokenizer);
/** The same over the texts of a file (plain, .gz, .zst): every string of every row where its first line is a JSON object, and
 *  then a line that is none is an error with FILE:LINE; otherwise its lines. *count: the texts. */
HONE_API HONE_MUST_USE hone_status hone_tokenizer_train_file(const hone_tokenizer_train_options *options,
                                                             const char *path, int64_t *count,
                                                             hone_tokenizer **tokenizer);

HONE_END

#endif
