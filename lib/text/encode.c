#include <core/status.h>
#include <string.h>
#include <text/tokenizer.h>
#include <text/unicode.h>

/** What encoding one text needs besides the tokenizer. */
typedef struct encoder {
    const hone_tokenizer *tokenizer;
    hn_bpe bpe;
    hn_spans words;
    hn_bytes mapped;
    int32_t *symbol;
    size_t symbols;
    bool special;
    hone_ids *ids;
} encoder;

/** The word's bytes as ids; a byte without a token is the unknown token, or nothing. */
static hone_status word_ids(encoder *e, const unsigned char *word, size_t length, size_t *count) {
    const hone_tokenizer *tokenizer = e->tokenizer;

    HN_TRY(hn_reserve(&e->symbol, &e->symbols, length, sizeof *e->symbol, "word"));
    *count = 0;
    for (size_t i = 0; i < length; i++) {
        const int32_t id = tokenizer->byte[word[i]] >= 0 ? tokenizer->byte[word[i]] : tokenizer->unknown;
        if (id >= 0)
            e->symbol[(*count)++] = id;
    }
    return HONE_OK;
}

/** The word in the byte alphabet, as the vocabulary has it. */
static hone_status map_word(encoder *e, const unsigned char *word, size_t length) {
    unsigned char character[4];

    e->mapped.length = 0;
    for (size_t i = 0; i < length; i++)
        HN_TRY(hn_bytes_append(&e->mapped, character, hn_utf8_put(hn_byte_char(word[i]), character)));
    return HONE_OK;
}

static hone_status encode_word(encoder *e, const char *word, size_t length) {
    size_t count = 0;

    if (e->tokenizer->ignore_merges) {
        HN_TRY(map_word(e, (const unsigned char *)word, length));
        const int32_t id = hn_vocabulary_find(&e->tokenizer->vocabulary, e->mapped.data, e->mapped.length);
        if (id >= 0)
            return hone_ids_append(e->ids, &id, 1);
    }
    HN_TRY(word_ids(e, (const unsigned char *)word, length, &count));
    return hn_bpe_encode(&e->bpe, &e->tokenizer->vocabulary, e->symbol, count, e->ids);
}

static hone_status encode_words(encoder *e, const char *text, size_t length) {
    HN_TRY(hn_splitter_run(e->tokenizer->splitter, text, length, &e->words));
    for (size_t i = 0; i < e->words.count; i++)
        HN_TRY(encode_word(e, text + e->words.item[i].begin, e->words.item[i].end - e->words.item[i].begin));
    return HONE_OK;
}

/** Ordinary text between added tokens. */
static hone_status encode_text(encoder *e, const char *text, size_t length) {
    hn_bytes prefixed = {0};
    hone_status status = HONE_OK;

    if (length == 0)
        return HONE_OK;
    if (!hn_splitter_prefix_space(e->tokenizer->splitter) || text[0] == ' ')
        return encode_words(e, text, length);
    HN_GO(hn_bytes_append(&prefixed, " ", 1));
    HN_GO(hn_bytes_append(&prefixed, text, length));
    HN_GO(encode_words(e, prefixed.data, prefixed.length));
done:
    hn_bytes_clear(&prefixed);
    return status;
}

static hone_status encode_normalized(encoder *e, const char *text, size_t length);

/** Added tokens first; what lies between goes on to the next stage. */
static hone_status cut_added(encoder *e, const char *text, size_t length, bool normalized) {
    hone_status (*next)(encoder *, const char *, size_t) = normalized ? encode_text : encode_normalized;
    hn_added_place place = {0};
    size_t at = 0;
    const hn_added *added = NULL;

    while ((added = hn_added_find(e->tokenizer, text, length, place.next, normalized, e->special, &place)) !=
           NULL) {
        if (place.begin > at)
            HN_TRY(next(e, text + at, place.begin - at));
        HN_TRY(hone_ids_append(e->ids, &added->id, 1));
        at = place.end;
    }
    return next(e, text + at, length - at);
}

static hone_status encode_normalized(encoder *e, const char *text, size_t length) {
    hn_bytes normal = {0};
    hone_status status = HONE_OK;

    if (length == 0)
        return HONE_OK;
    HN_GO(hn_normalize(e->tokenizer, text, length, &normal));
    HN_GO(cut_added(e, normal.data != NULL ? normal.data : text, normal.data != NULL ? normal.length : length,
                    true));
done:
    hn_bytes_clear(&normal);
    return status;
}

hone_status hone_tokenizer_encode(const hone_tokenizer *tokenizer, const char *text, size_t length,
                                  bool special, hone_ids *ids) {
    encoder e = {.tokenizer = tokenizer, .special = special, .ids = ids};

    HN_TRY(hn_utf8_check(text, length));
    const hone_status status = cut_added(&e, text, length, false);
    hn_bpe_clear(&e.bpe);
    hn_spans_clear(&e.words);
    hn_bytes_clear(&e.mapped);
    hn_free(e.symbol);
    return status;
}

/** A token's bytes: its characters through the byte alphabet, or its text when one is outside it. */
static hone_status append_token(const hn_token *token, hn_bytes *out) {
    const size_t before = out->length;
    uint32_t code = 0;

    for (size_t at = 0; at < token->length;) {
        const size_t n = hn_utf8_next((const unsigned char *)token->text + at, token->length - at, &code);
        const int byte = n > 0 ? hn_char_byte(code) : -1;
        if (byte < 0) {
            out->length = before;
            return hn_bytes_append(out, token->text, token->length);
        }
        const char value = (char)byte;
        HN_TRY(hn_bytes_append(out, &value, 1));
        at += n;
    }
    return HONE_OK;
}

hone_status hone_tokenizer_decode(const hone_tokenizer *tokenizer, const int32_t *ids, int64_t count,
                                  bool skip_special, char **text) {
    hn_bytes raw = {0}, out = {0};
    hone_status status = HONE_OK;

    *text = NULL;
    for (int64_t i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= tokenizer->vocabulary.count ||
            tokenizer->vocabulary.token[ids[i]].text == NULL || (skip_special && tokenizer->special[ids[i]]))
            continue;
        HN_GO(append_token(&tokenizer->vocabulary.token[ids[i]], &raw));
    }
    HN_GO(hn_bytes_append(&out, "", 0));
    if (raw.length > 0)
        HN_GO(hn_utf8_append_lossy(&out, raw.data, raw.length));
    HN_GO(hn_strndup(text, out.data != NULL ? out.data : "", out.length));
done:
    hn_bytes_clear(&raw);
    hn_bytes_clear(&out);
    return status;
}
