#include "data_facts.h"

#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int compare_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : ""); }

static int compare_prompts(const hone_row *a, const hone_row *b) {
    return compare_text(a->prompt, b->prompt);
}

static int compare_texts(const hone_row *a, const hone_row *b) {
    const int prompt = compare_prompts(a, b);
    const int draft = prompt != 0 ? prompt : compare_text(a->draft, b->draft);
    const int chosen = draft != 0 ? draft : compare_text(a->chosen, b->chosen);
    return chosen != 0 ? chosen : compare_text(a->rejected, b->rejected);
}

/** Equal rows stay in the order of the file. */
static int compare_rows(const void *a, const void *b) {
    const hone_row *x = *(const hone_row *const *)a, *y = *(const hone_row *const *)b;
    const int texts = compare_texts(x, y);
    return texts != 0 ? texts : (x->line > y->line) - (x->line < y->line);
}

static int compare_lengths(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void find(data_finding *finding, bool found, int64_t line) {
    if (!found)
        return;
    finding->line = finding->count == 0 || line < finding->line ? line : finding->line;
    finding->count++;
}

static int sort_rows(const hone_dataset *data, data_facts *facts) {
    facts->order = calloc((size_t)facts->rows + 1, sizeof(const hone_row *));
    if (!facts->order)
        return cli_error("out of memory");
    for (int64_t i = 0; i < facts->rows; i++)
        facts->order[i] = hone_dataset_row(data, i);
    qsort(facts->order, (size_t)facts->rows, sizeof *facts->order, compare_rows);
    return 0;
}

/** Whether the i-th prompt of the order was not there before. */
static bool is_new(const data_facts *facts, int64_t i) {
    return i == 0 || compare_prompts(facts->order[i - 1], facts->order[i]) != 0;
}

static void count_repeats(data_facts *facts) {
    for (int64_t i = 0; i < facts->rows; i++) {
        facts->prompts += is_new(facts, i);
        find(&facts->duplicates, i > 0 && compare_texts(facts->order[i - 1], facts->order[i]) == 0,
             facts->order[i]->line);
    }
}

/** Marks the prompts, by their place in the order, that the other file has as well; returns how many. */
static int64_t mark_shared(const data_facts *facts, const data_facts *other, bool *marked) {
    int64_t shared = 0;
    for (int64_t i = 0, j = 0; i < facts->rows && j < other->rows;) {
        const int order = compare_prompts(facts->order[i], other->order[j]);
        if (order == 0 && is_new(facts, i)) {
            marked[i] = true;
            shared++;
        }
        i += order <= 0;
        j += order > 0;
    }
    return shared;
}

int data_facts_leaks(const data_facts *facts, const data_facts *const *other, int others, int64_t *shared,
                     int64_t *any) {
    bool *marked = calloc((size_t)facts->rows + 1, sizeof *marked);
    *any = 0;
    if (!marked)
        return cli_error("out of memory");
    for (int k = 0; k < others; k++)
        shared[k] = mark_shared(facts, other[k], marked);
    for (int64_t i = 0; i < facts->rows; i++)
        *any += marked[i];
    free(marked);
    return 0;
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

/** Sorts the lengths. */
static void summarise(int64_t *length, int64_t count, data_lengths *out) {
    out->rows = count;
    if (count == 0)
        return;
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

/** Which side wins, and by how much it is longer. */
static void judge_row(const hone_row *row, int64_t chosen, int64_t rejected, data_facts *facts) {
    find(&facts->equal, compare_text(row->chosen, row->rejected) == 0, row->line);
    facts->unsure += row->preference > 0.0 && row->preference < 1.0;
    if (chosen == rejected || row->preference == 0.5)
        return;
    facts->decided++;
    facts->longer += (chosen > rejected) == (row->preference > 0.5);
}

static int measure_row(const hone_row *row, const hone_tokenizer *tokenizer,
                       int64_t *const length[DATA_PARTS], data_facts *facts) {
    const char *const text[DATA_PARTS] = {row->prompt, row->draft, row->chosen, row->rejected};
    int64_t own[DATA_PARTS] = {0};

    for (int p = 0; p < DATA_PARTS; p++) {
        if (!text[p])
            continue;
        own[p] = length_of(text[p], tokenizer);
        if (own[p] < 0)
            return 1;
        length[p][facts->length[p].rows++] = own[p];
    }
    find(&facts->empty, (row->chosen && !row->chosen[0]) || (row->rejected && !row->rejected[0]), row->line);
    if (row->rejected)
        judge_row(row, own[DATA_CHOSEN], own[DATA_REJECTED], facts);
    return 0;
}

int data_facts_count(const hone_dataset *data, const hone_tokenizer *tokenizer, data_facts *facts) {
    const int64_t rows = hone_dataset_count(data);
    int64_t *length[DATA_PARTS] = {NULL};
    int code = 0;

    *facts = (data_facts){.rows = rows};
    for (int p = 0; code == 0 && p < DATA_PARTS; p++)
        if (!(length[p] = calloc((size_t)rows + 1, sizeof *length[p])))
            code = cli_error("out of memory");
    for (int64_t i = 0; code == 0 && i < rows; i++)
        code = measure_row(hone_dataset_row(data, i), tokenizer, length, facts);
    for (int p = 0; code == 0 && p < DATA_PARTS; p++)
        summarise(length[p], facts->length[p].rows, &facts->length[p]);
    for (int p = 0; p < DATA_PARTS; p++)
        free(length[p]);
    data_interval(facts->longer, facts->decided, &facts->longer_low, &facts->longer_high);
    if (code == 0)
        code = sort_rows(data, facts);
    if (code == 0)
        count_repeats(facts);
    return code;
}

void data_facts_clear(data_facts *facts) {
    free(facts->order);
    facts->order = NULL;
}
