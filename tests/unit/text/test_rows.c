/* Data sets, templates, and rows as token sequences. */
#include <core/file.h>
#include <core/memory.h>
#include <hone/data.h>
#include <hone/template.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <text/sequences.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

static char path[] = "/tmp/hone-rows-XXXXXX";

static int make_file(void **state) {
    (void)state;
    return mkstemp(path) < 0;
}

static int remove_file(void **state) {
    (void)state;
    return unlink(path);
}

static void write_file(const void *data, size_t bytes) {
    assert_int_equal(hn_file_replace(path, data, bytes), HONE_OK);
}

static hone_status open_text(const char *text, hone_data_kind kind, hone_dataset **data) {
    write_file(text, strlen(text));
    return hone_dataset_open(path, kind, data);
}

/** The row is refused, in line `line`, with a message that holds `part`. */
static void refused(const char *text, hone_data_kind kind, int line, const char *part) {
    hone_dataset *data = NULL;
    char where[64];

    assert_int_not_equal(open_text(text, kind, &data), HONE_OK);
    assert_null(data);
    (void)snprintf(where, sizeof where, "%s:%d", path, line);
    if (strstr(hone_message(), where) == NULL || strstr(hone_message(), part) == NULL)
        print_message("%s\n", hone_message());
    assert_non_null(strstr(hone_message(), where));
    assert_non_null(strstr(hone_message(), part));
}

static void test_rows(void **state) {
    hone_dataset *data = NULL;
    (void)state;
    assert_int_equal(
        open_text("{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\",\"preference\":0.75}\r\n"
                  "\n"
                  "{\"chosen\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
                  "\"yes\"}],"
                  "\"rejected\":[{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":"
                  "\"no\"}]}",
                  HONE_DATA_PREFERENCE, &data),
        HONE_OK);
    assert_int_equal(hone_dataset_count(data), 2);
    const hone_row *first = hone_dataset_row(data, 0), *second = hone_dataset_row(data, 1);
    assert_string_equal(first->prompt, "p");
    assert_string_equal(first->chosen, "c");
    assert_string_equal(first->rejected, "r");
    assert_true(first->preference == 0.75);
    assert_int_equal(second->line, 3);
    assert_string_equal(second->prompt, "q");
    assert_string_equal(second->chosen, "yes");
    assert_string_equal(second->rejected, "no");
    assert_true(second->preference == 1.0);
    hone_dataset_destroy(data);
}

static void test_refusals(void **state) {
    (void)state;
    refused("{\"prompt\":\"p\",\"chosen\":\"c\"}", HONE_DATA_PREFERENCE, 1, "rejected");
    refused("{\"prompt\":\"p\",\"completion\":\"c\"}\n{\"prompt\":1,\"completion\":\"c\"}",
            HONE_DATA_COMPLETION, 2, "prompt");
    refused("{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\",\"preference\":1.5}", HONE_DATA_PREFERENCE,
            1, "[0, 1]");
    refused("{\"prompt\":\"p\",\n", HONE_DATA_PROMPT, 1, "");
    refused("[1]", HONE_DATA_PROMPT, 1, "object");
    refused("{\"chosen\":[{\"content\":\"a\"},{\"content\":\"b\"}],\"rejected\":[{\"content\":\"x\"},{"
            "\"content\":\"c\"}]}",
            HONE_DATA_PREFERENCE, 1, "different messages");
    refused("{\"prompt\":\"\\ud800\"}", HONE_DATA_PROMPT, 1, "");
    hone_dataset *data = NULL;
    assert_int_equal(open_text("\n \n", HONE_DATA_PROMPT, &data), HONE_ERROR_FORMAT);
}

/** The sides of a row without a prompt, and what they have in common. */
static void splits(const char *line, const char *prompt, const char *chosen, const char *rejected) {
    hone_dataset *data = NULL;
    assert_int_equal(open_text(line, HONE_DATA_PREFERENCE, &data), HONE_OK);
    const hone_row *row = hone_dataset_row(data, 0);
    assert_string_equal(row->prompt, prompt);
    assert_string_equal(row->chosen, chosen);
    assert_string_equal(row->rejected, rejected);
    hone_dataset_destroy(data);
}

