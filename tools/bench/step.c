/* hone bench step: training steps against what the machine's multiply-adds allow. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] = "hone bench step: how fast a training step is, and where its time goes\n\n"
                              "Pairs of random tokens with exactly the lengths asked for; the reference is "
                              "computed once, before. The share of "
                              "peak\n"
                              "is that of a step's products (counted) in what the processors' multiply-adds "
                              "reach on registers alone (measured).";
static const char example[] = "  hone bench step --model smollm2 --method srpo --prompt-tokens 350 "
                              "--completion-tokens 35 --lora-rank 16\n"
                              "  hone bench step --shape 288,768,6,6,6,32000 --full --json > before.json\n"
                              "  hone bench step --shape 288,768,6,6,6,32000 --full --compare before.json";

typedef struct arguments {
    bench bench;
    bench_steps steps;
    char *pack;
} arguments;

static int parse_pack(const arguments *a, hone_bench_step_options *options) {
    const char *name = a->pack != NULL ? a->pack : "trie";

    options->reference_anew = strcmp(name, "naive") == 0;
    if (strcmp(name, "trie") == 0)
        options->layout = HONE_PACK_TRIE;
    else if (strcmp(name, "sequences") == 0)
        options->layout = HONE_PACK_SEQUENCES;
    else if (strcmp(name, "padded") == 0 || options->reference_anew)
        options->layout = HONE_PACK_PADDED;
    else
        return cli_usage(a->bench.verb, "--pack \"%s\": must be trie, sequences, padded or naive", name);
    return 0;
}

static json_t *settings(const arguments *a, const hone_bench_step_options *options,
                        const hone_bench_step_result *result) {
    json_t *object = bench_settings(&a->bench);
    bench_steps_settings(options, object);
    json_object_set_new(object, "pack", json_string(a->pack != NULL ? a->pack : "trie"));
    json_object_set_new(object, "weights", json_string(hone_dtype_name(result->dtype)));
    return object;
}

static json_t *make_report(const arguments *a, const hone_bench_step_options *options,
                           const hone_bench_step_result *r) {
    const double rate = r->flops / r->step.median, peak = bench_peak(&a->bench);

    return json_pack(
        "{s:s,s:f,s:f,s:o,s:f,s:I,s:I,s:o,s:f,s:f,s:o,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:f,s:f,s:o}",
        "bench", "step", "pairs_per_s", r->pairs_per_second, "tokens_per_s", r->tokens_per_second,
        "share_of_peak", bench_share(rate, peak), "tree_ratio",
        (double)r->naive_tokens / (double)r->packed_tokens, "peak_bytes", (json_int_t)r->peak_bytes,
        "device_peak_bytes", (json_int_t)r->device_peak_bytes, "seconds", bench_times(&r->step), "flops",
        r->flops, "flops_per_s", rate, "peak_flops_per_s", peak > 0.0 ? json_real(peak) : json_null(),
        "packs", (json_int_t)r->packs, "packed_tokens", (json_int_t)r->packed_tokens, "naive_tokens",
        (json_int_t)r->naive_tokens, "padded_tokens", (json_int_t)r->padded_tokens, "scored_rows",
        (json_int_t)r->scored_rows, "visible_pairs", (json_int_t)r->visible_pairs, "parameters",
        (json_int_t)r->parameters, "trainable", (json_int_t)r->trainable, "operations",
        bench_operations(&r->profile, peak), "profiled_seconds", r->profile.seconds, "host_seconds",
        bench_host_seconds(&r->profile), "settings", settings(a, options, r));
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");

    bench_print_steps(s);
    (void)printf("pack %s, products in %s, weights in %s\n\n", bench_text(s, "pack"),
                 bench_text(s, "products"), bench_text(s, "weights"));
    (void)printf("pairs/s      %9.3f   %.4f s a step (%.4f to %.4f, median of %.0f)\n",
                 bench_number(report, "pairs_per_s"), bench_number(report, "seconds.median"),
                 bench_number(report, "seconds.min"), bench_number(report, "seconds.max"),
                 bench_number(report, "seconds.runs"));
    (void)printf(
        "tokens/s     %9.1f   %.0f packed tokens a step; separate sequences have %.2f times as many\n",
        bench_number(report, "tokens_per_s"), bench_number(report, "packed_tokens"),
        bench_number(report, "tree_ratio"));
    (void)printf("GFLOP/s      %9.1f   products of %.1f GFLOP a step",
                 bench_number(report, "flops_per_s") / 1e9, bench_number(report, "flops") / 1e9);
    if (json_is_number(json_object_get(report, "share_of_peak")))
        (void)printf("; %.1f %% of %.1f on registers alone (%s)",
                     100.0 * bench_number(report, "share_of_peak"),
                     bench_number(report, "peak_flops_per_s") / 1e9, bench_text(s, "peak_isa"));
    (void)printf("\nmemory       %6.2f GB   at most, the whole process; %.2f GB in the device's buffers\n",
                 bench_number(report, "peak_bytes") / 1e9, bench_number(report, "device_peak_bytes") / 1e9);
    bench_print_operations(report);
    (void)printf("host: packing, losses, copies. One more step, each operation waited for: %.4f s in all.\n",
                 bench_number(report, "profiled_seconds"));
}

static int run(arguments *a) {
    hone_bench_step_options options;
    hone_bench_step_result result;
    int code = bench_steps_options(&a->steps, &options);

    if (code == 0)
        code = parse_pack(a, &options);
    a->bench.trained = a->steps.full;
    if (code == 0)
        code = bench_open(&a->bench);
    if (code != 0)
        return code;
    hone_status status = hone_bench_step(a->bench.model, &options, &result);
    if (status == HONE_OK)
        status = bench_measure_machine(&a->bench);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &options, &result), print)
                             : cli_fail(status);
}

int hone_bench_cmd_step(int argc, const char **argv) {
    arguments a = {.bench.verb = argv[0], .steps = bench_steps_defaults()};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        STEP_OPTIONS(a.steps),
        {"pack", '\0', POPT_ARG_STRING, &a.pack, 0,
         "trie, sequences, padded, or naive: padded, and the reference at every step (trie)", "P"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    bench_steps_clear(&a.steps);
    free(a.pack);
    return code;
}
