/* A tokenizer's files in a model folder. */
#include <core/file.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>
#include <text/tokenizer.h>

enum { TEMPLATE_LIMIT = 1 << 20 };

/** A file of the folder that may be absent: *root is NULL then. */
static hone_status read_optional(const char *folder, const char *name, json_t **root) {
    char *path = NULL;
    hone_status status = HONE_OK;

    *root = NULL;
    HN_GO(hn_path_join(folder, name, &path));
    if (hn_file_exists(path))
        HN_GO(hn_json_read(path, root));
done:
    hn_free(path);
    return status;
}

/** "token", or {"content": "token"}. */
static int32_t token_of(const hone_tokenizer *tokenizer, const json_t *root, const char *key) {
    const json_t *value = json_object_get(root, key);
    const char *text = json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
    return text != NULL ? hn_vocabulary_find(&tokenizer->vocabulary, text, strlen(text)) : -1;
}

/** An id, or the first of a list of ids. */
static int32_t id_of(const hone_tokenizer *tokenizer, const json_t *root, const char *key) {
    const json_t *value = json_object_get(root, key);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    const json_int_t id = json_is_integer(value) ? json_integer_value(value) : -1;
    return id >= 0 && id < tokenizer->vocabulary.count ? (int32_t)id : -1;
}

/** The tokenizer's own files name tokens, the model's give ids; the first that speaks counts. */
static hone_status read_ends(const char *folder, hone_tokenizer *tokenizer) {
    static const char *const names[] = {"tokenizer_config.json", "special_tokens_map.json",
                                        "generation_config.json", "config.json"};
    for (int i = 0; i < 4; i++) {
        json_t *root = NULL;
        HN_TRY(read_optional(folder, names[i], &root));
        if (tokenizer->eos < 0)
            tokenizer->eos =
                i < 2 ? token_of(tokenizer, root, "eos_token") : id_of(tokenizer, root, "eos_token_id");
        if (tokenizer->bos < 0)
            tokenizer->bos =
                i < 2 ? token_of(tokenizer, root, "bos_token") : id_of(tokenizer, root, "bos_token_id");
        const char *chat = json_string_value(json_object_get(root, "chat_template"));
        const hone_status status =
            i == 0 && chat != NULL ? hn_strdup(&tokenizer->chat_template, chat) : HONE_OK;
        json_decref(root);
        HN_TRY(status);
    }
    return HONE_OK;
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
