/* A tokenizer from its tokenizer.json. */
#include <core/hash.h>
#include <core/status.h>
#include <stdlib.h>
#include <string.h>
#include <text/tokenizer.h>
#include <text/unicode.h>

enum { VOCABULARY_MOST = 1 << 24 };

/** Options of the model that would change ids and that byte-level models leave empty. */
static hone_status check_model(const json_t *model, const char *where) {
    static const char *const texts[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const char *type = NULL;
    bool fallback = false;

    HN_TRY(hn_json_string_or(model, "type", where, "BPE", &type));
    if (strcmp(type, "BPE") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: model \"%s\" is not supported; hone reads byte-level BPE",
                       where, type);
    HN_TRY(hn_json_boolean_or(model, "byte_fallback", where, false, &fallback));
    if (fallback)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: byte_fallback (SentencePiece) is not supported; hone reads byte-level BPE",
                       where);
    for (int i = 0; i < 2; i++) {
        const char *text = json_string_value(json_object_get(model, texts[i]));
        if (text != NULL && text[0] != '\0')
            return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: \"%s\" is not supported: choose a model without it",
                           where, texts[i]);
    }
    const json_t *dropout = json_object_get(model, "dropout");
    if (json_is_number(dropout) && json_number_value(dropout) > 0.0)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: BPE dropout is not supported: choose a model without it",
                       where);
    return HONE_OK;
}

/** One past the largest id, added tokens included. */
static hone_status count_ids(const json_t *vocabulary, const hone_tokenizer *tokenizer, const char *where,
                             int64_t *count) {
    const char *text = NULL;
    json_t *value = NULL;

    *count = 0;
    json_object_foreach((json_t *)vocabulary, text, value) {
        const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
        if (id < 0 || id >= VOCABULARY_MOST)
            return hn_fail(HONE_ERROR_FORMAT, "%s: token \"%.40s\" has no valid id", where, text);
        *count = id >= *count ? id + 1 : *count;
    }
    for (size_t i = 0; i < tokenizer->added_count; i++)
        *count = tokenizer->added[i].id >= *count ? tokenizer->added[i].id + 1 : *count;
    /* Ids are nearly dense: a huge one in a small file must not cost memory. */
    if (*count > 2 * (int64_t)(json_object_size(vocabulary) + tokenizer->added_count) + 65536)
        return hn_fail(HONE_ERROR_FORMAT, "%s: the largest id, %lld, is far above the number of tokens",
                       where, (long long)*count - 1);
    return *count > 0 ? HONE_OK : hn_fail(HONE_ERROR_FORMAT, "%s: the vocabulary is empty", where);
}

static hone_status fill_vocabulary(const json_t *vocabulary, const char *where, hone_tokenizer *tokenizer) {
    const char *text = NULL;
    json_t *value = NULL;

    json_object_foreach((json_t *)vocabulary, text, value) {
        const hone_status status =
            hn_vocabulary_set(&tokenizer->vocabulary, (int32_t)json_integer_value(value), text, strlen(text));
        if (status != HONE_OK)
            return hn_fail_in(status, "%s", where);
    }
    for (size_t i = 0; i < tokenizer->added_count; i++) {
        const hn_added *added = &tokenizer->added[i];
        tokenizer->special[added->id] = added->special;
        if (tokenizer->vocabulary.token[added->id].text == NULL)
            HN_TRY(hn_vocabulary_set(&tokenizer->vocabulary, added->id, added->content, added->length));
    }
    return HONE_OK;
}

/** "left right", or ["left", "right"]. */
static hone_status parse_merge(const json_t *merge, const char *where, size_t rank, const char **left,
                               size_t *left_length, const char **right, size_t *right_length) {
    if (json_is_array(merge) && json_array_size(merge) == 2) {
        *left = json_string_value(json_array_get(merge, 0));
        *right = json_string_value(json_array_get(merge, 1));
    } else if (json_is_string(merge)) {
        *left = json_string_value(merge);
        *right = strchr(*left, ' ');
        *left_length = *right != NULL ? (size_t)(*right - *left) : 0;
        *right = *right != NULL ? *right + 1 : NULL;
    } else
        *left = *right = NULL;
    if (*left == NULL || *right == NULL)
        return hn_fail(HONE_ERROR_FORMAT, "%s: merge %zu is not a pair of tokens", where, rank);
    if (json_is_array(merge))
        *left_length = strlen(*left);
    *right_length = strlen(*right);
    return HONE_OK;
}

static hone_status add_merge(const json_t *merge, const char *where, size_t rank, hone_tokenizer *tokenizer,
                             hn_bytes *joined) {
    const char *left = NULL, *right = NULL;
    size_t n = 0, m = 0;

    HN_TRY(parse_merge(merge, where, rank, &left, &n, &right, &m));
    joined->length = 0;
    HN_TRY(hn_bytes_append(joined, left, n));
    HN_TRY(hn_bytes_append(joined, right, m));
    const hn_vocabulary *v = &tokenizer->vocabulary;
    const int32_t a = hn_vocabulary_find(v, left, n), b = hn_vocabulary_find(v, right, m);
    const int32_t result = hn_vocabulary_find(v, joined->data, joined->length);
    if (a < 0 || b < 0 || result < 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: merge %zu, \"%.*s\" and \"%.40s\", is not in the vocabulary",
                       where, rank, (int)(n < 40 ? n : 40), left, right);
    return hn_vocabulary_add_merge(&tokenizer->vocabulary, a, b, (int32_t)rank, result);
}

