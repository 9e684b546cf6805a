#include "data_facts.h"

#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : ""); }

static int compare_prompts(const void *a, const void *b) {
    return compare_text((*(const hone_row *const *)a)->prompt, (*(const hone_row *const *)b)->prompt);
}

static int compare_rows(const void *a, const void *b) {
    const hone_row *x = *(const hone_row *const *)a, *y = *(const hone_row *const *)b;
    const int prompt = compare_text(x->prompt, y->prompt);
    const int chosen = prompt != 0 ? prompt : compare_text(x->chosen, y->chosen);
    return chosen != 0 ? chosen : compare_text(x->rejected, y->rejected);
}

static int compare_lengths(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The rows in order; free it. NULL: out of memory, said. */
static const hone_row **sorted(const hone_dataset *data) {
    const size_t count = (size_t)hone_dataset_count(data);
    const hone_row **rows = calloc(count + 1, sizeof(const hone_row *));
    if (!rows) {
        (void)cli_error("out of memory");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = hone_dataset_row(data, (int64_t)i);
    qsort(rows, count, sizeof *rows, compare_rows);
    return rows;
}

static int count_repeats(const hone_dataset *data, data_facts *facts) {
    const hone_row **rows = sorted(data);
    if (!rows)
        return 1;
    for (int64_t i = 0; i < facts->rows; i++) {
        facts->prompts += i == 0 || compare_prompts(&rows[i - 1], &rows[i]) != 0;
        facts->duplicates += i > 0 && compare_rows(&rows[i - 1], &rows[i]) == 0;
    }
    free(rows);
    return 0;
}

int64_t data_facts_shared(const hone_dataset *a, const hone_dataset *b) {
    const int64_t na = hone_dataset_count(a), nb = hone_dataset_count(b);
    const hone_row **x = sorted(a), **y = sorted(b);
    int64_t i = 0, j = 0, shared = x && y ? 0 : -1;
    while (shared >= 0 && i < na && j < nb) {
        const int order = compare_prompts(&x[i], &y[j]);
        const hone_row *at = order <= 0 ? x[i] : y[j];
        shared += order == 0;
        while (i < na && compare_prompts(&x[i], &at) == 0)
            i++;
        while (j < nb && compare_prompts(&y[j], &at) == 0)
            j++;
    }
    free(x);
    free(y);
    return shared;
}

void data_interval(int64_t k, int64_t n, double *low, double *high) {
    const double z = 1.959963984540054, size = (double)n, share = n > 0 ? (double)k / size : 0.0;
    *low = *high = 0.0;
    if (n <= 0)
        return;
    const double scale = 1.0 / (1.0 + z * z / size), middle = scale * (share + z * z / (2.0 * size));
    const double half = scale * z * sqrt(share * (1.0 - share) / size + z * z / (4.0 * size * size));
    *low = k == 0 ? 0.0 : middle - half;
    *high = k == n ? 1.0 : middle + half;
}

static int64_t characters(const char *text) {
    int64_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0u) != 0x80u;
    return count;
}

/* -1 after printing why. */
static int64_t length_of(const char *text, const hone_tokenizer *tokenizer) {
    hone_ids ids = {0};
    int64_t length = -1;
    if (!tokenizer)
        return characters(text);
    const hone_status status = hone_tokenizer_encode(tokenizer, text, strlen(text), false, &ids);
    if (status == HONE_OK)
        length = ids.count;
    else
        (void)cli_fail(status);
    hone_ids_clear(&ids);
    return length;
}

int64_t data_fine_begin(int bin) { return bin < 8 ? bin : (int64_t)(4 + bin % 4) << (bin / 4 - 1); }

/* The last fine bin that begins at or below the length. */
static int fine_bin(int64_t length) {
    int shift = 0;
    if (length < 8)
        return (int)length;
    while (length >> shift >= 8)
        shift++;
    const int bin = 4 * shift + (int)(length >> shift);
    return bin < DATA_FINE ? bin : DATA_FINE - 1;
}

static void summarise(int64_t *length, int64_t count, data_lengths *out) {
    qsort(length, (size_t)count, sizeof *length, compare_lengths);
    out->least = length[0];
    out->median = length[(count - 1) / 2];
    out->ninety = length[(count - 1) * 9 / 10];
    out->most = length[count - 1];
    for (int64_t i = 0; i < count; i++) {
        int bin = 0;
        for (int64_t n = length[i]; n > 0 && bin < DATA_BINS - 1; n >>= 1)
            bin++;
        out->bin[bin]++;
        out->fine[fine_bin(length[i])]++;
        out->total += length[i];
    }
}

static void judge_row(const hone_row *row, int64_t chosen, int64_t rejected, data_facts *facts) {
    facts->equal += compare_text(row->chosen, row->rejected) == 0;
    facts->empty += !row->chosen[0] || !row->rejected[0];
    facts->unsure += row->preference > 0.0 && row->preference < 1.0;
    if (chosen == rejected || row->preference == 0.5)
        return;
    facts->decided++;
    facts->longer += (chosen > rejected) == (row->preference > 0.5);
}

int data_facts_count(const hone_dataset *data, bool pairs, const hone_tokenizer *tokenizer,
                     data_facts *facts) {
    const int64_t rows = hone_dataset_count(data);
    const int parts = pairs ? DATA_PARTS : DATA_REJECTED;
    int64_t *length[DATA_PARTS] = {NULL, NULL, NULL};
    int code = 1;

    *facts = (data_facts){.rows = rows};
    for (int p = 0; p < parts; p++)
        if (!(length[p] = calloc((size_t)rows, sizeof *length[p]))) {
            (void)cli_error("out of memory");
            goto done;
        }
    for (int64_t i = 0; i < rows; i++) {
        const hone_row *row = hone_dataset_row(data, i);
        const char *const text[DATA_PARTS] = {row->prompt, row->chosen, row->rejected};
        for (int p = 0; p < parts; p++)
            if ((length[p][i] = length_of(text[p], tokenizer)) < 0)
                goto done;
        if (pairs)
            judge_row(row, length[DATA_CHOSEN][i], length[DATA_REJECTED][i], facts);
        else
            facts->empty += !row->chosen[0];
    }
    for (int p = 0; p < parts; p++)
        summarise(length[p], rows, &facts->length[p]);
    data_interval(facts->longer, facts->decided, &facts->longer_low, &facts->longer_high);
    code = count_repeats(data, facts);
done:
    for (int p = 0; p < DATA_PARTS; p++)
        free(length[p]);
    return code;
}
