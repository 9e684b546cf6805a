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
    char *method, *pack, *lora_targets;
    long long prompt, completion, instruction, lora_rank, pairs, pack_tokens, warmup, steps, seed;
    int full;
} arguments;

static hone_status make_options(const arguments *a, hone_bench_step_options *options) {
    hone_method method = HONE_SRPO;
    const hone_status status = hone_method_parse(a->method != NULL ? a->method : "srpo", &method);

    *options = hone_bench_step_defaults();
    options->loss = hone_loss_defaults(method);
    options->full = a->full != 0;
    options->prompt_tokens = a->prompt;
    options->completion_tokens = a->completion;
    options->instruction_tokens = a->instruction;
    options->lora.rank = a->lora_rank;
    options->lora.targets = a->lora_targets != NULL ? a->lora_targets : options->lora.targets;
    options->pairs = a->pairs;
    options->pack_tokens = a->pack_tokens;
    options->warmup = a->warmup;
    options->steps = a->steps;
    options->seed = a->seed;
    return status;
}

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
    json_t *more = json_pack(
        "{s:s,s:s,s:b,s:I,s:s,s:I,s:I,s:I,s:I,s:I,s:s}", "method", hone_method_name(options->loss.method),
        "pack", a->pack != NULL ? a->pack : "trie", "full", (int)options->full, "lora_rank",
        (json_int_t)(options->full ? 0 : options->lora.rank), "lora_targets",
        options->full ? "" : options->lora.targets, "prompt_tokens", (json_int_t)options->prompt_tokens,
        "completion_tokens", (json_int_t)options->completion_tokens, "instruction_tokens",
        (json_int_t)options->instruction_tokens, "pairs", (json_int_t)options->pairs, "pack_tokens",
        (json_int_t)options->pack_tokens, "dtype", hone_dtype_name(result->dtype));
    json_object_update(object, more);
    json_decref(more);
    return object;
}

static json_t *make_report(const arguments *a, const hone_bench_step_options *options,
                           const hone_bench_step_result *r) {
    const double rate = r->flops / r->step.median, peak = bench_peak(&a->bench, r->dtype);

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

    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf(
        "%s: %s, pack %s, prompt %.0f, completion %.0f, instruction %.0f tokens, %.0f pair(s) a step, ",
        bench_text(s, "model"), bench_text(s, "method"), bench_text(s, "pack"),
        bench_number(s, "prompt_tokens"), bench_number(s, "completion_tokens"),
        bench_number(s, "instruction_tokens"), bench_number(s, "pairs"));
    if (bench_number(s, "lora_rank") > 0.0)
        (void)printf("LoRA r %.0f on %s, %s\n\n", bench_number(s, "lora_rank"), bench_text(s, "lora_targets"),
                     bench_text(s, "dtype"));
    else
        (void)printf("all weights, %s\n\n", bench_text(s, "dtype"));
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
    hone_status status = make_options(a, &options);
    int code = 0;

    if (status != HONE_OK)
        return cli_fail(status);
    code = parse_pack(a, &options);
    if (code == 0)
        code = bench_open(&a->bench);
    if (code != 0)
        return code;
    status = hone_bench_step(a->bench.model, &options, &result);
    if (status == HONE_OK)
        status = bench_measure_again(&a->bench);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &options, &result), print)
                             : cli_fail(status);
}

int hone_bench_cmd_step(int argc, const char **argv) {
    const hone_bench_step_options defaults = hone_bench_step_defaults();
    arguments a = {.bench.verb = argv[0],
                   .prompt = defaults.prompt_tokens,
                   .completion = defaults.completion_tokens,
                   .instruction = defaults.instruction_tokens,
                   .lora_rank = defaults.lora.rank,
                   .pairs = defaults.pairs,
                   .warmup = defaults.warmup,
                   .steps = defaults.steps};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"method", '\0', POPT_ARG_STRING, &a.method, 0, "srpo, dpo, ipo, rpo, simpo or sft (srpo)", "M"},
        {"prompt-tokens", '\0', POPT_ARG_LONGLONG, &a.prompt, 0, "tokens of a prompt (350)", "P"},
        {"completion-tokens", '\0', POPT_ARG_LONGLONG, &a.completion, 0, "tokens of a completion (35)", "C"},
        {"instruction-tokens", '\0', POPT_ARG_LONGLONG, &a.instruction, 0,
         "tokens that ask for a revision, after a draft (8)", "K"},
        {"full", '\0', POPT_ARG_NONE, &a.full, 0, "train all weights instead of a LoRA adapter", NULL},
        {"lora-rank", '\0', POPT_ARG_LONGLONG, &a.lora_rank, 0, "LoRA rank (16)", "R"},
        {"lora-targets", '\0', POPT_ARG_STRING, &a.lora_targets, 0,
         "adapted linear layers, or all-linear (q_proj,v_proj)", "a,b"},
        {"pack", '\0', POPT_ARG_STRING, &a.pack, 0,
         "trie, sequences, padded, or naive: padded, and the reference at every step (trie)", "P"},
        {"pairs", '\0', POPT_ARG_LONGLONG, &a.pairs, 0, "pairs a step (1)", "N"},
        {"pack-tokens", '\0', POPT_ARG_LONGLONG, &a.pack_tokens, 0,
         "most packed tokens of one forward pass (0: all pairs of a step)", "T"},
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "steps before the clock starts (1)", "N"},
        {"steps", '\0', POPT_ARG_LONGLONG, &a.steps, 0, "timed steps (5)", "N"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a.seed, 0, "seed of tokens and adapter (0)", "S"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    free(a.method);
    free(a.pack);
    free(a.lora_targets);
    return code;
}
