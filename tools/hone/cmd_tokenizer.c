/* hone tokenizer train: a byte-level BPE tokenizer from texts. */
#include "cli.h"
#include "verbs.h"

#include <errno.h>
#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone tokenizer train: a byte-level BPE tokenizer from texts\n\n"
    "Each --data file is read as lines; of JSONL rows every string is a text. The same texts give the same\n"
    "tokenizer.";
static const char example[] = "  hone tokenizer train --data texts.jsonl --vocab 512 --out tokenizer";

typedef struct arguments {
    char *data, *out, *eos;
    long long vocabulary, min_frequency;
    int json;
    char **text;
    size_t *length, count, capacity;
} arguments;

static int add_text(arguments *a, const char *text, size_t length) {
    if (a->count == a->capacity) {
        const size_t capacity = a->capacity > 0 ? 2 * a->capacity : 1024;
        char **texts = realloc(a->text, capacity * sizeof *texts);
        if (texts != NULL)
            a->text = texts;
        size_t *lengths = realloc(a->length, capacity * sizeof *lengths);
        if (lengths != NULL)
            a->length = lengths;
        if (texts == NULL || lengths == NULL)
            return cli_error("out of memory");
        a->capacity = capacity;
    }
    a->text[a->count] = strndup(text, length);
    if (a->text[a->count] == NULL)
        return cli_error("out of memory");
    a->length[a->count++] = length;
    return 0;
}

/** Strings anywhere within a JSON value. */
static int add_strings(arguments *a, const json_t *value) {
    const char *key = NULL;
    json_t *child = NULL;
    size_t i = 0;
    int code = 0;

    if (json_is_string(value))
        return add_text(a, json_string_value(value), json_string_length(value));
    if (json_is_array(value))
        json_array_foreach(value, i, child) code = code != 0 ? code : add_strings(a, child);
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, child) code = code != 0 ? code : add_strings(a, child);
    return code;
}

static int add_line(arguments *a, const char *line, size_t length) {
    json_t *value = line[0] == '{' ? json_loadb(line, length, 0, NULL) : NULL;
    const int code = value != NULL ? add_strings(a, value) : add_text(a, line, length);
    json_decref(value);
    return code;
}

static int read_data(arguments *a) {
    FILE *file = fopen(a->data, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    int code = 0;

    if (file == NULL)
        return cli_error("%s: %s: is the path right?", a->data, strerror(errno));
    while (code == 0 && (length = getline(&line, &room, file)) >= 0)
        code = add_line(a, line, (size_t)length);
    if (code == 0 && ferror(file) != 0)
        code = cli_error("%s: %s: a file of text or JSONL is wanted", a->data, strerror(errno));
    else if (code == 0 && a->count == 0)
        code = cli_error("%s: there is no text in it to train on", a->data);
    free(line);
    (void)fclose(file);
    return code;
}

static int train(arguments *a) {
    const char *const special[] = {a->eos != NULL ? a->eos : "<|endoftext|>"};
    const hone_tokenizer_train_options options = {.vocabulary = a->vocabulary,
                                                  .min_frequency = a->min_frequency,
                                                  .special = special,
                                                  .special_count = 1};
    hone_tokenizer *tokenizer = NULL;
    hone_status status =
        hone_tokenizer_train(&options, (const char *const *)a->text, a->length, a->count, &tokenizer);

    if (status == HONE_OK)
        status = hone_tokenizer_save(tokenizer, a->out);
    const long long tokens = status == HONE_OK ? (long long)hone_tokenizer_vocabulary(tokenizer) : 0;
    if (status == HONE_OK && !a->json)
        (void)fprintf(stderr, "hone: %zu texts, %lld tokens\n", a->count, tokens);
    hone_tokenizer_destroy(tokenizer);
    if (status == HONE_OK && a->json)
        return cli_print_json(json_pack("{s:s,s:I,s:I}", "tokenizer", a->out, "texts", (json_int_t)a->count,
                                        "tokens", (json_int_t)tokens));
    return status == HONE_OK ? (printf("%s\n", a->out) > 0 ? 0 : 1) : cli_fail(status);
}

int hone_cmd_tokenizer(int argc, const char **argv) {
    arguments a = {.vocabulary = 8192, .min_frequency = 2};
    struct poptOption options[] = {
        {"data", '\0', POPT_ARG_STRING, &a.data, 0, "texts: JSONL, or plain lines", "FILE"},
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "folder to write", "DIR"},
        {"vocab", '\0', POPT_ARG_LONGLONG, &a.vocabulary, 0, "tokens, the 256 bytes included (8192)", "N"},
        {"min-frequency", '\0', POPT_ARG_LONGLONG, &a.min_frequency, 0, "rarer pairs are not merged (2)",
         "N"},
        {"eos", '\0', POPT_ARG_STRING, &a.eos, 0, "end of sequence (<|endoftext|>)", "TOKEN"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    const int named = argc > 1 && strcmp(argv[1], "train") == 0;
    if (named)
        argv[1] = "tokenizer train";
    int code = cli_parse(argc - named, argv + named, options, summary, example, NULL, NULL);
    if (code < 0 && !named)
        code = cli_usage("tokenizer", "say what to do: hone tokenizer train");
    if (code < 0 && (a.data == NULL || a.out == NULL))
        code = cli_usage("tokenizer", "--data and --out are required");
    if (code < 0) {
        code = read_data(&a);
        if (code == 0)
            code = train(&a);
    }
    for (size_t i = 0; i < a.count; i++)
        free(a.text[i]);
    free(a.text);
    free(a.length);
    free(a.data);
    free(a.out);
    free(a.eos);
    return code;
}
