#include "eval/judge.h"

#include <string.h>

static const double weight_length = 0.4, weight_article = 0.2, weight_stop = 0.2, weight_name = 0.2;
enum { LONGEST = 80 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/** A letter, a digit, or a byte of a character beyond ASCII: what continues a word. */
static bool in_word(char c) {
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

/** Begins with the word, in any case, and the word ends there. */
static bool begins(const char *text, size_t length, const char *word, size_t count) {
    if (count == 0 || count > length)
        return false;
    for (size_t i = 0; i < count; i++)
        if (lower(text[i]) != lower(word[i]))
            return false;
    return count == length || !in_word(text[count]);
}

static bool begins_with_article(const char *text, size_t length) {
    return begins(text, length, "a", 1) || begins(text, length, "an", 2) || begins(text, length, "the", 3);
}

/** One line, and not too many characters (UTF-8: bytes that begin one). */
static bool is_short_line(const char *text, size_t length) {
    int characters = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            return false;
        characters += ((unsigned char)text[i] & 0xC0) != 0x80;
    }
    return characters <= LONGEST;
}

static hone_status score(void *state, const hone_case *about, const char *text, double *out) {
    size_t length = 0, name_length = 0;
    const char *line = hn_trim(text, &length);
    double all = weight_length + weight_article + weight_stop, kept = 0.0;

    (void)state;
    *out = 0.0;
    if (length == 0)
        return HONE_OK;
    kept += is_short_line(line, length) ? weight_length : 0.0;
    kept += begins_with_article(line, length) ? 0.0 : weight_article;
    kept += line[length - 1] == '.' ? 0.0 : weight_stop;
    if (about->package != NULL) {
        const char *name = hn_trim(about->package, &name_length);
        all += weight_name;
        kept += begins(line, length, name, name_length) ? 0.0 : weight_name;
    }
    *out = kept / all;
    return HONE_OK;
}

const hn_judge_kind hn_judge_rules = {.name = "rules", .score = score};
