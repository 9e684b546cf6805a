/**
 * A tokenizer, a tiny model and twelve pairs in a temporary folder, for tests that train: the group's set-up and
 * tear-down, and places under the folder.
 */
#ifndef SUPPORT_TINY_RUN_H
#define SUPPORT_TINY_RUN_H

#include <core/file.h>
#include <core/memory.h>
#include <hone/tokenizer.h>
#include <hone/train.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char tr_root[] = "/tmp/hone-run-XXXXXX";

static inline char *tr_place(const char *name) {
    char *path = NULL;
    assert_int_equal(hn_path_join(tr_root, name, &path), HONE_OK);
    return path;
}

/** A tokenizer, a tiny model and twelve pairs. */
static inline int tr_set_up(void **state) {
    const char *const text[] = {"sort b a c = a b c", "sort c a b = a c b Better"}, *const special[] = {
                                                                                        "<|endoftext|>"};
    const size_t length[] = {strlen(text[0]), strlen(text[1])};
    const hone_tokenizer_train_options options = {
        .vocabulary = 270, .min_frequency = 1, .special = special, .special_count = 1};
    hone_tokenizer *tokenizer = NULL;
    hone_device *device = NULL;
    hone_model *model = NULL;
    hn_bytes rows = {0};
    char *folder = NULL, *data = NULL;

    (void)state;
    assert_non_null(mkdtemp(tr_root));
    folder = tr_place("model");
    data = tr_place("pairs.jsonl");
    assert_int_equal(hone_tokenizer_train(&options, text, length, 2, &tokenizer), HONE_OK);
    assert_int_equal(hone_device_open(NULL, NULL, &device), HONE_OK);
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
    assert_int_equal(hone_model_create(device, &config, 3, &model), HONE_OK);
    assert_int_equal(hone_model_save(model, folder, HONE_F32), HONE_OK);
    assert_int_equal(hone_tokenizer_save(tokenizer, folder), HONE_OK);
    for (int i = 0; i < 12; i++)
        assert_int_equal(
            hn_bytes_printf(
                &rows, "{\"prompt\":\"sort %d b a =\",\"chosen\":\" a b %d\",\"rejected\":\" b %d a\"}\n", i,
                i, i),
            HONE_OK);
    assert_int_equal(hn_file_replace(data, rows.data, rows.length), HONE_OK);
    hn_bytes_clear(&rows);
    hone_model_destroy(model);
    hone_device_close(device);
    hone_tokenizer_destroy(tokenizer);
    hn_free(folder);
    hn_free(data);
    return 0;
}

static inline int tr_tear_down(void **state) {
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", tr_root);
    return system(command);
}

static inline void tr_set(hone_train_options *options, const char *name, const char *value) {
    assert_int_equal(hone_train_options_set(options, name, value), HONE_OK);
}

#endif
