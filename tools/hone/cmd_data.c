/* hone data check: what is in data files, and what is wrong with them, before a training run finds out. */
#include "cli.h"
#include "data_facts.h"
#include "data_figure.h"
#include "verbs.h"

#include <hone/inspect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] = "hone data check FILE...: what data files hold, and what is wrong with them\n\n"
                              "Counts, lengths, duplicates, pairs with equal sides, prompts that an earlier "
                              "FILE has as well, and whether the\n"
                              "longer side wins. Lengths are in tokens with --tokenizer or --model, else in "
                              "characters. --model also measures\n"
                              "how the rows pack, and which are over the budget of --pack-tokens.";
static const char example[] = "  hone data check train.jsonl test.jsonl --model model --figure lengths.svg\n"
                              "  hone data check pairs.jsonl.zst --json";

typedef struct arguments {
    char *model, *tokenizer_path, *method, *template_name, *figure;
    long long pack_tokens;
    double rate;
    int json;

    char **file;
    int files;
    hone_loss_options loss;
    hone_tokenizer *tokenizer;
    hone_dataset **data;
    data_facts *facts;
    hone_packing *packing;
} arguments;

static bool pairs(const arguments *a) { return a->loss.method != HONE_SFT; }

static double ratio(const hone_packing *p) {
    return p->packed > 0 ? (double)p->separate / (double)p->packed : 0.0;
}

static int read_file(arguments *a, int i) {
    const hone_data_kind kind = pairs(a) ? HONE_DATA_PREFERENCE : HONE_DATA_COMPLETION;
    hone_status status = hone_dataset_open(a->file[i], kind, &a->data[i]);
    if (status != HONE_OK)
        return cli_fail(status);
    if (data_facts_count(a->data[i], pairs(a), a->tokenizer, &a->facts[i]) != 0)
        return 1;
    for (int j = 0; j < i; j++) {
        const int64_t shared = data_facts_shared(a->data[j], a->data[i]);
        if (shared < 0)
            return 1;
        a->facts[i].leaked += shared;
    }
    if (a->model)
        status = hone_packing_measure_within(a->model, a->template_name ? a->template_name : "plain",
                                             a->file[i], &a->loss, a->pack_tokens, &a->packing[i]);
    return status == HONE_OK ? 0 : cli_fail(status);
}

static json_t *lengths_json(const data_lengths *l) {
    json_t *bins = json_array();
    for (int b = 0; b < DATA_BINS; b++)
        if (l->bin[b] > 0)
            (void)json_array_append_new(
                bins,
                json_pack("[I,I]", (json_int_t)(b > 0 ? INT64_C(1) << (b - 1) : 0), (json_int_t)l->bin[b]));
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "least", (json_int_t)l->least, "median",
                     (json_int_t)l->median, "ninety_percent", (json_int_t)l->ninety, "most",
                     (json_int_t)l->most, "total", (json_int_t)l->total, "histogram", bins);
}

static void add_packing(const arguments *a, int i, json_t *object) {
    const hone_packing *p = &a->packing[i];
    (void)json_object_update_new(
        object, json_pack("{s:I,s:I,s:f,s:I,s:I,s:I,s:I}", "packed_tokens", (json_int_t)p->packed,
                          "naive_tokens", (json_int_t)p->separate, "tree_ratio", ratio(p), "longest_row",
                          (json_int_t)p->longest, "over_budget", (json_int_t)p->over, "cut",
                          (json_int_t)p->cut, "dropped", (json_int_t)p->dropped));
}

static json_t *file_json(const arguments *a, int i) {
    const data_facts *f = &a->facts[i];
    json_t *object = json_pack(
        "{s:s,s:I,s:I,s:I,s:I,s:I,s:s,s:o,s:o}", "file", a->file[i], "rows", (json_int_t)f->rows, "prompts",
        (json_int_t)f->prompts, "duplicates", (json_int_t)f->duplicates, "empty", (json_int_t)f->empty,
        "leaked_prompts", (json_int_t)f->leaked, "unit", a->tokenizer ? "tokens" : "characters", "prompt",
        lengths_json(&f->length[DATA_PROMPT_PART]), "chosen", lengths_json(&f->length[DATA_CHOSEN]));
    if (object && pairs(a))
        (void)json_object_update_new(
            object,
            json_pack("{s:I,s:I,s:o,s:I,s:I,s:f,s:f}", "equal_sides", (json_int_t)f->equal, "unsure",
                      (json_int_t)f->unsure, "rejected", lengths_json(&f->length[DATA_REJECTED]),
                      "different_lengths", (json_int_t)f->decided, "longer_preferred", (json_int_t)f->longer,
                      "longer_low", f->longer_low, "longer_high", f->longer_high));
    if (object && a->model)
        add_packing(a, i, object);
    if (object && a->rate > 0.0)
        (void)json_object_set_new(object, "seconds_per_epoch", json_real((double)f->rows / a->rate));
    return object;
}

static int print_json(const arguments *a) {
    json_t *list = json_array();
    for (int i = 0; i < a->files; i++)
        (void)json_array_append_new(list, file_json(a, i));
    return cli_print_json(json_pack("{s:o}", "files", list));
}

static void print_lengths(const char *name, const data_lengths *l, const char *unit) {
    (void)printf("  %-10s %lld to %lld %s, median %lld, 90 %% at most %lld\n", name, (long long)l->least,
                 (long long)l->most, unit, (long long)l->median, (long long)l->ninety);
}

static void print_finding(int64_t count, const char *text) {
    if (count > 0)
        (void)printf("  %-10lld %s\n", (long long)count, text);
}

