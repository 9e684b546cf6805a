/** Where examples are kept while they are made: in memory, or in a file that is mapped afterwards. */
#ifndef HN_TRAIN_STORE_H
#define HN_TRAIN_STORE_H

#include <core/file.h>
#include <core/hash.h>
#include <hone/tokenizer.h>
#include <train/examples.h>

/** Zero-initialise. */
struct hn_store {
    hn_example *item; /**< being made, and kept where they stay in memory */
    int32_t *ids;     /**< NULL where they go to a file */
    int64_t count, id_count;
    size_t item_capacity, id_capacity;
    hn_writer *writer; /**< NULL: memory */
    hn_hasher *hasher; /**< of the file's content */
    hn_map map;        /**< of a finished file: nothing of the above then */
};

/** Appends an example whose parts have item->length[p] ids; item->place is filled in. */
HONE_MUST_USE hone_status hn_store_add(hn_store *store, hn_example *item, const hone_ids *const *part);
/** Lets `examples` read what was added, where it is in memory. */
void hn_store_expose(const hn_store *store, hn_examples *examples);
void hn_store_destroy(hn_store *store);

/**
 * The file: "HONETOK1", ids, items, counts and XXH3 of all of it. `hn_store_begin` creates it, `hn_store_finish` completes it
 * with the counts of `examples`, puts it at its place and maps it; `hn_store_load` maps one that was made before. All of it is
 * read once and verified, every id below `vocabulary`; HONE_ERROR_FORMAT says what is wrong.
 */
HONE_MUST_USE hone_status hn_store_begin(hn_store *store, const char *path);
HONE_MUST_USE hone_status hn_store_finish(hn_store *store, const char *path, int64_t vocabulary,
                                          hn_examples *examples);
HONE_MUST_USE hone_status hn_store_load(hn_store *store, const char *path, int64_t vocabulary,
                                        hn_examples *examples);

#endif
