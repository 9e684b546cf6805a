#include <core/status.h>
#include <stdlib.h>
#include <string.h>
#include <text/tokenizer.h>
#include <utf8proc.h>

static hone_status add_form(hone_tokenizer *tokenizer, const json_t *definition, const char *where,
                            int depth) {
    static const char *const names[] = {"NFC", "NFD", "NFKC", "NFKD"};
    const json_t *list = json_object_get(definition, "normalizers");
    const char *type = NULL;

    HN_TRY(hn_json_string(definition, "type", where, &type));
    if (strcmp(type, "Sequence") == 0 && json_is_array(list) && depth < 4) {
        for (size_t i = 0; i < json_array_size(list); i++)
            HN_TRY(add_form(tokenizer, json_array_get(list, i), where, depth + 1));
        return HONE_OK;
    }
    for (int i = 0; i < 4; i++)
        if (strcmp(type, names[i]) == 0 && tokenizer->forms < 4) {
            tokenizer->form[tokenizer->forms++] = (hn_normal_form)(i + HN_NFC);
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_UNSUPPORTED,
                   "%s: normalizer \"%s\" is not supported; hone knows NFC, NFD, NFKC and NFKD", where, type);
}

hone_status hn_normalizer_read(const json_t *definition, const char *where, hone_tokenizer *tokenizer) {
    if (definition == NULL || json_is_null(definition))
        return HONE_OK;
    return add_form(tokenizer, definition, where, 0);
}

static utf8proc_option_t options_of(hn_normal_form form) {
    switch (form) {
    case HN_NFC:
        return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    case HN_NFD:
        return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    case HN_NFKC:
        return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    default:
        return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    }
}

hone_status hn_normalize(const hone_tokenizer *tokenizer, const char *text, size_t length, hn_bytes *out) {
    for (size_t i = 0; i < tokenizer->forms; i++) {
        utf8proc_uint8_t *mapped = NULL;
        const utf8proc_ssize_t size = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)length,
                                                   &mapped, options_of(tokenizer->form[i]));
        if (size < 0)
            return hn_fail(HONE_ERROR_FORMAT, "the text can't be normalised: %s", utf8proc_errmsg(size));
        out->length = 0;
        const hone_status status = hn_bytes_append(out, mapped, (size_t)size);
        free(mapped);
        HN_TRY(status);
        text = out->data;
        length = out->length;
    }
    return HONE_OK;
}
