/** A tiny model, its tokenizer and a few rows in a temporary folder; runs of training on them. */
#ifndef HONE_TESTS_TINY_H
#define HONE_TESTS_TINY_H

#include <hone/train.h>
#include <stdbool.h>
#include <stdint.h>

/** cmocka fixtures: ROOT/model, ROOT/other (another seed), ROOT/pairs.jsonl, ROOT/more.jsonl, ROOT/texts.jsonl. */
int tiny_set_up(void **state);
int tiny_tear_down(void **state);
const char *tiny_root(void);
/** ROOT/name, new string (hn_free). */
char *tiny_place(const char *name);

/** What a run is; `extra` is NULL-ended pairs of option and value (value NULL: a flag), or NULL. */
typedef struct tiny_run {
    const char *out, *method;
    bool full;
    int64_t accumulate, threads;
    const char *const *extra;
} tiny_run;

/** Trains from the start, or with `resume`; stops after step `stop` (0: never). */
hone_status tiny_train(const tiny_run *run, bool resume, int64_t stop, hone_train_summary *summary);
/** The same with the n-th allocation failing. */
hone_status tiny_starve(const tiny_run *run, bool resume, int64_t stop, int64_t n);
/** With hone_message() printed when the status is not the wanted one. */
void tiny_expect(hone_status found, hone_status wanted);

/** Whole files below ROOT. */
unsigned char *tiny_read(const char *name, size_t *length);
void tiny_write(const char *name, const void *data, size_t length);
void tiny_remove(const char *name);
/** The final weights and the metrics, times apart, are the same bytes. */
void tiny_assert_same_run(const char *a, const char *b, bool full);
/** No name below ROOT/folder contains ".tmp-". */
void tiny_assert_no_temporary(const char *folder);

#endif
