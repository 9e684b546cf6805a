/* hone bench pack: one step, laid out in four ways. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>

static const char summary[] =
    "hone bench pack: the same training step as a token trie, as separate sequences, and padded\n\n"
    "The same pairs on the same model, the layouts taking turns: trie merges equal prefixes; sequences are "
    "packed one "
    "after\n"
    "the other without padding; padded fills each up to the longest; naive is padded and computes the "
    "reference at "
    "every\n"
    "step, as peers do. The memory is what the plan of such a step has for activations.";
static const char example[] =
    "  hone bench pack --model smollm2 --prompt-tokens 350 --completion-tokens 35\n"
    "  hone bench pack --shape 288,768,6,6,6,32000 --full --prompt-tokens 1024 --steps 3";

typedef struct arguments {
    bench bench;
    bench_steps steps;
} arguments;

static json_t *layout(const hone_bench_pack_result *r, const struct hone_bench_layout *row) {
    return json_pack("{s:s,s:f,s:f,s:o,s:I,s:f,s:I}", "name", row->name, "pairs_per_s",
                     (double)r->pairs / row->step.median, "times_trie",
                     row->step.median / r->layout[HONE_BENCH_TRIE].step.median, "seconds",
                     bench_times(&row->step), "tokens", (json_int_t)row->tokens, "flops", row->flops,
                     "plan_bytes", (json_int_t)row->plan_bytes);
}

static json_t *make_report(const arguments *a, const hone_bench_step_options *options,
                           const hone_bench_pack_result *r) {
    json_t *rows = json_array(), *settings = bench_settings(&a->bench);

    bench_steps_settings(options, settings);
    for (int l = 0; l < HONE_BENCH_LAYOUTS; l++)
        json_array_append_new(rows, layout(r, &r->layout[l]));
    return json_pack("{s:s,s:o,s:o}", "bench", "pack", "layouts", rows, "settings", settings);
}

static void print(const json_t *report) {
    size_t i = 0;
    json_t *row = NULL;

    bench_print_steps(json_object_get(report, "settings"));
    (void)printf("%-10s %9s %9s %30s %8s %9s %10s\n", "layout", "pairs/s", "x trie", "seconds a step",
                 "tokens", "GFLOP", "memory");
    json_array_foreach(json_object_get(report, "layouts"), i, row) {
        (void)printf("%-10s %9.3f %9.2f %10.4f (%.4f to %.4f) %8.0f %9.1f %7.2f GB\n",
                     bench_text(row, "name"), bench_number(row, "pairs_per_s"),
                     bench_number(row, "times_trie"), bench_number(row, "seconds.median"),
                     bench_number(row, "seconds.min"), bench_number(row, "seconds.max"),
                     bench_number(row, "tokens"), bench_number(row, "flops") / 1e9,
                     bench_number(row, "plan_bytes") / 1e9);
    }
}

static int run(arguments *a) {
    hone_bench_step_options options;
    hone_bench_pack_result result;
    int code = bench_steps_options(&a->steps, &options);

    a->bench.trained = a->steps.full;
    if (code == 0)
        code = bench_open(&a->bench);
    if (code != 0)
        return code;
    const hone_status status = hone_bench_pack(a->bench.model, &options, &result);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &options, &result), print)
                             : cli_fail(status);
}

int hone_bench_cmd_pack(int argc, const char **argv) {
    arguments a = {.bench.verb = argv[0], .steps = bench_steps_defaults()};
    struct poptOption options[] = {BENCH_OPTIONS(a.bench), STEP_OPTIONS(a.steps), POPT_TABLEEND};
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    bench_steps_clear(&a.steps);
    return code;
}
