/* The corpus, replayed: tests/fuzz/corpus/KIND/NAME is put in the place of a file of that kind, and must be refused in one
 * line; afterwards the good file is read as before. */
#include "parsers.h"
#include "tiny.h"

#include <core/file.h>
#include <core/memory.h>
#include <hone/status.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct kind {
    const char *name, *place;
    parser *parse;
    bool made; /* the tiny world has such a file, which is put back */
} kinds[] = {{"adapter", "run/final/adapter_config.json", parse_adapter, true},
             {"checkpoint", "run/checkpoints/step-00000002.hone", parse_checkpoint, true},
             {"config", "model/config.json", parse_config, true},
             {"gguf", "model.gguf", parse_gguf, false},
             {"options", "run/config.yaml", parse_options, true},
             {"rows", "pairs.jsonl", parse_rows, true},
             {"safetensors", "model/model.safetensors", parse_model, true},
             {"template", "template.json", parse_template, false},
             {"texts", "some.texts", parse_texts, false},
             {"tokenizer", "model/tokenizer.json", parse_tokenizer, true},
             {"tokenizer_config", "model/tokenizer_config.json", parse_tokenizer, true}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const char corpus[] = HONE_SOURCE_DIR "/tests/fuzz/corpus";

static char *read_case(const char *folder, const char *name, size_t *length) {
    char *path = NULL, *data = NULL;
    assert_int_equal(hn_path_join(folder, name, &path), HONE_OK);
    assert_int_equal(hn_file_read(path, (size_t)1 << 16, &data, length), HONE_OK);
    hn_free(path);
    return data;
}

static void refuse(const struct kind *kind, const char *folder, const char *name) {
    size_t length = 0;
    char *data = read_case(folder, name, &length);
    parsers_put(kind->place, data, length);
    if (kind->parse() == HONE_OK)
        fail_msg("%s/%s is taken for good", kind->name, name);
    parsers_check_message();
    hn_free(data);
}

static void replay(const struct kind *kind) {
    size_t length = 0, count = 0;
    unsigned char *original = kind->made ? tiny_read(kind->place, &length) : NULL;
    char *folder = NULL, **names = NULL;

    assert_int_equal(hn_path_join(corpus, kind->name, &folder), HONE_OK);
    assert_int_equal(hn_folder_list(folder, &names, &count), HONE_OK);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++)
        refuse(kind, folder, names[i]);
    print_message("%s: %zu refused\n", kind->name, count);
    if (kind->made) {
        parsers_put(kind->place, original, length);
        tiny_expect(kind->parse(), HONE_OK);
    }
    hn_names_free(names, count);
    hn_free(folder);
    hn_free(original);
}

static void each_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        replay(&kinds[i]);
}

/** A folder that nobody replays would only look like a test. */
static void each_folder_has_a_parser(void **state) {
    char **names = NULL;
    size_t count = 0;
    (void)state;
    assert_int_equal(hn_folder_list(corpus, &names, &count), HONE_OK);
    assert_int_equal(count, KINDS);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names[i], kinds[i].name);
    hn_names_free(names, count);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_refused),
        cmocka_unit_test(each_folder_has_a_parser),
    };
    return cmocka_run_group_tests(tests, parsers_set_up, parsers_tear_down);
}
