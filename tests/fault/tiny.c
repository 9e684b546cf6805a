#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "tiny.h"

#include <core/file.h>
#include <core/memory.h>
#include <hone/tokenizer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 10, FILE_LIMIT = 1 << 26 };

static char root[32];

const char *tiny_root(void) { return root; }

char *tiny_place(const char *name) {
    char *path = NULL;
    assert_int_equal(hn_path_join(root, name, &path), HONE_OK);
    return path;
}

static void make_model(hone_tokenizer *tokenizer, const char *name, uint64_t seed) {
    char *folder = tiny_place(name);
    hone_device *device = NULL;
    hone_model *model = NULL;
    const hone_model_config config = {.width = 16,
                                      .hidden = 24,
                                      .layers = 2,
                                      .heads = 2,
                                      .kv_heads = 1,
                                      .head_dim = 8,
                                      .vocabulary = hone_tokenizer_vocabulary(tokenizer),
                                      .max_positions = 128,
                                      .norm_epsilon = 1e-5,
                                      .tied = true,
                                      .rope_theta = 10000.0,
                                      .initializer_range = 0.1,
                                      .bos = -1,
                                      .eos = hone_tokenizer_eos(tokenizer)};

    assert_int_equal(hone_device_open(NULL, NULL, &device), HONE_OK);
    assert_int_equal(hone_model_create(device, &config, seed, &model), HONE_OK);
    assert_int_equal(hone_model_save(model, folder, HONE_F32), HONE_OK);
    assert_int_equal(hone_tokenizer_save(tokenizer, folder), HONE_OK);
    hone_model_destroy(model);
    hone_device_close(device);
    hn_free(folder);
}

static void make_rows(const char *name, int first, const char *format) {
    hn_bytes rows = {0};
    for (int i = first; i < first + ROWS; i++) {
        assert_int_equal(hn_bytes_printf(&rows, "{\"prompt\":\"sort %d b a =\",", i), HONE_OK);
        if (strcmp(format, "pair") == 0)
            assert_int_equal(
                hn_bytes_printf(&rows, "\"chosen\":\" a b %d\",\"rejected\":\" b %d a\"}\n", i, i), HONE_OK);
        else
            assert_int_equal(hn_bytes_printf(&rows, "\"completion\":\" a b %d\"}\n", i), HONE_OK);
    }
    tiny_write(name, rows.data, rows.length);
    hn_bytes_clear(&rows);
}

int tiny_set_up(void **state) {
    const char *const text[] = {"sort b a c = a b c", "sort c a b = a c b Better"};
    const char *const special[] = {"<|endoftext|>"};
    const size_t length[] = {strlen(text[0]), strlen(text[1])};
    const hone_tokenizer_train_options options = {
        .vocabulary = 270, .min_frequency = 1, .special = special, .special_count = 1};
    hone_tokenizer *tokenizer = NULL;

    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/hone-tiny-XXXXXX");
    assert_non_null(mkdtemp(root));
    assert_int_equal(hone_tokenizer_train(&options, text, length, 2, &tokenizer), HONE_OK);
    make_model(tokenizer, "model", 3);
    make_model(tokenizer, "other", 4);
    make_rows("pairs.jsonl", 0, "pair");
    make_rows("more.jsonl", 5, "pair");
    make_rows("texts.jsonl", 0, "text");
    hone_tokenizer_destroy(tokenizer);
    return 0;
}

