/** A file as `hone data check` sees it: what it holds, how it packs, how long an epoch of it takes. */
#ifndef HONE_DATA_FILE_H
#define HONE_DATA_FILE_H

#include "data_facts.h"
#include "machine.h"

#include <hone/inspect.h>
#include <hone/loss.h>

typedef struct data_file {
    char *path;
    hone_data_kind kind;
    hone_dataset *data;
    data_facts facts;
    int64_t *shared; /**< [index of this file]: different prompts that each earlier file has as well */
    int64_t leaked;  /**< different prompts that any of them has */
    hone_loss_options loss;
    bool packed; /**< `packing` is known */
    hone_packing packing;
    double epoch_seconds;     /**< 0: not known */
    double tokens_per_second; /**< packed, of a training step that was timed; 0: none was */
    char *untimed;            /**< why none was; NULL: nobody asked */
} data_file;

/** How the file's rows are trained on, for `data_file_time`. */
typedef struct data_training {
    const char *model;
    machine machine; /**< after machine_read */
    bool full;
} data_training;

/** Times training steps of rows as long as the file's are on average. What goes wrong is kept in `untimed`. */
void data_file_time(data_file *file, const data_training *how);

/** What is printed of all files. */
typedef struct data_report {
    const data_file *file;
    int files;
    bool tokens; /**< lengths are in tokens, not in characters */
    bool full;
    long long pack_tokens;
    double rate; /**< pairs a second, as given; 0: not given */
} data_report;

/** Both return the exit code. */
int data_report_text(const data_report *report);
int data_report_json(const data_report *report);

#endif
