/* hone tokenize: text to token ids. */
#include "cli.h"
#include "verbs.h"

#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone tokenize: text to token ids\n\n"
    "One line of standard input is one text. No token is added; special tokens in the text are ordinary\n"
    "text, unless --special.";
static const char example[] = "  printf 'Hello world\\n' | hone tokenize --model model --json\n"
                              "  hone tokenize --model model --text 'Hello world'";

typedef struct arguments {
    char *model, *text;
    int json, special;
} arguments;

static int print_json(const hone_ids *ids) {
    json_t *list = json_array();
    for (int64_t i = 0; i < ids->count; i++)
        json_array_append_new(list, json_integer(ids->data[i]));
    return cli_print_json(list);
}

/** "id token" pairs, a line a text. */
static int print_tokens(const hone_tokenizer *tokenizer, const hone_ids *ids) {
    for (int64_t i = 0; i < ids->count; i++)
        (void)printf("%s%d %s", i > 0 ? "  " : "", (int)ids->data[i],
                     hone_tokenizer_token(tokenizer, ids->data[i]));
    return putchar('\n') == EOF ? cli_error("the result could not be written to standard output") : 0;
}

static int one(const arguments *a, const hone_tokenizer *tokenizer, const char *text, size_t length) {
    hone_ids ids = {0};
    const hone_status status = hone_tokenizer_encode(tokenizer, text, length, a->special != 0, &ids);
    const int code = status != HONE_OK ? cli_fail(status)
                     : a->json         ? print_json(&ids)
                                       : print_tokens(tokenizer, &ids);
    hone_ids_clear(&ids);
    return code;
}

static int lines(const arguments *a, const hone_tokenizer *tokenizer) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    int code = 0;

    while (code == 0 && (length = getline(&line, &room, stdin)) >= 0) {
        if (length > 0 && line[length - 1] == '\n')
            length--;
        code = one(a, tokenizer, line, (size_t)length);
    }
    free(line);
    return code;
}

static int run(const arguments *a) {
    hone_tokenizer *tokenizer = NULL;

    if (a->model == NULL)
        return cli_usage("tokenize", "--model is required");
    const hone_status status = hone_tokenizer_open(a->model, &tokenizer);
    if (status != HONE_OK)
        return cli_fail(status);
    const int code = a->text != NULL ? one(a, tokenizer, a->text, strlen(a->text)) : lines(a, tokenizer);
    hone_tokenizer_destroy(tokenizer);
    return code;
}

int hone_cmd_tokenize(int argc, const char **argv) {
    arguments a = {0};
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &a.model, 0, "folder with tokenizer.json", "DIR"},
        {"text", '\0', POPT_ARG_STRING, &a.text, 0, "one text, instead of standard input", "S"},
        {"special", '\0', POPT_ARG_NONE, &a.special, 0, "text equal to a special token becomes it", NULL},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "a JSON list of ids a line", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    free(a.model);
    free(a.text);
    return code;
}
