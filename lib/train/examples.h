/** The rows of a data set as token sequences: what a method reads of each, ready to be packed. */
#ifndef HN_TRAIN_EXAMPLES_H
#define HN_TRAIN_EXAMPLES_H

#include <core/hash.h>
#include <hone/loss.h>
#include <hone/pack.h>
#include <hone/template.h>
#include <hone/tokenizer.h>
#include <hone/train.h>
#include <train/mixture.h>

/** x; x and w; x and l; w and l with their end of sequence: what the sequences of a row are made of. */
enum { HN_EXAMPLE_PARTS = 5 };

typedef struct hn_example {
    int64_t tokens[2];             /**< completion tokens of w and l, end of sequence included */
    int64_t packed, naive, padded; /**< tokens of this pair alone, by layout */
    int64_t edges;                 /**< scored tokens, of all its sequences */
    double preference;
    int64_t line;  /**< in its file, from 1 */
    int64_t place; /**< of its ids among all */
    int32_t length[HN_EXAMPLE_PARTS];
    int32_t file; /**< of `rows` */
} hn_example;

typedef struct hn_store hn_store;

typedef struct hn_examples {
    const hn_example *item; /**< [count] */
    const int32_t *ids;     /**< item's parts, one behind the other, from its place */
    int64_t count;
    uint32_t mask;                  /**< conditionals that the method reads */
    int64_t cut, dropped;           /**< rows whose prompt lost its start, rows left out */
    int64_t useless;                /**< rows left out that nothing can be learnt from */
    int64_t rows[HN_MIXTURE_FILES]; /**< examples of each file, one file after the other */
    char digest[33];                /**< of all token sequences */
    hn_store *store;                /**< what items and ids lie in */
} hn_examples;

/** Where examples come from. `max_length` bounds context + completion: longer prompts lose their start (counted); a row whose
 *  completions alone are longer is dropped (counted). */
typedef struct hn_example_source {
    const hn_mixture *mixture;
    const hn_part *part; /**< NULL: all rows */
    const hone_template *form;
    const hone_tokenizer *tokenizer;
    const hone_loss_options *loss;
    int64_t max_length;
    bool lenient;                        /**< what nothing can be learnt from is counted, not refused */
    const char *folder;                  /**< of the file that the tokens are kept in; NULL: memory */
    const hone_train_observer *observer; /**< NULL: silent */
} hn_example_source;

/** Tokenises every row, file by file, no more than a row's text in memory at once. With a folder, the tokens are in
 *  FOLDER/tokens-KEY.hone, where the key covers the files' content and everything that ids depend on: a file that is there is
 *  verified and used as it is. */
HONE_MUST_USE hone_status hn_examples_create(const hn_example_source *source, hn_examples *examples);
/** No example yet, in memory. */
HONE_MUST_USE hone_status hn_examples_begin(uint32_t mask, hn_examples *examples);
/** What an example is made of; borrowed. */
typedef struct hn_example_texts {
    const hone_ids *part[HN_EXAMPLE_PARTS];
    double preference;
    int64_t line;
    int file;
} hn_example_texts;
/** Appends one, its costs measured, and puts its sequences into `hasher` (NULL: not). */
HONE_MUST_USE hone_status hn_examples_add(hn_examples *examples, const hn_example_texts *texts,
                                          hn_hasher *hasher);
/** NULL-safe, zero-safe. */
void hn_examples_clear(hn_examples *examples);
/** After a pass over all of them: what is mapped need not stay in memory. */
void hn_examples_forget(const hn_examples *examples);

/** Appends the sequences of example i in the order of the conditionals; returns how many. */
int64_t hn_example_sequences(const hn_examples *examples, int64_t i, hone_sequence *sequence);
/** The tokens that it adds to a pack of this layout, at most. */
int64_t hn_example_cost(const hn_example *example, hone_pack_layout layout);
/** Whether an item's numbers can be those of its lengths. */
bool hn_example_agrees(const hn_example *example, uint32_t mask);

#endif
