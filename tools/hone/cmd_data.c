/* hone data check: what is in data files, and what is wrong with them, before a training run finds out. */
#include "cli.h"
#include "data_figure.h"
#include "data_file.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone data check FILE...: what data files hold, and what is wrong with them\n\n"
    "Counts, lengths, duplicates, pairs with equal sides, prompts that an earlier FILE has as well, and "
    "whether the\n"
    "longer side wins. Each FILE may hold pairs (\"chosen\", \"rejected\"), completions for SFT "
    "(\"completion\"), or prompts\n"
    "alone, with or without a reference. Lengths are in tokens with --tokenizer or --model, else in "
    "characters. --model\n"
    "also measures how the rows pack, which are over the budget of --pack-tokens, and how long an epoch "
    "takes here: a few\n"
    "training steps on rows of that length are timed.";
static const char example[] = "  hone data check train.jsonl test.jsonl --model model --figure lengths.svg\n"
                              "  hone data check pairs.jsonl.zst --json";

typedef struct arguments {
    char *model, *tokenizer_path, *method, *template_name, *figure;
    long long pack_tokens;
    double rate;
    int json, full, no_time;
    machine machine;

    hone_method chosen; /**< with --method */
    char **path;
    int files;
    data_file *file;
    hone_tokenizer *tokenizer;
} arguments;

/** SFT also trains on the chosen sides of pairs; a method of pairs named for other rows says what is missing. Prompts are nobody's to
 *  train on. */
static hone_data_kind kind_of(const arguments *a, hone_data_kind guess) {
    if (!a->method || guess == HONE_DATA_PROMPT)
        return guess;
    return a->chosen == HONE_SFT ? HONE_DATA_COMPLETION : HONE_DATA_PREFERENCE;
}

static hone_status open_file(const arguments *a, data_file *file) {
    hone_status status = hone_data_kind_guess(file->path, &file->kind);
    if (status == HONE_OK) {
        file->kind = kind_of(a, file->kind);
        file->loss = hone_loss_defaults(file->kind == HONE_DATA_COMPLETION ? HONE_SFT : a->chosen);
        status = hone_dataset_open(file->path, file->kind, &file->data);
    }
    return status;
}

static int compare_with_earlier(const arguments *a, int i) {
    data_file *file = &a->file[i];
    const data_facts **earlier = calloc((size_t)i + 1, sizeof *earlier);
    int code = 1;

    file->shared = calloc((size_t)i + 1, sizeof *file->shared);
    if (!earlier || !file->shared)
        code = cli_error("out of memory");
    else {
        for (int k = 0; k < i; k++)
            earlier[k] = &a->file[k].facts;
        code = data_facts_leaks(&file->facts, earlier, i, file->shared, &file->leaked);
    }
    free((void *)earlier);
    return code;
}

static int measure(const arguments *a, data_file *file) {
    const data_training how = {.model = a->model, .machine = a->machine, .full = a->full != 0};

    if (a->rate > 0.0 && file->kind != HONE_DATA_PROMPT)
        file->epoch_seconds = (double)file->facts.rows / a->rate;
    if (!a->model || file->kind == HONE_DATA_PROMPT)
        return 0;
    const hone_status status =
        hone_packing_measure_within(a->model, a->template_name ? a->template_name : "plain", file->path,
                                    &file->loss, a->pack_tokens, &file->packing);
    if (status != HONE_OK)
        return cli_fail(status);
    file->packed = true;
    if (!(a->rate > 0.0) && !a->no_time)
        data_file_time(file, &how);
    return 0;
}

static int read_file(arguments *a, int i) {
    data_file *file = &a->file[i];

    file->path = a->path[i];
    const hone_status status = open_file(a, file);
    if (status != HONE_OK)
        return cli_fail(status);
    int code = data_facts_count(file->data, a->tokenizer, &file->facts);
    if (code == 0)
        code = compare_with_earlier(a, i);
    return code == 0 ? measure(a, file) : code;
}

static int report(const arguments *a) {
    const data_report all = {.file = a->file,
                             .files = a->files,
                             .tokens = a->tokenizer != NULL,
                             .full = a->full != 0,
                             .pack_tokens = a->pack_tokens,
                             .rate = a->rate};
    const int code = a->figure ? data_figure_write(&all, a->figure) : 0;
    return code != 0 ? code : a->json ? data_report_json(&all) : data_report_text(&all);
}

static int check(arguments *a) {
    const char *folder = a->tokenizer_path ? a->tokenizer_path : a->model;
    int code = machine_read(&a->machine, "data check");

    if (code != 0)
        return code;
    a->chosen = HONE_SRPO;
    hone_status status = a->method ? hone_method_parse(a->method, &a->chosen) : HONE_OK;
    if (status == HONE_OK && folder)
        status = hone_tokenizer_open(folder, &a->tokenizer);
    if (status != HONE_OK)
        return cli_fail(status);
    a->file = calloc((size_t)a->files, sizeof *a->file);
    if (!a->file)
        return cli_error("out of memory");
    for (int i = 0; code == 0 && i < a->files; i++)
        code = read_file(a, i);
    return code == 0 ? report(a) : code;
}

static void clear_file(data_file *file) {
    data_facts_clear(&file->facts);
    hone_dataset_destroy(file->data);
    free(file->shared);
    free(file->untimed);
}

static void clear(arguments *a) {
    for (int i = 0; i < a->files; i++) {
        if (a->file)
            clear_file(&a->file[i]);
        free(a->path[i]);
    }
    hone_tokenizer_destroy(a->tokenizer);
    machine_clear(&a->machine);
    free(a->path);
    free(a->file);
    free(a->model);
    free(a->tokenizer_path);
    free(a->method);
    free(a->template_name);
    free(a->figure);
}

int hone_cmd_data(int argc, const char **argv) {
    arguments a = {.pack_tokens = 2048};
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &a.model, 0, "model folder: tokens, how rows pack, and their time",
         "DIR"},
        {"tokenizer", '\0', POPT_ARG_STRING, &a.tokenizer_path, 0, "folder of the tokenizer (the model's)",
         "DIR"},
        {"method", '\0', POPT_ARG_STRING, &a.method, 0,
         "method that reads the rows (pairs: srpo; completions: sft)", "M"},
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0, "template (plain)", "T"},
        {"pack-tokens", '\0', POPT_ARG_LONGLONG, &a.pack_tokens, 0, "budget of one forward pass (2048)", "T"},
        {"full", '\0', POPT_ARG_NONE, &a.full, 0, "time the training of all weights (LoRA)", NULL},
        {"no-time", '\0', POPT_ARG_NONE, &a.no_time, 0, "time nothing", NULL},
        {"pairs-per-second", '\0', POPT_ARG_DOUBLE, &a.rate, 0,
         "estimate the time of an epoch from this, and time nothing", "R"},
        {"figure", '\0', POPT_ARG_STRING, &a.figure, 0, "picture of the lengths, .svg", "FILE"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "as JSON", NULL},
        MACHINE_OPTIONS(a.machine),
        POPT_TABLEEND,
    };
    const int named = argc > 1 && strcmp(argv[1], "check") == 0;
    if (named)
        argv[1] = "data check";
    int code =
        cli_parse_list(argc - named, argv + named, options, summary, example, "FILE", &a.path, &a.files);
    if (code < 0 && !named)
        code = cli_usage("data", "say what to do: hone data check FILE...");
    if (code < 0 && (!(a.rate >= 0.0) || a.pack_tokens < 1))
        code = cli_usage("data", "--pairs-per-second and --pack-tokens must be positive");
    if (code < 0)
        code = check(&a);
    clear(&a);
    return code;
}