static hone_status fill_merges(const json_t *merges, const char *where, hone_tokenizer *tokenizer) {
    hn_bytes joined = {0};
    hone_status status = HONE_OK;

    for (size_t i = 0; i < json_array_size(merges) && status == HONE_OK; i++)
        status = add_merge(json_array_get(merges, i), where, i, tokenizer, &joined);
    hn_bytes_clear(&joined);
    return status;
}

static void find_bytes(hone_tokenizer *tokenizer) {
    for (int byte = 0; byte < 256; byte++) {
        unsigned char character[4];
        const size_t n = hn_utf8_put(hn_byte_char((unsigned char)byte), character);
        tokenizer->byte[byte] = hn_vocabulary_find(&tokenizer->vocabulary, (const char *)character, n);
    }
}

static hone_status fill_model(const json_t *model, const char *where, hone_tokenizer *tokenizer) {
    const json_t *vocabulary = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
    const char *unknown = NULL;
    int64_t count = 0;

    HN_TRY(check_model(model, where));
    if (!json_is_object(vocabulary) || !json_is_array(merges))
        return hn_fail(HONE_ERROR_FORMAT, "%s: the model needs \"vocab\" and \"merges\"", where);
    HN_TRY(count_ids(vocabulary, tokenizer, where, &count));
    HN_TRY(hn_vocabulary_create(&tokenizer->vocabulary, count, json_array_size(merges)));
    HN_TRY(hn_alloc(&tokenizer->special, (size_t)count, sizeof *tokenizer->special, "special tokens"));
    HN_TRY(fill_vocabulary(vocabulary, where, tokenizer));
    HN_TRY(fill_merges(merges, where, tokenizer));
    find_bytes(tokenizer);
    HN_TRY(hn_json_boolean_or(model, "ignore_merges", where, false, &tokenizer->ignore_merges));
    HN_TRY(hn_json_string_or(model, "unk_token", where, NULL, &unknown));
    tokenizer->unknown =
        unknown != NULL ? hn_vocabulary_find(&tokenizer->vocabulary, unknown, strlen(unknown)) : -1;
    return HONE_OK;
}

/** Everything that ids depend on is in the definition. */
static hone_status make_digest(hone_tokenizer *tokenizer) {
    hn_hasher *hasher = NULL;
    char *text = json_dumps(tokenizer->definition, JSON_COMPACT | JSON_SORT_KEYS);
    hone_status status = HONE_OK;

    if (text == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "no memory to hash the tokenizer");
    HN_GO(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, text);
    hn_hasher_digest(hasher, tokenizer->digest);
done:
    hn_hasher_destroy(hasher);
    free(text);
    return status;
}

static hone_status fill(hone_tokenizer *tokenizer, const char *where) {
    const json_t *root = tokenizer->definition;

    if (!json_is_object(root) || !json_is_object(json_object_get(root, "model")))
        return hn_fail(HONE_ERROR_FORMAT, "%s: not a tokenizer: \"model\" is missing", where);
    HN_TRY(hn_added_read(json_object_get(root, "added_tokens"), where, tokenizer));
    HN_TRY(hn_normalizer_read(json_object_get(root, "normalizer"), where, tokenizer));
    HN_TRY(hn_splitter_create(json_object_get(root, "pre_tokenizer"), where, &tokenizer->splitter));
    HN_TRY(fill_model(json_object_get(root, "model"), where, tokenizer));
    return make_digest(tokenizer);
}

hone_status hn_tokenizer_build(json_t *definition, const char *where, hone_tokenizer **out) {
    hone_tokenizer *tokenizer = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    status = hn_alloc(&tokenizer, 1, sizeof *tokenizer, "tokenizer");
    if (status != HONE_OK) {
        json_decref(definition);
        return status;
    }
    tokenizer->definition = definition;
    tokenizer->bos = tokenizer->eos = tokenizer->unknown = -1;
    HN_GO(fill(tokenizer, where));
    *out = tokenizer;
    tokenizer = NULL;
done:
    hone_tokenizer_destroy(tokenizer);
    return status;
}

void hone_tokenizer_destroy(hone_tokenizer *tokenizer) {
    if (tokenizer == NULL)
        return;
    for (size_t i = 0; tokenizer->added != NULL && i < tokenizer->added_count; i++)
        hn_free(tokenizer->added[i].content);
    hn_free(tokenizer->added);
    hn_free(tokenizer->special);
    hn_free(tokenizer->chat_template);
    hn_vocabulary_clear(&tokenizer->vocabulary);
    hn_splitter_destroy(tokenizer->splitter);
    json_decref(tokenizer->definition);
    hn_free(tokenizer);
}

int64_t hone_tokenizer_vocabulary(const hone_tokenizer *tokenizer) { return tokenizer->vocabulary.count; }

int32_t hone_tokenizer_bos(const hone_tokenizer *tokenizer) { return tokenizer->bos; }

int32_t hone_tokenizer_eos(const hone_tokenizer *tokenizer) { return tokenizer->eos; }

bool hone_tokenizer_is_special(const hone_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && id < tokenizer->vocabulary.count && tokenizer->special[id];
}

const char *hone_tokenizer_token(const hone_tokenizer *tokenizer, int32_t id) {
    return id >= 0 && id < tokenizer->vocabulary.count ? tokenizer->vocabulary.token[id].text : NULL;
}

const char *hone_tokenizer_chat_template(const hone_tokenizer *tokenizer) { return tokenizer->chat_template; }

const char *hone_tokenizer_digest(const hone_tokenizer *tokenizer) { return tokenizer->digest; }
