/** The rows of a data set as token sequences: what a method reads of each, ready to be packed. */
#ifndef HN_TRAIN_EXAMPLES_H
#define HN_TRAIN_EXAMPLES_H

#include <hone/data.h>
#include <hone/loss.h>
#include <hone/pack.h>
#include <hone/template.h>
#include <hone/tokenizer.h>
#include <train/mixture.h>

typedef struct hn_example {
    hone_sequence sequence[HONE_CONDITIONAL_COUNT]; /**< those of the mask; borrowed from `storage` */
    int64_t tokens[2];             /**< completion tokens of w and l, end of sequence included */
    int64_t packed, naive, padded; /**< tokens of this pair alone, by layout */
    double preference;
    int64_t line; /**< in its file, from 1 */
    int file;     /**< of `rows` */
    void *storage;
} hn_example;

typedef struct hn_examples {
    hn_example *item;
    int64_t count;
    size_t capacity;
    uint32_t mask;                  /**< conditionals that the method reads */
    int64_t cut, dropped;           /**< rows whose prompt lost its start, rows left out */
    int64_t rows[HN_MIXTURE_FILES]; /**< examples of each file, one file after the other */
    char digest[33];                /**< of all token sequences */
} hn_examples;

/** Tokenises every row that `part` (NULL: all) has, file by file. `max_length` bounds context + completion: longer prompts lose their start (counted);
 * a row whose completions alone are longer is dropped (counted). Both NULL-safe to clear. */
HONE_MUST_USE hone_status hn_examples_create(const hn_mixture *mixture, const hn_part *part,
                                             const hone_template *form, const hone_tokenizer *tokenizer,
                                             const hone_loss_options *loss, int64_t max_length,
                                             hn_examples *examples);
void hn_examples_clear(hn_examples *examples);

/** Appends an example's sequences in the order of the conditionals; returns how many. */
int64_t hn_example_sequences(const hn_example *example, uint32_t mask, hone_sequence *sequence);
/** The tokens that it adds to a pack of this layout, at most. */
int64_t hn_example_cost(const hn_example *example, hone_pack_layout layout);

#endif
