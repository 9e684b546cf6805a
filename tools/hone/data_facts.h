/** What a data set holds, counted: the numbers behind `hone data check`. */
#ifndef HONE_DATA_FACTS_H
#define HONE_DATA_FACTS_H

#include <hone/data.h>
#include <hone/tokenizer.h>
#include <stdbool.h>

enum { DATA_BINS = 32, DATA_FINE = 128 };
/** Bin 0 counts length 0, bin b lengths of 2^(b-1) to 2^b - 1. Fine bins, for the eye: four to each of these (single lengths below 8). */
typedef struct data_lengths {
    int64_t rows;                               /**< that have this part; with 0 the rest is 0 as well */
    int64_t least, median, ninety, most, total; /**< ninety: nine tenths of the rows are not longer */
    int64_t bin[DATA_BINS], fine[DATA_FINE];
} data_lengths;

typedef enum data_part { DATA_PROMPT_PART = 0, DATA_DRAFT, DATA_CHOSEN, DATA_REJECTED, DATA_PARTS } data_part;

/** So many rows, the first of them in this line of the file. */
typedef struct data_finding {
    int64_t count, line;
} data_finding;

typedef struct data_facts {
    int64_t rows;
    int64_t prompts;         /**< different ones */
    data_finding duplicates; /**< rows that an earlier row of the file equals, in all texts */
    data_finding equal;      /**< chosen = rejected: nothing to learn */
    data_finding empty;      /**< an answer without text */
    int64_t unsure;          /**< preference strictly between 0 and 1 */
    data_lengths length[DATA_PARTS];
    /** Of the rows that prefer one side and differ in length: the longer side is preferred in `longer`. Wilson's 95 %
     *  interval of longer / decided; all 0 when decided is 0. */
    int64_t decided, longer;
    double longer_low, longer_high;
    const hone_row **order; /**< [rows], by their texts */
} data_facts;

/** The shortest length of a fine bin. */
int64_t data_fine_begin(int bin);
/** Lengths in tokens, or in characters where `tokenizer` is NULL. Prints and returns 1 on failure. The data set must outlive the
 *  facts. */
int data_facts_count(const hone_dataset *data, const hone_tokenizer *tokenizer, data_facts *facts);
/** Zero-safe. */
void data_facts_clear(data_facts *facts);
/** How many different prompts of `facts` each of the other files has as well, shared[others], and any of them has, *any. */
int data_facts_leaks(const data_facts *facts, const data_facts *const *other, int others, int64_t *shared,
                     int64_t *any);
/** Wilson's interval of k of n at 95 %. */
void data_interval(int64_t k, int64_t n, double *low, double *high);

#endif
