/* A tokenizer's files in a model folder. */
#include <core/file.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>
#include <text/tokenizer.h>

enum { TEMPLATE_LIMIT = 1 << 20 };

/** A file that may be absent: *root is NULL then. */
static hone_status read_optional(const char *path, json_t **root) {
    *root = NULL;
    if (!hn_file_exists(path))
        return HONE_OK;
    HN_TRY(hn_json_read(path, root));
    return json_is_object(*root) ? HONE_OK : hn_fail(HONE_ERROR_FORMAT, "%s: must be an object", path);
}

/** "token", or {"content": "token"}. */
static hone_status token_of(const hone_tokenizer *tokenizer, const json_t *root, const char *key,
                            const char *where, int32_t *id) {
    const json_t *value = json_object_get(root, key);
    const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
    if (text == NULL && value != NULL && !json_is_null(value))
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a token, or an object with its \"content\"",
                       where, key);
    *id = text != NULL ? hn_vocabulary_find(&tokenizer->vocabulary, text, strlen(text)) : -1;
    return HONE_OK;
}

/** An id, or the first of a list of ids. */
static hone_status id_of(const hone_tokenizer *tokenizer, const json_t *root, const char *key,
                         const char *where, int32_t *id) {
    const json_t *value = json_object_get(root, key);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    if (value != NULL && !json_is_null(value) && !json_is_number(value))
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a token's id, a list of ids, or null", where,
                       key);
    const double number = json_is_number(value) ? json_number_value(value) : -1.0; /* exact up to 2^53 */
    *id = number >= 0.0 && number < (double)tokenizer->vocabulary.count ? (int32_t)number : -1;
    return HONE_OK;
}

/** What one file says of an end that is not known yet. */
static hone_status read_end(const hone_tokenizer *tokenizer, const json_t *root, const char *token,
                            const char *id, const char *where, int32_t *end) {
    if (*end >= 0)
        return HONE_OK;
    return token != NULL ? token_of(tokenizer, root, token, where, end)
                         : id_of(tokenizer, root, id, where, end);
}

static hone_status read_file(const char *folder, const char *name, bool names_tokens,
                             hone_tokenizer *tokenizer) {
    json_t *root = NULL;
    char *where = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_path_join(folder, name, &where));
    HN_GO(read_optional(where, &root));
    HN_GO(
        read_end(tokenizer, root, names_tokens ? "eos_token" : NULL, "eos_token_id", where, &tokenizer->eos));
    HN_GO(
        read_end(tokenizer, root, names_tokens ? "bos_token" : NULL, "bos_token_id", where, &tokenizer->bos));
    const char *chat = json_string_value(json_object_get(root, "chat_template"));
    if (chat != NULL && tokenizer->chat_template == NULL)
        HN_GO(hn_strdup(&tokenizer->chat_template, chat));
done:
    json_decref(root);
    hn_free(where);
    return status;
}

/** The tokenizer's own files name tokens, the model's give ids; the first that speaks counts. */
static hone_status read_ends(const char *folder, hone_tokenizer *tokenizer) {
    HN_TRY(read_file(folder, "tokenizer_config.json", true, tokenizer));
    HN_TRY(read_file(folder, "special_tokens_map.json", true, tokenizer));
    HN_TRY(read_file(folder, "generation_config.json", false, tokenizer));
    return read_file(folder, "config.json", false, tokenizer);
}

/** Newer folders keep the chat template in a file of its own. */
static hone_status read_chat_template(const char *folder, hone_tokenizer *tokenizer) {
    char *path = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    if (tokenizer->chat_template != NULL)
        return HONE_OK;
    HN_GO(hn_path_join(folder, "chat_template.jinja", &path));
    if (hn_file_exists(path))
        HN_GO(hn_file_read(path, TEMPLATE_LIMIT, &tokenizer->chat_template, &length));
done:
    hn_free(path);
    return status;
}

hone_status hone_tokenizer_open(const char *folder, hone_tokenizer **out) {
    hone_tokenizer *tokenizer = NULL;
    json_t *definition = NULL;
    char *path = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_path_join(folder, "tokenizer.json", &path));
    HN_GO(hn_json_read(path, &definition));
    HN_GO(hn_tokenizer_build(definition, path, &tokenizer));
    HN_GO(read_ends(folder, tokenizer));
    HN_GO(read_chat_template(folder, tokenizer));
    *out = tokenizer;
    tokenizer = NULL;
done:
    if (status == HONE_ERROR_FORMAT)
        status = hn_fail_advise(status, "get the file again, from the folder of its model");
    hone_tokenizer_destroy(tokenizer);
    hn_free(path);
    return status;
}

static void set_token(json_t *root, const hone_tokenizer *tokenizer, const char *key, int32_t id) {
    const char *text = hone_tokenizer_token(tokenizer, id);
    if (text != NULL)
        json_object_set_new(root, key, json_string(text));
}

static hone_status save_config(const hone_tokenizer *tokenizer, const char *folder) {
    json_t *root = json_pack("{s:s,s:b}", "tokenizer_class", "PreTrainedTokenizerFast",
                             "clean_up_tokenization_spaces", 0);
    char *path = NULL;
    hone_status status = HONE_OK;

    set_token(root, tokenizer, "bos_token", tokenizer->bos);
    set_token(root, tokenizer, "eos_token", tokenizer->eos);
    /* Padding is never scored; the end of sequence serves, as peers do. */
    set_token(root, tokenizer, "pad_token", tokenizer->eos);
    if (tokenizer->chat_template != NULL)
        json_object_set_new(root, "chat_template", json_string(tokenizer->chat_template));
    HN_GO(hn_path_join(folder, "tokenizer_config.json", &path));
    HN_GO(hn_json_write(path, root));
done:
    json_decref(root);
    hn_free(path);
    return status;
}

hone_status hone_tokenizer_save(const hone_tokenizer *tokenizer, const char *folder) {
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_folder_make(folder));
    HN_GO(hn_path_join(folder, "tokenizer.json", &path));
    HN_GO(hn_json_write(path, tokenizer->definition));
    HN_GO(save_config(tokenizer, folder));
done:
    hn_free(path);
    return status;
}
