/**
 * Data sets: rows of JSONL, plain, .gz or .zst.
 *
 * A row has `prompt`, `chosen` and `rejected` (strings, or lists of {"role","content"} of which the last is the
 * answer), optionally `preference` = p(chosen > rejected) in [0,1]. Without `prompt`, it is the common beginning of
 * two message lists, or of two strings (a space at its end belongs to the answers: TRL's rule). For SFT a row has
 * `completion` (or `chosen`), and may have a `draft`: the completion is then a revision of it, in the template's words.
 *
 * Training refuses a row with an empty completion, or with `chosen` equal to `rejected`: both are mistakes of what made the
 * file, and to leave them out in silence would hide them. `hone data check` lists all of them.
 */
#ifndef HONE_DATA_H
#define HONE_DATA_H

#include <hone/export.h>
#include <hone/status.h>
#include <stdint.h>

HONE_BEGIN

typedef enum hone_data_kind {
    HONE_DATA_PREFERENCE = 0, /**< prompt, chosen, rejected */
    HONE_DATA_COMPLETION,     /**< prompt, and one completion in `chosen` */
    HONE_DATA_PROMPT          /**< prompt alone */
} hone_data_kind;

/** Borrowed from the data set, UTF-8, zero-terminated; NULL where the kind has none. */
typedef struct hone_row {
    const char *prompt, *chosen, *rejected;
    const char *draft; /**< HONE_DATA_COMPLETION: what `chosen` revises; NULL: it answers the prompt */
    double preference; /**< 1 when the row does not say */
    int64_t line;      /**< in the file, from 1 */
} hone_row;

/** What the file holds, by the names in its first row: "chosen" or "rejected" stand in a preference, "completion" in a
 *  completion; anything else has a prompt alone. */
HONE_API HONE_MUST_USE hone_status hone_data_kind_guess(const char *path, hone_data_kind *kind);

typedef struct hone_dataset hone_dataset;

/** Reads the whole file; errors carry FILE:LINE. A file without rows is an error. */
HONE_API HONE_MUST_USE hone_status hone_dataset_open(const char *path, hone_data_kind kind,
                                                     hone_dataset **data);
HONE_API void hone_dataset_destroy(hone_dataset *data);
/** As it was opened. Borrowed. */
HONE_API const char *hone_dataset_path(const hone_dataset *data);
HONE_API int64_t hone_dataset_count(const hone_dataset *data);
/** 0 <= i < count. */
HONE_API const hone_row *hone_dataset_row(const hone_dataset *data, int64_t i);

HONE_END

#endif