int tiny_tear_down(void **state) {
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void set(hone_train_options *options, const char *name, const char *value) {
    tiny_expect(hone_train_options_set(options, name, value), HONE_OK);
}

static void set_path(hone_train_options *options, const char *name, const char *place) {
    char *path = tiny_place(place);
    set(options, name, path);
    hn_free(path);
}

/** Two passes over ten rows, two to a micro-batch. */
static void fill(hone_train_options *options, const tiny_run *run, bool resume) {
    tiny_expect(hone_train_options_init(options), HONE_OK);
    set(options, "method", run->method);
    set_path(options, "model", "model");
    set_path(options, "data", strcmp(run->method, "sft") == 0 ? "texts.jsonl" : "pairs.jsonl");
    set_path(options, "out", run->out);
    set_path(options, "cache", "cache");
    set(options, "lr", "1e-2");
    set(options, "batch-pairs", "2");
    set(options, "epochs", "2");
    set(options, "keep", "10");
    set(options, "pack-tokens", "160");
    set(options, "warmup", "0.25");
    options->accumulate = run->accumulate > 0 ? run->accumulate : 1;
    options->threads = run->threads > 0 ? run->threads : 1;
    if (run->full)
        set(options, "full", NULL);
    else
        set(options, "lora-dropout", "0.1");
    if (resume)
        set(options, "resume", NULL);
    for (const char *const *extra = run->extra; extra != NULL && *extra != NULL; extra += 2)
        set(options, extra[0], extra[1]);
}

typedef struct stopper {
    int64_t at, step;
} stopper;

static void stepped(void *context, const hone_train_metrics *metrics) {
    ((stopper *)context)->step = metrics->step;
}

static bool stop(void *context) {
    const stopper *s = context;
    return s->at > 0 && s->step == s->at;
}

static hone_status train(const tiny_run *run, bool resume, int64_t at, int64_t starved,
                         hone_train_summary *summary) {
    hone_train_options options;
    stopper s = {.at = at};
    const hone_train_observer observer = {.context = &s, .stepped = stepped, .stop = stop};

    fill(&options, run, resume);
    tiny_expect(hone_train_options_check(&options), HONE_OK);
    hn_memory_fail_at(starved);
    const hone_status status = hone_train(&options, &observer, summary);
    hn_memory_fail_at(0);
    hone_train_options_clear(&options);
    return status;
}

hone_status tiny_train(const tiny_run *run, bool resume, int64_t at, hone_train_summary *summary) {
    hone_train_summary unused;
    return train(run, resume, at, 0, summary != NULL ? summary : &unused);
}

hone_status tiny_starve(const tiny_run *run, bool resume, int64_t at, int64_t n) {
    hone_train_summary unused;
    return train(run, resume, at, n, &unused);
}

void tiny_expect(hone_status found, hone_status wanted) {
    if (found != wanted)
        print_message("%s, wanted %s: %s\n", hone_status_name(found), hone_status_name(wanted),
                      hone_message());
    assert_int_equal(found, wanted);
}

unsigned char *tiny_read(const char *name, size_t *length) {
    char *path = tiny_place(name), *data = NULL;
    tiny_expect(hn_file_read(path, FILE_LIMIT, &data, length), HONE_OK);
    hn_free(path);
    return (unsigned char *)data;
}

void tiny_write(const char *name, const void *data, size_t length) {
    char *path = tiny_place(name);
    tiny_expect(hn_file_replace(path, data, length), HONE_OK);
    hn_free(path);
}

void tiny_remove(const char *name) {
    char *path = tiny_place(name), *command = NULL;
    assert_int_equal(hn_format(&command, "rm -rf %s", path), HONE_OK);
    assert_int_equal(system(command), 0);
    hn_free(command);
    hn_free(path);
}

static unsigned char *read_of(const char *run, const char *file, size_t *length) {
    char *name = NULL;
    assert_int_equal(hn_path_join(run, file, &name), HONE_OK);
    unsigned char *data = tiny_read(name, length);
    hn_free(name);
    return data;
}

/** Cuts the times, which are at the end of each line. */
static size_t drop_times(unsigned char *text, size_t length) {
    static const char mark[] = ",\"seconds\"";
    size_t kept = 0;
    for (size_t at = 0; at < length;) {
        const unsigned char *line = text + at, *end = memchr(line, '\n', length - at);
        assert_non_null(end);
        const unsigned char *times = memmem(line, (size_t)(end - line), mark, sizeof mark - 1);
        assert_non_null(times);
        const size_t bytes = (size_t)(times - line);
        at += (size_t)(end - line) + 1;
        memmove(text + kept, line, bytes);
        kept += bytes;
        text[kept++] = '\n';
    }
    return kept;
}

void tiny_assert_same_run(const char *a, const char *b, bool full) {
    const char *const files[] = {full ? "final/model.safetensors" : "final/adapter_model.safetensors",
                                 "metrics.jsonl"};
    for (int i = 0; i < 2; i++) {
        size_t left = 0, right = 0;
        unsigned char *x = read_of(a, files[i], &left), *y = read_of(b, files[i], &right);
        if (i == 1) {
            left = drop_times(x, left);
            right = drop_times(y, right);
        }
        assert_int_equal(left, right);
        assert_memory_equal(x, y, left);
        hn_free(x);
        hn_free(y);
    }
}

void tiny_assert_no_temporary(const char *folder) {
    char *path = tiny_place(folder), **names = NULL;
    size_t count = 0;
    tiny_expect(hn_folder_list(path, &names, &count), HONE_OK);
    for (size_t i = 0; i < count; i++)
        assert_null(strstr(names[i], ".tmp-"));
    hn_names_free(names, count);
    hn_free(path);
}