static void print_bias(const data_facts *f) {
    if (f->decided == 0)
        return;
    (void)printf("  the longer side is preferred in %.1f %% of %lld pairs (95 %%: %.1f to %.1f)%s\n",
                 100.0 * (double)f->longer / (double)f->decided, (long long)f->decided, 100.0 * f->longer_low,
                 100.0 * f->longer_high,
                 f->longer_low > 0.5    ? ": length is rewarded"
                 : f->longer_high < 0.5 ? ": brevity is rewarded"
                                        : "");
}

static void print_packing(const arguments *a, const hone_packing *p) {
    (void)printf("  tree ratio %.2f: %lld tokens packed, %lld separate; the largest row has %lld\n", ratio(p),
                 (long long)p->packed, (long long)p->separate, (long long)p->longest);
    if (p->over > 0)
        (void)printf("  %-10lld rows over --pack-tokens %lld: training refuses them\n", (long long)p->over,
                     a->pack_tokens);
    print_finding(p->cut, "rows whose prompt loses its start to the model's longest sequence");
    print_finding(p->dropped, "rows too long for the model: left out");
}

static void print_file(const arguments *a, int i) {
    const data_facts *f = &a->facts[i];
    const char *unit = a->tokenizer ? "tokens" : "characters";

    (void)printf("%s: %lld rows, %lld prompts\n", a->file[i], (long long)f->rows, (long long)f->prompts);
    print_lengths("prompt", &f->length[DATA_PROMPT_PART], unit);
    print_lengths(pairs(a) ? "chosen" : "completion", &f->length[DATA_CHOSEN], unit);
    if (pairs(a))
        print_lengths("rejected", &f->length[DATA_REJECTED], unit);
    print_finding(f->duplicates, "rows repeat an earlier one");
    print_finding(f->equal, "pairs with equal sides: nothing to learn from them");
    print_finding(f->empty, "rows with an empty answer");
    print_finding(f->leaked, "prompts that an earlier file has as well");
    print_finding(f->unsure, "rows with a preference between 0 and 1");
    print_bias(f);
    if (a->model)
        print_packing(a, &a->packing[i]);
    if (a->rate > 0.0)
        (void)printf("  an epoch takes %.0f s at %g pairs/s\n", (double)f->rows / a->rate, a->rate);
}

static int print_all(const arguments *a) {
    if (a->json)
        return print_json(a);
    for (int i = 0; i < a->files; i++)
        print_file(a, i);
    return fflush(stdout) == 0 && !ferror(stdout)
               ? 0
               : cli_error("the result could not be written to standard output");
}

static int check(arguments *a) {
    const char *folder = a->tokenizer_path ? a->tokenizer_path : a->model;
    hone_method method = HONE_SRPO;
    hone_status status = a->method ? hone_method_parse(a->method, &method) : HONE_OK;
    int code = 0;

    a->loss = hone_loss_defaults(method);
    if (status == HONE_OK && folder)
        status = hone_tokenizer_open(folder, &a->tokenizer);
    if (status != HONE_OK)
        return cli_fail(status);
    a->data = calloc((size_t)a->files, sizeof *a->data);
    a->facts = calloc((size_t)a->files, sizeof *a->facts);
    a->packing = calloc((size_t)a->files, sizeof *a->packing);
    if (!a->data || !a->facts || !a->packing)
        return cli_error("out of memory");
    for (int i = 0; code == 0 && i < a->files; i++)
        code = read_file(a, i);
    if (code == 0 && a->figure)
        code = data_figure_write(a->facts, a->file, a->files, pairs(a), a->tokenizer != NULL, a->figure);
    return code == 0 ? print_all(a) : code;
}

static void clear(arguments *a) {
    for (int i = 0; i < a->files; i++) {
        if (a->data)
            hone_dataset_destroy(a->data[i]);
        free(a->file[i]);
    }
    hone_tokenizer_destroy(a->tokenizer);
    free(a->file);
    free(a->data);
    free(a->facts);
    free(a->packing);
    free(a->model);
    free(a->tokenizer_path);
    free(a->method);
    free(a->template_name);
    free(a->figure);
}

int hone_cmd_data(int argc, const char **argv) {
    arguments a = {.pack_tokens = 2048};
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &a.model, 0, "model folder: tokens, and how rows pack", "DIR"},
        {"tokenizer", '\0', POPT_ARG_STRING, &a.tokenizer_path, 0, "folder of the tokenizer (the model's)",
         "DIR"},
        {"method", '\0', POPT_ARG_STRING, &a.method, 0, "method that reads the rows (srpo)", "M"},
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0, "template (plain)", "T"},
        {"pack-tokens", '\0', POPT_ARG_LONGLONG, &a.pack_tokens, 0, "budget of one forward pass (2048)", "T"},
        {"pairs-per-second", '\0', POPT_ARG_DOUBLE, &a.rate, 0, "to estimate the time of an epoch", "R"},
        {"figure", '\0', POPT_ARG_STRING, &a.figure, 0, "picture of the lengths, .svg", "FILE"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "as JSON", NULL},
        POPT_TABLEEND,
    };
    const int named = argc > 1 && strcmp(argv[1], "check") == 0;
    if (named)
        argv[1] = "data check";
    int code =
        cli_parse_list(argc - named, argv + named, options, summary, example, "FILE", &a.file, &a.files);
    if (code < 0 && !named)
        code = cli_usage("data", "say what to do: hone data check FILE...");
    if (code < 0 && (!(a.rate >= 0.0) || a.pack_tokens < 1))
        code = cli_usage("data", "--pairs-per-second and --pack-tokens must be positive");
    if (code < 0)
        code = check(&a);
    clear(&a);
    return code;
}
