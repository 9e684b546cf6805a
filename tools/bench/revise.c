/* hone bench revise: revisions that keep keys and values against contexts computed afresh. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

static const char summary[] =
    "hone bench revise: what revisions cost when the prompt's and the drafts' keys and values are kept\n\n"
    "A prompt is answered and its answer revised, by the sampler itself; once keeping what a context has in "
    "common "
    "with\n"
    "what is there, once computing every context whole. Both take turns. Drafts end where the model ends "
    "them.";
static const char example[] = "  hone bench revise --model smollm2 --template chatml -n 4";

typedef struct arguments {
    bench bench;
    char *adapter_path, *template_name;
    long long prompt, tokens, revisions, warmup, rounds;
    hone_adapter *adapter;
    hone_tokenizer *tokenizer;
    hone_template *form;
} arguments;

static json_t *way(const hone_bench_revising *r) {
    return json_pack("{s:o,s:o,s:I,s:I,s:I}", "prefill", bench_times(&r->prefill), "whole",
                     bench_times(&r->whole), "prefilled_tokens", (json_int_t)r->prefilled, "reused_tokens",
                     (json_int_t)r->reused, "written_tokens", (json_int_t)r->written);
}

static json_t *make_report(const arguments *a, const hone_bench_revise_result *r) {
    json_t *settings = bench_settings(&a->bench);
    json_t *more = json_pack("{s:I,s:I,s:I,s:s}", "prompt_tokens", (json_int_t)r->prompt_tokens, "tokens",
                             (json_int_t)a->tokens, "revisions", (json_int_t)a->revisions, "template",
                             a->template_name != NULL ? a->template_name : "plain");
    json_object_update(settings, more);
    json_decref(more);
    return json_pack("{s:s,s:f,s:f,s:o,s:o,s:o}", "bench", "revise", "prefill_ratio",
                     r->kept.prefill.median / r->afresh.prefill.median, "whole_ratio",
                     r->kept.whole.median / r->afresh.whole.median, "kept", way(&r->kept), "afresh",
                     way(&r->afresh), "settings", settings);
}

static void print_way(const json_t *report, const char *name) {
    const json_t *w = json_object_get(report, name);
    (void)printf("%-8s %8.0f %8.0f %8.0f %9.4f (%.4f to %.4f) %9.4f (%.4f to %.4f)\n", name,
                 bench_number(w, "prefilled_tokens"), bench_number(w, "reused_tokens"),
                 bench_number(w, "written_tokens"), bench_number(w, "prefill.median"),
                 bench_number(w, "prefill.min"), bench_number(w, "prefill.max"),
                 bench_number(w, "whole.median"), bench_number(w, "whole.min"), bench_number(w, "whole.max"));
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");

    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf("%s: %.0f revisions of drafts of at most %.0f tokens, prompt of %.0f, template %s\n\n",
                 bench_text(s, "model"), bench_number(s, "revisions"), bench_number(s, "tokens"),
                 bench_number(s, "prompt_tokens"), bench_text(s, "template"));
    (void)printf("%-8s %8s %8s %8s %28s %28s\n", "keys", "computed", "kept", "written", "seconds of contexts",
                 "seconds of all");
    print_way(report, "kept");
    print_way(report, "afresh");
    (void)printf(
        "\ncontexts: %.2f times afresh; everything, the first draft and writing included: %.2f times\n",
        bench_number(report, "prefill_ratio"), bench_number(report, "whole_ratio"));
}

static hone_status open_text(arguments *a) {
    hone_status status = hone_tokenizer_open(a->bench.model_path, &a->tokenizer);
    if (status == HONE_OK)
        status =
            hone_template_open(a->template_name != NULL ? a->template_name : "plain", a->tokenizer, &a->form);
    if (status == HONE_OK && a->adapter_path != NULL)
        status = hone_adapter_open(a->bench.model, a->adapter_path, &a->adapter);
    return status;
}

static int run(arguments *a) {
    const hone_bench_revise_options options = {.prompt_tokens = a->prompt,
                                               .tokens = a->tokens,
                                               .revisions = a->revisions,
                                               .warmup = a->warmup,
                                               .rounds = a->rounds};
    hone_bench_revise_result result;

    if (a->bench.model_path == NULL || a->bench.shape != NULL)
        return cli_usage(a->bench.verb, "--model is required: text wants a tokenizer");
    const int code = bench_open(&a->bench);
    if (code != 0)
        return code;
    hone_status status = open_text(a);
    if (status == HONE_OK)
        status = hone_bench_revise(a->bench.model, a->adapter, a->tokenizer, a->form, &options, &result);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &result), print) : cli_fail(status);
}

int hone_bench_cmd_revise(int argc, const char **argv) {
    const hone_bench_revise_options defaults = hone_bench_revise_defaults();
    arguments a = {.bench.verb = argv[0],
                   .prompt = defaults.prompt_tokens,
                   .tokens = defaults.tokens,
                   .revisions = defaults.revisions,
                   .warmup = defaults.warmup,
                   .rounds = defaults.rounds};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"adapter", '\0', POPT_ARG_STRING, &a.adapter_path, 0, "PEFT folder on top of the model", "DIR"},
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0,
         "template: built-in name, auto, or file (plain)", "T"},
        {"prompt-tokens", '\0', POPT_ARG_LONGLONG, &a.prompt, 0, "tokens of the prompt, about (350)", "P"},
        {"tokens", '\0', POPT_ARG_LONGLONG, &a.tokens, 0, "most tokens of a draft (35)", "C"},
        {"revisions", 'n', POPT_ARG_LONGLONG, &a.revisions, 0, "revisions (4)", "N"},
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "rounds before the clock starts (1)", "N"},
        {"rounds", '\0', POPT_ARG_LONGLONG, &a.rounds, 0, "timed rounds (5)", "N"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    hone_adapter_destroy(a.adapter);
    hone_template_destroy(a.form);
    hone_tokenizer_destroy(a.tokenizer);
    bench_close(&a.bench);
    free(a.adapter_path);
    free(a.template_name);
    return code;
}
