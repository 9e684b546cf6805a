#include <core/status.h>
#include <string.h>
#include <text/gguf_parts.h>
#include <text/tokenizer.h>

enum { CONTROL = 3, USER_DEFINED = 4 };

/** The patterns that the names of tokenizer.ggml.pre stand for, as these models' tokenizer.json have them. */
static const char llama3[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
                             "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
static const char qwen2[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
                            "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

static json_t *byte_level(bool use_regex) {
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", 1,
                     "use_regex", (int)use_regex);
}

static json_t *split_by(const char *pattern) {
    return json_pack("{s:s,s:[{s:s,s:{s:s},s:s,s:b},o]}", "type", "Sequence", "pretokenizers", "type",
                     "Split", "pattern", "Regex", pattern, "behavior", "Isolated", "invert", 0,
                     byte_level(false));
}

static hone_status pre_tokenizer(const char *name, const char *where, json_t **definition,
                                 bool *ignore_merges) {
    *ignore_merges = false;
    /* SmolLM's own tokenizer.json isolates digits first. transformers' reader of GGUF files does not, and ids are to be the
     * same as there; the two differ only where digits follow more than one white space. */
    if (strcmp(name, "gpt-2") == 0 || strcmp(name, "default") == 0 || strcmp(name, "smollm") == 0)
        *definition = byte_level(true);
    else if (strcmp(name, "llama-bpe") == 0) {
        *definition = split_by(llama3);
        *ignore_merges = true;
    } else if (strcmp(name, "qwen2") == 0)
        *definition = split_by(qwen2);
    else
        return hn_fail(
            HONE_ERROR_UNSUPPORTED,
            "%s: pre-tokenizer \"%s\" is not supported; hone knows gpt-2, smollm, llama-bpe and qwen2", where,
            name);
    return *definition != NULL ? HONE_OK : hn_fail(HONE_ERROR_MEMORY, "no memory for a tokenizer");
}

static json_t *make_vocabulary(const hn_gguf_parts *parts) {
    json_t *vocabulary = json_object();
    for (size_t i = 0; i < parts->tokens; i++)
        json_object_set_new(vocabulary, parts->token[i], json_integer((json_int_t)i));
    return vocabulary;
}

static json_t *make_added(const hn_gguf_parts *parts) {
    json_t *added = json_array();
    for (size_t i = 0; i < parts->tokens && i < parts->token_types; i++) {
        const int32_t type = parts->token_type[i];
        if (type == CONTROL || type == USER_DEFINED)
            json_array_append_new(added,
                                  json_pack("{s:I,s:s,s:b,s:b,s:b,s:b,s:b}", "id", (json_int_t)i, "content",
                                            parts->token[i], "single_word", 0, "lstrip", 0, "rstrip", 0,
                                            "normalized", 0, "special", (int)(type == CONTROL)));
    }
    return added;
}

static json_t *make_merges(const hn_gguf_parts *parts) {
    json_t *merges = json_array();
    for (size_t i = 0; i < parts->merges; i++)
        json_array_append_new(merges, json_string(parts->merge[i]));
    return merges;
}

static bool valid_id(const hn_gguf_parts *parts, int32_t id) { return id >= 0 && (size_t)id < parts->tokens; }

hone_status hn_tokenizer_from_gguf(const hn_gguf_parts *parts, const char *where,
                                   hone_tokenizer **tokenizer) {
    json_t *pre = NULL;
    bool ignore_merges = false;

    *tokenizer = NULL;
    if (strcmp(parts->model, "gpt2") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: tokenizer \"%s\" is not supported; hone converts byte-level BPE (gpt2)", where,
                       parts->model);
    HN_TRY(pre_tokenizer(parts->pre, where, &pre, &ignore_merges));
    json_t *definition =
        hn_definition_make(make_vocabulary(parts), make_merges(parts), make_added(parts), pre, ignore_merges);
    if (definition == NULL)
        return hn_fail(HONE_ERROR_FORMAT, "%s: the tokens must be valid UTF-8", where);
    HN_TRY(hn_tokenizer_build(definition, where, tokenizer));
    (*tokenizer)->bos = valid_id(parts, parts->bos) ? parts->bos : -1;
    (*tokenizer)->eos = valid_id(parts, parts->eos) ? parts->eos : -1;
    return parts->chat_template != NULL ? hn_strdup(&(*tokenizer)->chat_template, parts->chat_template)
                                        : HONE_OK;
}