static void test_prompt_in_common(void **state) {
    (void)state;
    splits("{\"chosen\":\"Sky? blue\",\"rejected\":\"Sky? green\"}", "Sky?", " blue", " green");
    splits("{\"chosen\":\"Q:\\nA: no\",\"rejected\":\"Q:\\nB\"}", "Q:\n", "A: no", "B");
    /* e with acute and with grave share their first byte: a character is never cut. */
    splits("{\"chosen\":\"a\\u00e9\",\"rejected\":\"a\\u00e8\"}", "a", "\xc3\xa9", "\xc3\xa8");
    splits("{\"prompt\":\"P\",\"chosen\":\"P x\",\"rejected\":\"P y\"}", "P", "P x", "P y");
    refused("{\"chosen\":\"a\",\"rejected\":\"b\"}", HONE_DATA_PREFERENCE, 1, "no beginning in common");
    refused("{\"chosen\":\"\\u00e9\",\"rejected\":\"\\u00e8\"}", HONE_DATA_PREFERENCE, 1,
            "no beginning in common");
    refused("{\"chosen\":\"ab\",\"rejected\":\"a\"}", HONE_DATA_PREFERENCE, 1, "whole other");
    refused("{\"chosen\":\"same\",\"rejected\":\"same\"}", HONE_DATA_PREFERENCE, 1, "whole other");
}

static void test_packed_files(void **state) {
    static const char text[] = "{\"prompt\":\"p\"}\n{\"prompt\":\"q\"}\n";
    unsigned char packed[256];
    hone_dataset *data = NULL;
    (void)state;

    const size_t n = ZSTD_compress(packed, sizeof packed, text, sizeof text - 1, 3);
    write_file(packed, n);
    assert_int_equal(hone_dataset_open(path, HONE_DATA_PROMPT, &data), HONE_OK);
    assert_int_equal(hone_dataset_count(data), 2);
    hone_dataset_destroy(data);
    for (size_t cut = 4; cut < n; cut++) {
        write_file(packed, cut);
        assert_int_not_equal(hone_dataset_open(path, HONE_DATA_PROMPT, &data), HONE_OK);
    }

    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, text, sizeof text - 1), (int)sizeof text - 1);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(hone_dataset_open(path, HONE_DATA_PROMPT, &data), HONE_OK);
    assert_string_equal(hone_dataset_row(data, 1)->prompt, "q");
    hone_dataset_destroy(data);
}

/** Bytes and two special tokens. */
static hone_tokenizer *make_tokenizer(void) {
    const char *const text[] = {"abc"}, *const special[] = {"<|im_end|>", "<|im_start|>"};
    const size_t length[] = {3};
    const hone_tokenizer_train_options options = {
        .vocabulary = 258, .min_frequency = 1000, .special = special, .special_count = 2};
    hone_tokenizer *tokenizer = NULL;
    assert_int_equal(hone_tokenizer_train(&options, text, length, 1, &tokenizer), HONE_OK);
    return tokenizer;
}

static hone_template *make_template(const char *name, const hone_tokenizer *tokenizer) {
    hone_template *form = NULL;
    const hone_status status = hone_template_open(name, tokenizer, &form);
    if (status != HONE_OK)
        print_message("%s\n", hone_message());
    assert_int_equal(status, HONE_OK);
    return form;
}

static void check_sequence(const hone_tokenizer *tokenizer, const hone_sequence *sequence,
                           const char *context, const char *completion) {
    char *text = NULL;
    assert_int_equal(
        hone_tokenizer_decode(tokenizer, sequence->context, sequence->context_length, false, &text), HONE_OK);
    assert_string_equal(text, context);
    hone_text_free(text);
    assert_int_equal(
        hone_tokenizer_decode(tokenizer, sequence->completion, sequence->completion_length, false, &text),
        HONE_OK);
    assert_string_equal(text, completion);
    hone_text_free(text);
}

static void test_plain(void **state) {
    hone_tokenizer *tokenizer = make_tokenizer();
    hone_template *form = make_template("plain", tokenizer);
    const hone_row row = {
        .prompt = "x<|im_end|>", .chosen = " w", .rejected = " l", .preference = 1.0, .line = 1};
    hn_row_tokens tokens;
    bool fits = false;

    (void)state;
    assert_int_equal(hn_row_tokenise(form, tokenizer, &row, 63, 1000, &tokens, &fits), HONE_OK);
    assert_true(fits);
    check_sequence(tokenizer, &tokens.sequence[HONE_W], "x<|im_end|>", " w<|im_end|>");
    check_sequence(tokenizer, &tokens.sequence[HONE_L], "x<|im_end|>", " l<|im_end|>");
    check_sequence(tokenizer, &tokens.sequence[HONE_W_GIVEN_L], "x<|im_end|> l\n\nBetter:", " w<|im_end|>");
    check_sequence(tokenizer, &tokens.sequence[HONE_L_GIVEN_W], "x<|im_end|> w\n\nBetter:", " l<|im_end|>");
    /* A user's text can't make a special token: eleven bytes, not one token. */
    assert_int_equal(tokens.sequence[HONE_W].context_length, 11);
    hn_row_tokens_clear(&tokens);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
}

