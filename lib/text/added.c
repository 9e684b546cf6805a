/* Added tokens: found in the raw or the normalised text before it is split into words. */
#include <core/status.h>
#include <string.h>
#include <text/tokenizer.h>
#include <text/unicode.h>
#include <utf8proc.h>

enum { ADDED_MOST = 1 << 16 };

static hone_status read_one(const json_t *object, const char *where, hn_added *added) {
    const char *content = NULL;
    int64_t id = 0;

    HN_TRY(hn_json_string(object, "content", where, &content));
    HN_TRY(hn_json_integer(object, "id", where, &id));
    if (content[0] == '\0' || id < 0 || id > INT32_MAX)
        return hn_fail(HONE_ERROR_FORMAT, "%s: an added token is empty or has id %lld", where, (long long)id);
    added->id = (int32_t)id;
    HN_TRY(hn_json_boolean_or(object, "special", where, false, &added->special));
    HN_TRY(hn_json_boolean_or(object, "normalized", where, !added->special, &added->normalized));
    HN_TRY(hn_json_boolean_or(object, "lstrip", where, false, &added->lstrip));
    HN_TRY(hn_json_boolean_or(object, "rstrip", where, false, &added->rstrip));
    HN_TRY(hn_json_boolean_or(object, "single_word", where, false, &added->single_word));
    added->length = strlen(content);
    return hn_strdup(&added->content, content);
}

hone_status hn_added_read(const json_t *list, const char *where, hone_tokenizer *tokenizer) {
    const size_t count = json_array_size(list);

    if (count > ADDED_MOST)
        return hn_fail(HONE_ERROR_FORMAT, "%s: more than %d added tokens", where, ADDED_MOST);
    HN_TRY(hn_alloc(&tokenizer->added, count, sizeof *tokenizer->added, "added tokens"));
    tokenizer->added_count = count;
    for (size_t i = 0; i < count; i++)
        HN_TRY(read_one(json_array_get(list, i), where, &tokenizer->added[i]));
    return HONE_OK;
}

/** The longest one that begins exactly here. */
static const hn_added *longest_at(const hone_tokenizer *tokenizer, const char *text, size_t left,
                                  bool normalized) {
    const hn_added *best = NULL;

    for (size_t i = 0; i < tokenizer->added_count; i++) {
        const hn_added *added = &tokenizer->added[i];
        if (added->content[0] != text[0] || added->length > left || added->normalized != normalized ||
            (best != NULL && added->length <= best->length))
            continue;
        if (memcmp(added->content, text, added->length) == 0)
            best = added;
    }
    return best;
}

/** The code point that ends before `at`, or begins at it. */
static uint32_t code_before(const char *text, size_t at) {
    uint32_t code = 0;
    size_t begin = at;
    while (begin > 0 && at - begin < 4) {
        begin--;
        if (((unsigned char)text[begin] & 0xc0) != 0x80)
            break;
    }
    return hn_utf8_next((const unsigned char *)text + begin, at - begin, &code) > 0 ? code : 0;
}

static uint32_t code_at(const char *text, size_t length, size_t at, size_t *bytes) {
    uint32_t code = 0;
    *bytes = hn_utf8_next((const unsigned char *)text + at, length - at, &code);
    return *bytes > 0 ? code : 0;
}

/** Letters, marks, decimal digits and connectors: \w. */
static bool is_word(uint32_t code) {
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL ||
           category == UTF8PROC_CATEGORY_LT || category == UTF8PROC_CATEGORY_LM ||
           category == UTF8PROC_CATEGORY_LO || category == UTF8PROC_CATEGORY_MN ||
           category == UTF8PROC_CATEGORY_MC || category == UTF8PROC_CATEGORY_ME ||
           category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_PC;
}

static bool is_space(uint32_t code) {
    return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
           (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f ||
           code == 0x205f || code == 0x3000;
}

static bool stands_alone(const char *text, size_t length, size_t begin, size_t end) {
    size_t bytes = 0;
    return (begin == 0 || !is_word(code_before(text, begin))) &&
           (end == length || !is_word(code_at(text, length, end, &bytes)));
}

/** White space before (not before `from`) and after belongs to the token where it strips. */
static void strip(const hn_added *added, const char *text, size_t length, size_t from, size_t *begin,
                  size_t *end) {
    size_t bytes = 0;

    if (added->lstrip && *begin < from)
        *begin = from;
    while (added->lstrip && *begin > from && is_space(code_before(text, *begin))) {
        do
            (*begin)--;
        while (*begin > from && ((unsigned char)text[*begin] & 0xc0) == 0x80);
    }
    while (added->rstrip && *end < length && is_space(code_at(text, length, *end, &bytes)))
        *end += bytes;
}

const hn_added *hn_added_find(const hone_tokenizer *tokenizer, const char *text, size_t length, size_t from,
                              bool normalized, bool special, hn_added_place *place) {
    for (size_t at = from; at < length && tokenizer->added_count > 0; at++) {
        const hn_added *added = longest_at(tokenizer, text + at, length - at, normalized);
        if (added == NULL)
            continue;
        if ((added->special && !special) ||
            (added->single_word && !stands_alone(text, length, at, at + added->length))) {
            at += added->length - 1;
            continue;
        }
        /* place->end is still the previous token's: the white space that it took is gone. */
        const size_t least = place->end;
        place->next = at + added->length;
        place->begin = at;
        place->end = place->next;
        strip(added, text, length, least, &place->begin, &place->end);
        return added;
    }
    return NULL;
}
