/** Tokenizers of many kinds against the tokenizers library: ids, ids of special tokens' text taken as ordinary text,
 *  and the way back. Every mismatch is printed. */
#include "support.h"

#include <core/memory.h>
#include <dirent.h>
#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct tally {
    const char *name;
    int cases, wrong;
} tally;

static void mismatch(tally *sum, const char *what, const char *text, const json_t *wanted,
                     const char *found) {
    char *expected = json_dumps(wanted, JSON_ENCODE_ANY | JSON_COMPACT);
    char *escaped = NULL;
    json_t *string = json_string(text);

    escaped = json_dumps(string, JSON_ENCODE_ANY);
    print_error("%s: %s of %s: %s, not %s\n", sum->name, what, escaped, found, expected);
    json_decref(string);
    free(escaped);
    free(expected);
    sum->wrong++;
}

static void check_ids(tally *sum, const hone_tokenizer *tokenizer, const char *text, size_t length,
                      bool special, const json_t *wanted) {
    hone_ids ids = {0};

    REQUIRE(hone_tokenizer_encode(tokenizer, text, length, special, &ids));
    if (!golden_same_ids(wanted, ids.data, ids.count)) {
        hn_bytes found = {0};
        for (int64_t i = 0; i < ids.count; i++)
            REQUIRE(hn_bytes_printf(&found, i == 0 ? "%d" : ",%d", (int)ids.data[i]));
        mismatch(sum, special ? "ids" : "plain ids", text, wanted, found.data != NULL ? found.data : "none");
        hn_bytes_clear(&found);
    }
    hone_ids_clear(&ids);
}

static void check_text(tally *sum, const hone_tokenizer *tokenizer, const json_t *entry, const char *key) {
    const json_t *wanted = golden_member(entry, key);
    int64_t count = 0;
    int32_t *ids = golden_ids(golden_member(entry, "ids"), &count);
    char *text = NULL;

    REQUIRE(hone_tokenizer_decode(tokenizer, ids, count, strcmp(key, "decoded_skip") == 0, &text));
    if (strlen(text) != json_string_length(wanted) || strcmp(text, json_string_value(wanted)) != 0)
        mismatch(sum, key, golden_string(entry, "text"), wanted, text);
    hone_text_free(text);
    hn_free(ids);
}

static int check_file(const char *file) {
    json_t *document = golden_json(golden_path("tokenizers/%s", file));
    const json_t *cases = golden_member(document, "cases");
    tally sum = {.name = file};
    hone_tokenizer *tokenizer = NULL;
    char folder[512];

    snprintf(folder, sizeof folder, "%s", golden_string(document, "tokenizer"));
    *strrchr(folder, '/') = '\0';
    if (hone_tokenizer_open(golden_path("%s", folder), &tokenizer) != HONE_OK) {
        print_error("%s: %s\n", file, hone_message());
        json_decref(document);
        return 1;
    }
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *entry = json_array_get(cases, i), *text = golden_member(entry, "text");
        const json_t *ids = golden_member(entry, "ids"), *plain = json_object_get(entry, "plain_ids");
        const char *value = json_string_value(text);
        const size_t length = json_string_length(text);

        check_ids(&sum, tokenizer, value, length, true, ids);
        check_ids(&sum, tokenizer, value, length, false, plain != NULL ? plain : ids);
        check_text(&sum, tokenizer, entry, "decoded");
        check_text(&sum, tokenizer, entry, "decoded_skip");
        sum.cases++;
    }
    print_message("%s: %d texts, %d mismatches\n", file, sum.cases, sum.wrong);
    hone_tokenizer_destroy(tokenizer);
    json_decref(document);
    return sum.wrong;
}

static int is_fixture(const struct dirent *entry) {
    const char *end = strrchr(entry->d_name, '.');

    return end != NULL && strcmp(end, ".json") == 0;
}

static void tokenizers(void **state) {
    struct dirent **entries = NULL;
    const int count = scandir(golden_path("tokenizers"), &entries, is_fixture, alphasort);
    int wrong = 0;

    (void)state;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        wrong += check_file(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_int_equal(wrong, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tokenizers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
