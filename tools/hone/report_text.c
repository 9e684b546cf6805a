#include "report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void put(FILE *to, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];
        const char *name = c == '&'    ? "&amp;"
                           : c == '<'  ? "&lt;"
                           : c == '>'  ? "&gt;"
                           : c == '"'  ? "&quot;"
                           : c == '\'' ? "&#39;"
                                       : NULL;
        if (name)
            (void)fputs(name, to);
        else if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
            (void)fputs("\xef\xbf\xbd", to);
        else
            (void)fputc(c, to);
    }
}

void report_text(FILE *to, const char *text) { put(to, text, strlen(text)); }

enum { MOST_WORDS = 600 };
/* gap: the white space before it. */
typedef struct word {
    const char *at;
    size_t gap, length;
    bool kept;
} word;

static const char space[] = " \t\n";

static int split(const char *text, word *words) {
    int n = 0;
    while (*text && n < MOST_WORDS) {
        const size_t gap = strspn(text, space), length = strcspn(text + gap, space);
        if (length > 0) {
            words[n] = (word){text + gap, n > 0 ? gap : 0, length, false};
            n++;
        }
        text += gap + length;
    }
    return text[strspn(text, space)] ? -1 : n;
}

static bool same(const word *a, const word *b) {
    return a->length == b->length && memcmp(a->at, b->at, a->length) == 0;
}

/* Marks the longest common subsequence as kept: table[i][j] is its length for the words from i and j on. */
static void align(word *a, int na, word *b, int nb, unsigned short *table) {
    const int width = nb + 1;
    memset(table, 0, (size_t)(na + 1) * (size_t)width * sizeof *table);
    for (int i = na - 1; i >= 0; i--)
        for (int j = nb - 1; j >= 0; j--) {
            const unsigned short down = table[(i + 1) * width + j], right = table[i * width + j + 1];
            table[i * width + j] = same(&a[i], &b[j]) ? (unsigned short)(table[(i + 1) * width + j + 1] + 1)
                                   : down > right     ? down
                                                      : right;
        }
    for (int i = 0, j = 0; i < na && j < nb;) {
        if (same(&a[i], &b[j]))
            a[i++].kept = b[j++].kept = true;
        else if (table[(i + 1) * width + j] >= table[i * width + j + 1])
            i++;
        else
            j++;
    }
}

/* The words with the space between them; *open: something stands before, so that the first keeps its distance too. */
static void put_words(FILE *to, const char *tag, const word *words, int from, int until, bool *open) {
    if (from == until)
        return;
    if (*open)
        put(to, words[from].gap ? words[from].at - words[from].gap : " ",
            words[from].gap ? words[from].gap : 1);
    (void)fprintf(to, "<%s>", tag);
    put(to, words[from].at, (size_t)(words[until - 1].at + words[until - 1].length - words[from].at));
    (void)fprintf(to, "</%s>", tag);
    *open = true;
}

static void put_changes(FILE *to, const word *a, int na, const word *b, int nb) {
    int i = 0, j = 0;
    bool open = false;
    while (i < na || j < nb) {
        const int gone = i, came = j;
        while (i < na && !a[i].kept)
            i++;
        while (j < nb && !b[j].kept)
            j++;
        put_words(to, "del", a, gone, i, &open);
        put_words(to, "ins", b, came, j, &open);
        const int kept = j;
        for (; i < na && j < nb && a[i].kept && b[j].kept; i++)
            j++;
        put_words(to, "span", b, kept, j, &open);
    }
}

static void put_trimmed(FILE *to, const char *text) {
    text += strspn(text, space);
    size_t length = strlen(text);
    while (length > 0 && strchr(space, text[length - 1]))
        length--;
    put(to, text, length);
}

void report_revision(FILE *to, const char *before, const char *after) {
    word *words = calloc((size_t)2 * MOST_WORDS, sizeof *words);
    unsigned short *table = calloc((size_t)(MOST_WORDS + 1) * (MOST_WORDS + 1), sizeof *table);
    const int na = words && before ? split(before, words) : -1,
              nb = words ? split(after, words + MOST_WORDS) : -1;
    if (!table || na < 0 || nb < 0)
        put_trimmed(to, after);
    else {
        align(words, na, words + MOST_WORDS, nb, table);
        put_changes(to, words, na, words + MOST_WORDS, nb);
    }
    free(words);
    free(table);
}
