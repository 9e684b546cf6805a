#include "parsers.h"
#include "tiny.h"

#include <checkpoint/checkpoint.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/data.h>
#include <hone/template.h>
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

static hone_device *device;

int parsers_set_up(void **state) {
    const tiny_run run = {"run", "srpo", false, 2, 1, NULL};
    if (tiny_set_up(state) != 0)
        return 1;
    tiny_expect(tiny_train(&run, false, 2, NULL), HONE_ERROR_INTERRUPTED);
    tiny_expect(tiny_train(&run, true, 0, NULL), HONE_OK);
    tiny_expect(hone_device_open(NULL, NULL, &device), HONE_OK);
    return 0;
}

int parsers_tear_down(void **state) {
    hone_device_close(device);
    return tiny_tear_down(state);
}

void parsers_put(const char *name, const void *data, size_t length) {
    char *path = tiny_place(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    hn_free(path);
}

void parsers_check_message(void) {
    const char *message = hone_message();
    assert_true(message[0] != '\0');
    assert_null(strchr(message, '\n'));
}

hone_status parse_model(void) {
    char *folder = tiny_place("model");
    hone_model *model = NULL;
    const hone_status status = hone_model_open(device, folder, &model);
    hone_model_destroy(model);
    hn_free(folder);
    return status;
}

hone_status parse_config(void) {
    char *folder = tiny_place("model");
    hone_model_config config;
    hone_status status = hone_model_config_read(folder, &config);
    if (status == HONE_OK)
        status = parse_model();
    hn_free(folder);
    return status;
}

hone_status parse_tokenizer(void) {
    static const char text[] = "sort 7 b a =\xc3\xa9 <|endoftext|>  Better";
    char *folder = tiny_place("model"), *back = NULL;
    hone_tokenizer *tokenizer = NULL;
    hone_ids ids = {0};
    hone_status status = HONE_OK;

    HN_GO(hone_tokenizer_open(folder, &tokenizer));
    HN_GO(hone_tokenizer_encode(tokenizer, text, sizeof text - 1, true, &ids));
    for (int64_t i = 0; i < ids.count; i++)
        assert_true(ids.data[i] >= 0 && ids.data[i] < hone_tokenizer_vocabulary(tokenizer));
    HN_GO(hone_tokenizer_decode(tokenizer, ids.data, ids.count, false, &back));
done:
    hone_text_free(back);
    hone_ids_clear(&ids);
    hone_tokenizer_destroy(tokenizer);
    hn_free(folder);
    return status;
}

hone_status parse_adapter(void) {
    char *base = tiny_place("model"), *folder = tiny_place("run/final");
    hone_model *model = NULL;
    hone_adapter *adapter = NULL;
    hone_status status = hone_model_open(device, base, &model);
    if (status == HONE_OK)
        status = hone_adapter_open(model, folder, &adapter);
    hone_adapter_destroy(adapter);
    hone_model_destroy(model);
    hn_free(base);
    hn_free(folder);
    return status;
}

hone_status parse_rows(void) {
    char *path = tiny_place("pairs.jsonl");
    hone_dataset *data = NULL;
    const hone_status status = hone_dataset_open(path, HONE_DATA_PREFERENCE, &data);
    hone_dataset_destroy(data);
    hn_free(path);
    return status;
}

hone_status parse_options(void) {
    char *path = tiny_place("run/config.yaml");
    hone_train_options options;
    hone_status status = hone_train_options_init(&options);
    if (status == HONE_OK)
        status = hone_train_options_load(&options, path);
    if (status == HONE_OK)
        status = hone_train_options_check(&options);
    hone_train_options_clear(&options);
    hn_free(path);
    return status;
}

hone_status parse_checkpoint(void) {
    char *path = tiny_place("run/checkpoints/step-00000002.hone");
    hn_checkpoint *file = NULL;
    hone_status status = hn_checkpoint_open(path, &file);
    for (size_t i = 0; status == HONE_OK && i < hn_checkpoint_count(file); i++) {
        const hn_checkpoint_chunk *chunk = hn_checkpoint_item(file, i);
        unsigned char *data = NULL;
        status = hn_alloc(&data, chunk->bytes + 1, 1, "chunk");
        if (status == HONE_OK)
            status = hn_checkpoint_read(file, chunk->name, data, chunk->bytes);
        hn_free(data);
    }
    hn_checkpoint_destroy(file);
    hn_free(path);
    return status;
}

hone_status parse_gguf(void) {
    char *path = tiny_place("model.gguf"), *folder = tiny_place("converted");
    const hone_status status = hone_convert_gguf(path, folder, HONE_F32);
    hn_free(path);
    hn_free(folder);
    return status;
}

hone_status parse_texts(void) {
    static const char *const special[] = {"<|endoftext|>"};
    const hone_tokenizer_train_options options = {
        .vocabulary = 270, .min_frequency = 2, .special = special, .special_count = 1};
    char *path = tiny_place("some.texts");
    hone_tokenizer *tokenizer = NULL;
    int64_t count = 0;
    const hone_status status = hone_tokenizer_train_file(&options, path, &count, &tokenizer);
    hone_tokenizer_destroy(tokenizer);
    hn_free(path);
    return status;
}

hone_status parse_template(void) {
    char *folder = tiny_place("model"), *path = tiny_place("template.json");
    hone_tokenizer *tokenizer = NULL;
    hone_template *form = NULL;
    hone_status status = hone_tokenizer_open(folder, &tokenizer);
    if (status == HONE_OK)
        status = hone_template_open(path, tokenizer, &form);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
    hn_free(folder);
    hn_free(path);
    return status;
}
