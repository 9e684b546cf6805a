/** What the files of the tokenizer share. */
#ifndef HN_TEXT_TOKENIZER_H
#define HN_TEXT_TOKENIZER_H

#include <core/json.h>
#include <hone/tokenizer.h>
#include <text/bpe.h>
#include <text/split.h>

typedef enum hn_normal_form { HN_NFC = 1, HN_NFD, HN_NFKC, HN_NFKD } hn_normal_form;

/** A token that is matched before anything else. */
typedef struct hn_added {
    char *content;
    size_t length;
    int32_t id;
    bool special, normalized, lstrip, rstrip, single_word;
} hn_added;

struct hone_tokenizer {
    json_t *definition; /**< tokenizer.json, kept so that it is saved as it was read */
    hn_vocabulary vocabulary;
    hn_added *added;
    size_t added_count;
    bool *special;     /**< by id */
    int32_t byte[256]; /**< ids of single bytes; -1: none */
    int32_t unknown;   /**< -1: bytes without a token are dropped */
    bool ignore_merges;
    hn_normal_form form[4];
    size_t forms;
    hn_splitter *splitter;
    int32_t bos, eos;
    char *chat_template;
    char digest[33];
};

/** Takes the reference to `definition` in any case. `where` begins messages. bos and eos are -1. */
HONE_MUST_USE hone_status hn_tokenizer_build(json_t *definition, const char *where,
                                             hone_tokenizer **tokenizer);

/** The value of "normalizer". */
HONE_MUST_USE hone_status hn_normalizer_read(const json_t *definition, const char *where,
                                             hone_tokenizer *tokenizer);
/** New text when a normal form applies, else *out.data stays NULL. */
HONE_MUST_USE hone_status hn_normalize(const hone_tokenizer *tokenizer, const char *text, size_t length,
                                       hn_bytes *out);

HONE_MUST_USE hone_status hn_added_read(const json_t *list, const char *where, hone_tokenizer *tokenizer);

/** Where an added token stands, the white space that it strips included; `next`: where its own text ends, and the
 *  search goes on. An added token of white space is found even where the one before it stripped that, as tokenizers
 *  does, so begin may lie before the previous end. */
typedef struct hn_added_place {
    size_t begin, end, next;
} hn_added_place;
/** The next added token whose text begins at or after `from`, among those with `normalized`. A special one is passed
 *  over unless `special`. *place: zero at first, then the previous token's. */
const hn_added *hn_added_find(const hone_tokenizer *tokenizer, const char *text, size_t length, size_t from,
                              bool normalized, bool special, hn_added_place *place);

/** A tokenizer.json: tokens by id (byte alphabet), merges as "left right", added tokens as a list of objects, and the
 *  pre-tokenizer. New reference; NULL without memory. */
json_t *hn_definition_make(json_t *vocabulary, json_t *merges, json_t *added, json_t *pre_tokenizer,
                           bool ignore_merges);

#endif
