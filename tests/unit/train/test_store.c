/* Examples in memory and in a mapped file: the same, and nothing else is believed. */
#include <core/file.h>
#include <core/memory.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/store.h>
#include <unistd.h>

#include <cmocka.h>

enum { VOCABULARY = 50, ROWS = 7, ALL = (1 << HONE_CONDITIONAL_COUNT) - 1 };

static char folder[] = "/tmp/hone-store-XXXXXX", path[64];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/tokens", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

/** Row i: parts of i + 1, i + 3, i + 3, 1 and 2 ids. */
static void add_row(hn_examples *examples, int i) {
    int32_t id[ROWS + 3];
    hone_ids part[HN_EXAMPLE_PARTS];
    hn_example_texts texts = {.preference = 0.5, .line = i + 1, .file = i % 2};
    const int64_t length[HN_EXAMPLE_PARTS] = {i + 1, i + 3, i + 3, 1, 2};

    for (int k = 0; k < ROWS + 3; k++)
        id[k] = (k * 7 + i) % VOCABULARY;
    for (int p = 0; p < HN_EXAMPLE_PARTS; p++) {
        part[p] = (hone_ids){id, length[p], 0};
        texts.part[p] = &part[p];
    }
    assert_int_equal(hn_examples_add(examples, &texts, NULL), HONE_OK);
}

static void fill(hn_examples *examples, bool file) {
    assert_int_equal(hn_examples_begin(ALL, examples), HONE_OK);
    if (file)
        assert_int_equal(hn_store_begin(examples->store, path), HONE_OK);
    for (int i = 0; i < ROWS; i++)
        add_row(examples, i);
    examples->cut = 3;
    (void)snprintf(examples->digest, sizeof examples->digest, "a digest");
    if (file)
        assert_int_equal(hn_store_finish(examples->store, path, VOCABULARY, examples), HONE_OK);
}

static void same(const hn_examples *a, const hn_examples *b) {
    assert_int_equal(a->count, ROWS);
    assert_int_equal(b->count, ROWS);
    assert_memory_equal(a->item, b->item, ROWS * sizeof *a->item);
    assert_memory_equal(a->rows, b->rows, sizeof a->rows);
    assert_int_equal(a->cut, b->cut);
    assert_int_equal(a->mask, b->mask);
    assert_string_equal(a->digest, b->digest);
    for (int64_t i = 0; i < ROWS; i++) {
        hone_sequence x[HONE_CONDITIONAL_COUNT], y[HONE_CONDITIONAL_COUNT];
        assert_int_equal(hn_example_sequences(a, i, x), HONE_CONDITIONAL_COUNT);
        assert_int_equal(hn_example_sequences(b, i, y), HONE_CONDITIONAL_COUNT);
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
            assert_int_equal(x[c].context_length, y[c].context_length);
            assert_memory_equal(x[c].context, y[c].context, (size_t)x[c].context_length * sizeof(int32_t));
            assert_memory_equal(x[c].completion, y[c].completion,
                                (size_t)x[c].completion_length * sizeof(int32_t));
        }
    }
}

static void test_a_file_holds_the_same(void **state) {
    hn_examples memory, written, loaded;

    (void)state;
    fill(&memory, false);
    fill(&written, true);
    same(&memory, &written);
    assert_int_equal(hn_examples_begin(ALL, &loaded), HONE_OK);
    assert_int_equal(hn_store_load(loaded.store, path, VOCABULARY, &loaded), HONE_OK);
    same(&memory, &loaded);
    hn_examples_forget(&loaded);
    same(&memory, &loaded);
    hn_examples_clear(&memory);
    hn_examples_clear(&written);
    hn_examples_clear(&loaded);
}

static void refused(int64_t vocabulary) {
    hn_examples examples;

    assert_int_equal(hn_examples_begin(ALL, &examples), HONE_OK);
    assert_int_equal(hn_store_load(examples.store, path, vocabulary, &examples), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), path));
    hn_examples_clear(&examples);
}

/** Every byte changed, every length cut. */
static void test_damage(void **state) {
    hn_examples examples;
    char *data = NULL;
    size_t size = 0;

    (void)state;
    fill(&examples, true);
    hn_examples_clear(&examples);
    assert_int_equal(hn_file_read(path, 1 << 20, &data, &size), HONE_OK);
    for (size_t i = 0; i < size; i++) {
        data[i] = (char)(data[i] ^ 0x11);
        assert_int_equal(hn_file_replace(path, data, size), HONE_OK);
        refused(VOCABULARY);
        data[i] = (char)(data[i] ^ 0x11);
    }
    for (size_t length = 0; length < size; length++) {
        assert_int_equal(hn_file_replace(path, data, length), HONE_OK);
        refused(VOCABULARY);
    }
    assert_int_equal(hn_file_replace(path, data, size), HONE_OK);
    refused(VOCABULARY - 2);
    hn_free(data);
}

/** A file whose hash is right and whose content can't be. */
static void refused_with(void (*lie)(hn_example *item)) {
    hn_examples examples;

    assert_int_equal(hn_examples_begin(ALL, &examples), HONE_OK);
    assert_int_equal(hn_store_begin(examples.store, path), HONE_OK);
    for (int i = 0; i < ROWS; i++)
        add_row(&examples, i);
    lie(&examples.store->item[ROWS / 2]);
    assert_int_equal(hn_store_finish(examples.store, path, VOCABULARY, &examples), HONE_ERROR_FORMAT);
    hn_examples_clear(&examples);
}

static void lie_place(hn_example *item) { item->place += 1; }
static void lie_far(hn_example *item) { item->place = INT64_MAX - 3; }
static void lie_length(hn_example *item) { item->length[0] = INT32_MAX; }
static void lie_negative(hn_example *item) { item->length[1] = -1; }
static void lie_packed(hn_example *item) { item->packed = 1; }
static void lie_naive(hn_example *item) { item->naive = INT64_MAX; }
static void lie_edges(hn_example *item) { item->edges = 0; }
static void lie_tokens(hn_example *item) { item->tokens[1] = 0; }
static void lie_file(hn_example *item) { item->file = HN_MIXTURE_FILES; }
static void lie_preference(hn_example *item) { item->preference = 2.0; }

static void test_lies(void **state) {
    (void)state;
    refused_with(lie_place);
    refused_with(lie_far);
    refused_with(lie_length);
    refused_with(lie_negative);
    refused_with(lie_packed);
    refused_with(lie_naive);
    refused_with(lie_edges);
    refused_with(lie_tokens);
    refused_with(lie_file);
    refused_with(lie_preference);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_holds_the_same),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_lies),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
