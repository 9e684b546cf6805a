/* chrF (Popovic 2015), as sacrebleu computes it for one sentence. */
#include "eval/judge.h"

#include <core/memory.h>
#include <core/status.h>
#include <stdlib.h>
#include <string.h>
#include <text/unicode.h>

enum { ORDER = 6, BITS = 21 }; /* a code point has 21 bits: three to a word */
static const double beta_squared = 4.0;

/** An n-gram as a number. */
typedef struct gram {
    uint64_t high, low;
} gram;

typedef struct characters {
    uint32_t *code;
    size_t count;
} characters;

/** White space as Python's str.split has it. */
static bool is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

static hone_status read_characters(const char *text, characters *out) {
    const unsigned char *bytes = (const unsigned char *)text;
    const size_t length = strlen(text);
    size_t step = 0;

    HN_TRY(hn_alloc(&out->code, length, sizeof *out->code, "characters"));
    for (size_t at = 0; at < length; at += step) {
        uint32_t code = 0xFFFD;
        step = hn_utf8_next(bytes + at, length - at, &code);
        if (step == 0) { /* a byte that is no character stands for itself, beyond Unicode */
            code = 0x110000u + bytes[at];
            step = 1;
        }
        if (!is_space(code))
            out->code[out->count++] = code;
    }
    return HONE_OK;
}

static int compare(const void *left, const void *right) {
    const gram *a = left, *b = right;
    if (a->high != b->high)
        return a->high < b->high ? -1 : 1;
    return a->low == b->low ? 0 : a->low < b->low ? -1 : 1;
}

/** The n-grams in order; returns how many. */
static size_t fill(const characters *text, size_t n, gram *out) {
    const size_t count = text->count >= n ? text->count - n + 1 : 0;
    for (size_t i = 0; i < count; i++) {
        out[i] = (gram){0, 0};
        for (size_t k = 0; k < n; k++) {
            uint64_t *word = k < 3 ? &out[i].low : &out[i].high;
            *word = *word << BITS | text->code[i + k];
        }
    }
    if (count > 0)
        qsort(out, count, sizeof *out, compare);
    return count;
}

/** The size of the intersection of two sorted lists, repetitions counted. */
static size_t matches(const gram *a, size_t a_count, const gram *b, size_t b_count) {
    size_t found = 0;
    for (size_t i = 0, j = 0; i < a_count && j < b_count;) {
        const int order = compare(&a[i], &b[j]);
        found += order == 0;
        i += order <= 0;
        j += order >= 0;
    }
    return found;
}

/** F over the averages of precision and recall, of the orders that both texts have. */
static double f_score(const characters *text, const characters *reference, gram *a, gram *b) {
    double precision = 0.0, recall = 0.0;
    int orders = 0;

    for (size_t n = 1; n <= ORDER; n++) {
        const size_t a_count = fill(text, n, a), b_count = fill(reference, n, b);
        if (a_count == 0 || b_count == 0)
            continue;
        const double both = (double)matches(a, a_count, b, b_count);
        precision += both / (double)a_count;
        recall += both / (double)b_count;
        orders++;
    }
    if (orders == 0 || precision + recall == 0.0)
        return 0.0;
    precision /= orders;
    recall /= orders;
    return 100.0 * (1.0 + beta_squared) * precision * recall / (beta_squared * precision + recall);
}

hone_status hn_chrf(const char *text, const char *reference, double *score) {
    characters a = {0}, b = {0};
    gram *grams = NULL;
    hone_status status = HONE_OK;

    *score = 0.0;
    HN_GO(read_characters(text, &a));
    HN_GO(read_characters(reference, &b));
    HN_GO(hn_alloc(&grams, a.count + b.count, sizeof *grams, "n-grams"));
    *score = f_score(&a, &b, grams, grams + a.count);
done:
    hn_free(grams);
    hn_free(a.code);
    hn_free(b.code);
    return status;
}

static hone_status judge_score(void *state, const hone_case *about, const char *text, double *out) {
    (void)state;
    if (about->reference == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "judge \"chrf\" needs a reference answer, and the row has none");
    HN_TRY(hn_chrf(text, about->reference, out));
    *out /= 100.0;
    return HONE_OK;
}

const hn_judge_kind hn_judge_chrf = {.name = "chrf", .score = judge_score};
