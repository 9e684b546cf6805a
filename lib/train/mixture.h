/** Where training rows come from: files with weights, and which of their rows are held out. */
#ifndef HN_TRAIN_MIXTURE_H
#define HN_TRAIN_MIXTURE_H

#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HN_MIXTURE_FILES = 64 };

typedef struct hn_source {
    char *path;
    double
        weight; /**< an epoch takes weight x rows of the file: whole copies, and a part without repetition */
} hn_source;

typedef struct hn_mixture {
    hn_source file[HN_MIXTURE_FILES];
    size_t files;
} hn_mixture;

/** "FILE[:WEIGHT],FILE[:WEIGHT],..": the text itself, when there is a file of that name; so may be each part. HONE_ERROR_ARGUMENT
 *  for a weight that is not in (0, 1000]. Zero-initialise; clear after failure too. */
HONE_MUST_USE hone_status hn_mixture_parse(const char *text, hn_mixture *mixture);
void hn_mixture_clear(hn_mixture *mixture);

/** Which part of the rows: those held out with probability `fraction`, by a hash of (seed, prompt), or the others. Rows of one
 *  prompt are on the same side, in whichever file, and stay there when others come or go. fraction 0: all, nothing held out. */
typedef struct hn_part {
    double fraction;
    uint64_t seed;
    bool held_out;
} hn_part;
bool hn_part_has(const hn_part *part, const char *prompt);

/** rows[file] examples of each file lie one file after the other, from 0. Examples of an epoch: sum of round(weight x rows). */
int64_t hn_mixture_epoch(const hn_mixture *mixture, const int64_t *rows);
/** Writes order[hn_mixture_epoch]: a pure function of (seed, epoch). `scratch` has room for an epoch and for the longest
 *  file. One file of weight 1 is a plain
 *  shuffle of its rows. */
void hn_mixture_order(const hn_mixture *mixture, const int64_t *rows, uint64_t seed, int64_t epoch,
                      int64_t *scratch, int64_t *order);

#endif
