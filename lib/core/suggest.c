#include <hone/suggest.h>
#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Three rows of the table: this one, the one before, and the one before that, which swaps look at. */
size_t hone_name_distance(const char *a, const char *b) {
    const size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
    size_t row[3][LONGEST + 1];

    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *swapped = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], swapped[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

const char *hone_suggest(const char *name, const char *const *known, size_t count) {
    const size_t length = strnlen(name, LONGEST);
    size_t most = length / 3 > 2 ? length / 3 : 2;
    const char *best = NULL;

    for (size_t i = 0; i < count; i++) {
        const size_t distance = hone_name_distance(name, known[i]);
        /* As many changes as letters is another word. */
        if (distance > most || distance >= length || (best != NULL && distance == most))
            continue;
        best = known[i];
        most = distance;
    }
    return best;
}