static void test_chatml_shares_the_draft(void **state) {
    hone_tokenizer *tokenizer = make_tokenizer();
    hone_template *form = make_template("chatml", tokenizer);
    const hone_row row = {.prompt = "x", .chosen = "w", .rejected = "l", .preference = 1.0, .line = 1};
    hn_row_tokens tokens;
    bool fits = false;

    (void)state;
    assert_int_equal(hn_row_tokenise(form, tokenizer, &row, 63, 1000, &tokens, &fits), HONE_OK);
    const hone_sequence *answer = &tokens.sequence[HONE_W], *revision = &tokens.sequence[HONE_L_GIVEN_W];
    assert_memory_equal(revision->context, answer->context, (size_t)answer->context_length * sizeof(int32_t));
    assert_int_equal(revision->context[answer->context_length], 'w');
    assert_int_equal(answer->context[0], 257);
    hn_row_tokens_clear(&tokens);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
}

static void test_a_demonstrated_revision(void **state) {
    hone_tokenizer *tokenizer = make_tokenizer();
    hone_template *form = make_template("plain", tokenizer);
    static const char rows[] = "{\"prompt\":\"x\",\"draft\":\" d\",\"completion\":\" w\"}\n"
                               "{\"prompt\":\"x\",\"completion\":\" w\"}\n",
                      wrong[] = "{\"prompt\":\"x\",\"draft\":7,\"completion\":\" w\"}\n";
    hone_dataset *data = NULL;
    hn_row_tokens tokens;
    bool fits = false;

    (void)state;
    write_file(rows, sizeof rows - 1);
    assert_int_equal(hone_dataset_open(path, HONE_DATA_COMPLETION, &data), HONE_OK);
    assert_string_equal(hone_dataset_row(data, 0)->draft, " d");
    assert_null(hone_dataset_row(data, 1)->draft);
    assert_int_equal(
        hn_row_tokenise(form, tokenizer, hone_dataset_row(data, 0), 1u << HONE_W, 1000, &tokens, &fits),
        HONE_OK);
    assert_true(fits);
    check_sequence(tokenizer, &tokens.sequence[HONE_W], "x d\n\nBetter:", " w<|im_end|>");
    hn_row_tokens_clear(&tokens);
    hone_dataset_destroy(data);
    write_file(wrong, sizeof wrong - 1);
    assert_int_equal(hone_dataset_open(path, HONE_DATA_COMPLETION, &data), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "draft"));
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
}

static void test_truncation(void **state) {
    hone_tokenizer *tokenizer = make_tokenizer();
    hone_template *form = make_template("plain", tokenizer);
    const hone_row row = {.prompt = "abcdefgh", .chosen = "w", .rejected = "l", .preference = 1.0, .line = 1};
    const int64_t longest = 8 + 1 + 9 + 2;
    hn_row_tokens tokens;
    bool fits = false;

    (void)state;
    assert_int_equal(hn_row_tokenise(form, tokenizer, &row, 63, longest, &tokens, &fits), HONE_OK);
    assert_true(fits && !tokens.cut);
    hn_row_tokens_clear(&tokens);
    assert_int_equal(hn_row_tokenise(form, tokenizer, &row, 63, longest - 3, &tokens, &fits), HONE_OK);
    assert_true(fits && tokens.cut);
    check_sequence(tokenizer, &tokens.sequence[HONE_W_GIVEN_L], "defghl\n\nBetter:", "w<|im_end|>");
    hn_row_tokens_clear(&tokens);
    assert_int_equal(hn_row_tokenise(form, tokenizer, &row, 63, longest - 8, &tokens, &fits), HONE_OK);
    assert_false(fits);
    const hone_row empty = {.prompt = "", .chosen = "w", .rejected = "l", .preference = 1.0, .line = 7};
    assert_int_equal(hn_row_tokenise(form, tokenizer, &empty, 63, longest, &tokens, &fits),
                     HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "prompt is empty"));
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
}

