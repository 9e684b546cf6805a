/* hone tokenizer train: a byte-level BPE tokenizer from texts. */
#include "cli.h"
#include "verbs.h"

#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] = "hone tokenizer train: a byte-level BPE tokenizer from texts\n\n"
                              "Of JSONL (the first line is an object) every string is a text, of other files "
                              "every line; .gz and .zst are\n"
                              "unpacked. The same texts give the same tokenizer.";
static const char example[] = "  hone tokenizer train --data texts.jsonl --vocab 512 --out tokenizer";

typedef struct arguments {
    char *data, *out, *eos;
    long long vocabulary, min_frequency;
    int json;
} arguments;

static int train(arguments *a) {
    const char *const special[] = {a->eos != NULL ? a->eos : "<|endoftext|>"};
    const hone_tokenizer_train_options options = {.vocabulary = a->vocabulary,
                                                  .min_frequency = a->min_frequency,
                                                  .special = special,
                                                  .special_count = 1};
    hone_tokenizer *tokenizer = NULL;
    int64_t texts = 0;
    hone_status status = hone_tokenizer_train_file(&options, a->data, &texts, &tokenizer);

    if (status == HONE_OK)
        status = hone_tokenizer_save(tokenizer, a->out);
    const long long tokens = status == HONE_OK ? (long long)hone_tokenizer_vocabulary(tokenizer) : 0;
    if (status == HONE_OK && !a->json)
        (void)fprintf(stderr, "hone: %lld texts, %lld tokens\n", (long long)texts, tokens);
    hone_tokenizer_destroy(tokenizer);
    if (status == HONE_OK && a->json)
        return cli_print_json(json_pack("{s:s,s:I,s:I}", "tokenizer", a->out, "texts", (json_int_t)texts,
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
    if (code < 0)
        code = train(&a);
    free(a.data);
    free(a.out);
    free(a.eos);
    return code;
}
