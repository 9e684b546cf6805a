#include <core/memory.h>
#include <core/status.h>
#include <model/vocabulary.h>
#include <text/gguf_parts.h>

/** What the metadata holds, owned. */
typedef struct metadata {
    char *model, *pre, *chat_template, **token, **merge;
    int32_t *token_type;
    size_t tokens, token_types, merges;
    int64_t bos, eos;
} metadata;

static hone_status read_metadata(const hn_gguf *file, metadata *m) {
    HN_TRY(hn_gguf_string(file, "tokenizer.ggml.model", &m->model));
    HN_TRY(hn_gguf_string_or_null(file, "tokenizer.ggml.pre", &m->pre));
    HN_TRY(hn_gguf_string_or_null(file, "tokenizer.chat_template", &m->chat_template));
    HN_TRY(hn_gguf_strings(file, "tokenizer.ggml.tokens", &m->token, &m->tokens));
    HN_TRY(hn_gguf_strings(file, "tokenizer.ggml.merges", &m->merge, &m->merges));
    HN_TRY(hn_gguf_integers(file, "tokenizer.ggml.token_type", &m->token_type, &m->token_types));
    HN_TRY(hn_gguf_integer_or(file, "tokenizer.ggml.bos_token_id", -1, &m->bos));
    return hn_gguf_integer_or(file, "tokenizer.ggml.eos_token_id", -1, &m->eos);
}

static hn_gguf_parts parts_of(const metadata *m) {
    return (hn_gguf_parts){.model = m->model,
                           .pre = m->pre != NULL ? m->pre : "default",
                           .token = m->token,
                           .tokens = m->tokens,
                           .token_type = m->token_type,
                           .token_types = m->token_types,
                           .merge = m->merge,
                           .merges = m->merges,
                           .bos = m->bos <= INT32_MAX ? (int32_t)m->bos : -1,
                           .eos = m->eos <= INT32_MAX ? (int32_t)m->eos : -1,
                           .chat_template = m->chat_template};
}

hone_status hn_vocabulary_write(const hn_gguf *file, const char *folder, int64_t vocabulary) {
    metadata m = {0};
    hone_tokenizer *tokenizer = NULL;
    hone_status status = HONE_OK;

    HN_GO(read_metadata(file, &m));
    if ((int64_t)m.tokens > vocabulary) {
        status = hn_fail(HONE_ERROR_FORMAT, "%s: %zu tokens, but the embedding has %lld rows",
                         hn_gguf_path(file), m.tokens, (long long)vocabulary);
        goto done;
    }
    const hn_gguf_parts parts = parts_of(&m);
    HN_GO(hn_tokenizer_from_gguf(&parts, hn_gguf_path(file), &tokenizer));
    HN_GO(hone_tokenizer_save(tokenizer, folder));
done:
    hone_tokenizer_destroy(tokenizer);
    hn_names_free(m.token, m.tokens);
    hn_names_free(m.merge, m.merges);
    hn_free(m.token_type);
    hn_free(m.chat_template);
    hn_free(m.pre);
    hn_free(m.model);
    return status;
}