static void refuse_template(const hone_tokenizer *tokenizer, const char *json, const char *part) {
    char file[64];
    hone_template *form = NULL;

    (void)snprintf(file, sizeof file, "%s", path);
    write_file(json, strlen(json));
    assert_int_not_equal(hone_template_open(file, tokenizer, &form), HONE_OK);
    if (strstr(hone_message(), part) == NULL)
        print_message("%s\n", hone_message());
    assert_non_null(strstr(hone_message(), part));
}

static void test_templates(void **state) {
    hone_tokenizer *tokenizer = make_tokenizer();
    hone_template *form = NULL;
    static const char good[] = "{\"answer\":[\"Q \",\"{prompt}\",\"{completion}\"],"
                               "\"revision\":[\"Q \",\"{prompt}\",\"{draft}\",\"!\",\"{completion}\"]}";

    (void)state;
    write_file(good, sizeof good - 1);
    form = make_template(path, tokenizer);
    hone_template_destroy(form);
    refuse_template(tokenizer, "{\"answer\":[\"{completion}\"],\"revision\":[\"{completion}\"]}", "{prompt}");
    refuse_template(tokenizer, "{\"answer\":[\"{prompt}\",\"{completion}\",\"x\"],\"revision\":[]}", "");
    refuse_template(tokenizer,
                    "{\"answer\":[\"{prompt}\",\"{draft}\",\"{completion}\"],"
                    "\"revision\":[\"{prompt}\",\"{draft}\",\"{completion}\"]}",
                    "{draft}");
    refuse_template(tokenizer, "{\"answer\":[1]}", "");
    assert_int_equal(hone_template_open("llama-3", tokenizer, &form), HONE_ERROR_ARGUMENT);
    assert_int_equal(hone_template_open("no such", tokenizer, &form), HONE_ERROR_NOT_FOUND);
    assert_int_equal(hone_template_open("auto", tokenizer, &form), HONE_ERROR_NOT_FOUND);
    hone_tokenizer_destroy(tokenizer);
}

static hone_data_kind guess(const char *text) {
    hone_data_kind kind = HONE_DATA_PROMPT;
    write_file(text, strlen(text));
    assert_int_equal(hone_data_kind_guess(path, &kind), HONE_OK);
    return kind;
}

/** By the names in the first row alone. */
static void test_guess(void **state) {
    hone_data_kind kind = HONE_DATA_PREFERENCE;

    (void)state;
    assert_int_equal(guess("\n{\"prompt\":\"p\",\"chosen\":\"c\",\"rejected\":\"r\"}\nno JSON"),
                     HONE_DATA_PREFERENCE);
    assert_int_equal(guess("{\"rejected\":\"r\"}"), HONE_DATA_PREFERENCE);
    assert_int_equal(guess("{\"prompt\":\"p\",\"completion\":\"c\"}"), HONE_DATA_COMPLETION);
    assert_int_equal(guess("{\"prompt\":\"p\",\"reference\":\"c\"}"), HONE_DATA_PROMPT);
    assert_int_equal(guess("[]"), HONE_DATA_PROMPT);
    write_file("{\"prompt\"", 9);
    assert_int_equal(hone_data_kind_guess(path, &kind), HONE_ERROR_FORMAT);
    write_file("\n", 1);
    assert_int_equal(hone_data_kind_guess(path, &kind), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "no row"));
    assert_int_not_equal(hone_data_kind_guess("/no/such", &kind), HONE_OK);
}

/** A name that is not there is called missing, and what the row may be meant for is said. */
static void test_missing(void **state) {
    (void)state;
    refused("{\"prompt\":\"p\",\"completion\":\"c\"}", HONE_DATA_PREFERENCE, 1, "--method sft");
    refused("{\"prompt\":\"p\",\"chosen\":\"c\"}", HONE_DATA_PREFERENCE, 1, "\"rejected\" is missing");
    refused("{\"prompt\":\"p\",\"answer\":\"c\"}", HONE_DATA_COMPLETION, 1, "\"completion\" is missing");
    refused("{\"prompt\":\"p\",\"completion\":1}", HONE_DATA_COMPLETION, 1,
            "\"completion\" must be a string");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_guess),
                                       cmocka_unit_test(test_missing),
                                       cmocka_unit_test(test_prompt_in_common),
                                       cmocka_unit_test(test_packed_files),
                                       cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_chatml_shares_the_draft),
                                       cmocka_unit_test(test_a_demonstrated_revision),
                                       cmocka_unit_test(test_truncation),
                                       cmocka_unit_test(test_templates)};
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
