#define PCRE2_CODE_UNIT_WIDTH 8
#include <core/status.h>
#include <pcre2.h>
#include <string.h>
#include <text/pattern.h>

struct hn_pattern {
    pcre2_code *code;
};

/** Unicode's White_Space, which is what \s means to Oniguruma; PCRE2's own has U+180E besides. */
static const char spaces[] = "\\x{9}-\\x{d}\\x{20}\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{"
                             "2029}\\x{202f}\\x{205f}\\x{3000}";

/** The pattern with \s and \S spelt out. Within a class \S can't be, and is refused. */
static hone_status translate(const char *text, hn_bytes *out) {
    bool in_class = false;

    for (const char *c = text; *c != '\0'; c++) {
        if (*c != '\\') {
            in_class = *c == '[' ? true : *c == ']' ? false : in_class;
            HN_TRY(hn_bytes_append(out, c, 1));
            continue;
        }
        if (c[1] == '\0')
            return hn_fail(HONE_ERROR_FORMAT, "pattern \"%s\" ends with a backslash", text);
        c++;
        if (*c == 'S' && in_class)
            return hn_fail(HONE_ERROR_UNSUPPORTED, "pattern \"%s\": \\S within brackets is not supported",
                           text);
        if (*c == 's' || *c == 'S')
            HN_TRY(hn_bytes_printf(out, in_class ? "%s%s" : "[%s%s]", *c == 'S' ? "^" : "", spaces));
        else
            HN_TRY(hn_bytes_printf(out, "\\%c", *c));
    }
    return HONE_OK;
}

static hone_status compile(const char *text, uint32_t options, pcre2_code **code) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    PCRE2_UCHAR message[128];

    *code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
    if (*code == NULL) {
        (void)pcre2_get_error_message(error, message, sizeof message);
        return hn_fail(HONE_ERROR_UNSUPPORTED, "pattern \"%.200s\": %s at %zu: correct it", text,
                       (const char *)message, (size_t)offset);
    }
    /* Without the compiler the interpreter runs: slower, the same matches. */
    (void)pcre2_jit_compile(*code, PCRE2_JIT_COMPLETE);
    return HONE_OK;
}

hone_status hn_pattern_create(const char *text, bool literal, hn_pattern **out) {
    hn_pattern *pattern = NULL;
    hn_bytes translated = {0};
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&pattern, 1, sizeof *pattern, "pattern"));
    if (literal)
        HN_GO(compile(text, PCRE2_UTF | PCRE2_LITERAL, &pattern->code));
    else {
        HN_GO(translate(text, &translated));
        HN_GO(compile(translated.data != NULL ? translated.data : "", PCRE2_UTF | PCRE2_UCP, &pattern->code));
    }
    *out = pattern;
    pattern = NULL;
done:
    hn_bytes_clear(&translated);
    hn_pattern_destroy(pattern);
    return status;
}

void hn_pattern_destroy(hn_pattern *pattern) {
    if (pattern == NULL)
        return;
    pcre2_code_free(pattern->code);
    hn_free(pattern);
}

/** The text has been checked; limits of depth and heap are PCRE2's defaults, and reaching one is an error. */
static hone_status match(const hn_pattern *pattern, pcre2_match_data *data, const char *text, size_t length,
                         size_t from, bool *found) {
    const int result = pcre2_match(pattern->code, (PCRE2_SPTR)text, length, from,
                                   PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY, data, NULL);
    *found = result >= 0;
    if (result >= 0 || result == PCRE2_ERROR_NOMATCH)
        return HONE_OK;
    PCRE2_UCHAR message[128];
    (void)pcre2_get_error_message(result, message, sizeof message);
    return hn_fail(HONE_ERROR_UNSUPPORTED, "pre-tokenisation pattern: %s", (const char *)message);
}

hone_status hn_pattern_find(const hn_pattern *pattern, const char *text, size_t length, size_t from,
                            bool *found, size_t *begin, size_t *end) {
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);

    if (data == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a match");
    const hone_status status = match(pattern, data, text, length, from, found);
    if (status == HONE_OK && *found) {
        const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(data);
        *begin = offsets[0];
        *end = offsets[1];
    }
    pcre2_match_data_free(data);
    return status;
}
