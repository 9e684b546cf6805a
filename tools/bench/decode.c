/* hone bench decode: tokens per second against the time that reading the weights takes. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

static const char summary[] =
    "hone bench decode: how fast tokens are written, by how many sequences are written at once\n\n"
    "Every token reads all weights, and the keys and values of what came before. The share of bandwidth is "
    "that of "
    "these\n"
    "bytes in what can be read from memory meanwhile (measured). Tokens are random, drawing the next one "
    "included.";
static const char example[] = "  hone bench decode --model smollm2\n"
                              "  hone bench decode --model smollm2 --json --compare before.json";

typedef struct arguments {
    bench bench;
    char *adapter;
    long long prompt, tokens, batch, warmup, rounds, seed;
} arguments;

static json_t *settings(const arguments *a, const hone_bench_decode_result *result) {
    json_t *object = bench_settings(&a->bench);
    json_t *more = json_pack("{s:I,s:I,s:s,s:s}", "prompt_tokens", (json_int_t)a->prompt, "tokens",
                             (json_int_t)a->tokens, "adapter", a->adapter != NULL ? a->adapter : "",
                             "weights", hone_dtype_name(result->dtype));
    json_object_update(object, more);
    json_decref(more);
    return object;
}

static double tokens_per_second(const hone_bench_decode_result *r, int64_t i) {
    return (double)r->batches[i].batch / r->batches[i].step.median;
}

static json_t *batch_row(const hone_bench_decode_result *r, int64_t i, double bandwidth) {
    const double bytes = r->weight_bytes + (double)r->batches[i].batch * r->cache_bytes;
    char name[32];

    (void)snprintf(name, sizeof name, "%lld", (long long)r->batches[i].batch);
    return json_pack("{s:s,s:f,s:f,s:o,s:f,s:o}", "name", name, "tokens_per_s", tokens_per_second(r, i),
                     "times_batch1", tokens_per_second(r, i) / tokens_per_second(r, 0), "seconds",
                     bench_times(&r->batches[i].step), "bytes", bytes, "bandwidth_share",
                     bench_share(bytes / r->batches[i].step.median, bandwidth));
}

static json_t *make_report(const arguments *a, const hone_bench_decode_result *r) {
    const hone_machine *machine = &a->bench.machine;
    const double read = r->weight_bytes + r->cache_bytes, peak = bench_peak(&a->bench);
    json_t *rows = json_array();

    for (int64_t i = 0; i < r->count; i++)
        json_array_append_new(rows, batch_row(r, i, machine->read_bytes));
    return json_pack(
        "{s:s,s:f,s:o,s:f,s:o,s:f,s:f,s:o,s:o,s:I,s:I,s:o,s:f,s:f,s:o}", "bench", "decode",
        "batch1_tokens_per_s", tokens_per_second(r, 0), "bandwidth_share",
        bench_share(read / r->batches[0].step.median, machine->read_bytes), "prompt_tokens_per_s",
        (double)a->prompt / r->prompt.median, "prompt_seconds", bench_times(&r->prompt), "weight_bytes",
        r->weight_bytes, "cache_bytes", r->cache_bytes, "read_bytes_per_s",
        machine->read_bytes > 0.0 ? json_real(machine->read_bytes) : json_null(), "batches", rows,
        "peak_bytes", (json_int_t)r->peak_bytes, "device_peak_bytes", (json_int_t)r->device_peak_bytes,
        "operations", bench_operations(&r->profile, peak), "profiled_seconds", r->profile.seconds,
        "host_seconds", bench_host_seconds(&r->profile), "settings", settings(a, r));
}

static void print_batches(const json_t *report) {
    size_t i = 0;
    json_t *row = NULL;

    (void)printf("%-10s %10s %12s %24s %10s\n", "sequences", "tokens/s", "times one", "ms a token of each",
                 "bandwidth");
    json_array_foreach(json_object_get(report, "batches"), i, row) {
        (void)printf("%-10s %10.1f %12.2f %8.2f (%.2f to %.2f)", bench_text(row, "name"),
                     bench_number(row, "tokens_per_s"), bench_number(row, "times_batch1"),
                     1e3 * bench_number(row, "seconds.median"), 1e3 * bench_number(row, "seconds.min"),
                     1e3 * bench_number(row, "seconds.max"));
        if (json_is_number(json_object_get(row, "bandwidth_share")))
            (void)printf(" %6.1f %%", 100.0 * bench_number(row, "bandwidth_share"));
        (void)putchar('\n');
    }
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");

    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf("%s: %.0f tokens each after prompts of %.0f, %s\n\n", bench_text(s, "model"),
                 bench_number(s, "tokens"), bench_number(s, "prompt_tokens"), bench_text(s, "weights"));
    (void)printf("prompt     %10.1f tokens/s\n", bench_number(report, "prompt_tokens_per_s"));
    (void)printf("reads      %10.1f MB of weights a token, and %.2f MB of keys and values of each sequence\n",
                 bench_number(report, "weight_bytes") / 1e6, bench_number(report, "cache_bytes") / 1e6);
    if (json_is_number(json_object_get(report, "read_bytes_per_s")))
        (void)printf("bandwidth  %10.1f GB/s measured: at most %.1f tokens/s of one sequence\n",
                     bench_number(report, "read_bytes_per_s") / 1e9,
                     bench_number(report, "read_bytes_per_s") /
                         (bench_number(report, "weight_bytes") + bench_number(report, "cache_bytes")));
    (void)printf("memory     %10.2f GB at most, the whole process; %.2f GB in the device's buffers\n\n",
                 bench_number(report, "peak_bytes") / 1e9, bench_number(report, "device_peak_bytes") / 1e9);
    print_batches(report);
    bench_print_operations(report);
    (void)printf(
        "host: drawing tokens, copies. One more round of one sequence, each operation waited for.\n");
}

static int run(arguments *a) {
    const hone_bench_decode_options options = {.prompt_tokens = a->prompt,
                                               .tokens = a->tokens,
                                               .batch = a->batch,
                                               .warmup = a->warmup,
                                               .rounds = a->rounds,
                                               .seed = a->seed};
    hone_bench_decode_result result;
    hone_adapter *adapter = NULL;
    hone_status status = HONE_OK;
    const int code = bench_open(&a->bench);

    if (code != 0)
        return code;
    if (a->adapter != NULL)
        status = hone_adapter_open(a->bench.model, a->adapter, &adapter);
    if (status == HONE_OK)
        status = hone_bench_decode(a->bench.model, adapter, &options, &result);
    if (status == HONE_OK)
        status = bench_measure_machine(&a->bench);
    hone_adapter_destroy(adapter);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &result), print) : cli_fail(status);
}

int hone_bench_cmd_decode(int argc, const char **argv) {
    const hone_bench_decode_options defaults = hone_bench_decode_defaults();
    arguments a = {.bench.verb = argv[0],
                   .prompt = defaults.prompt_tokens,
                   .tokens = defaults.tokens,
                   .batch = defaults.batch,
                   .warmup = defaults.warmup,
                   .rounds = defaults.rounds};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"adapter", '\0', POPT_ARG_STRING, &a.adapter, 0, "PEFT folder on top of the model", "DIR"},
        {"prompt-tokens", '\0', POPT_ARG_LONGLONG, &a.prompt, 0, "tokens of the prompts (128)", "P"},
        {"tokens", '\0', POPT_ARG_LONGLONG, &a.tokens, 0, "tokens that each sequence writes in a round (16)",
         "N"},
        {"batch", '\0', POPT_ARG_LONGLONG, &a.batch, 0, "1, 2, 4, ... sequences, up to N (32)", "N"},
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "rounds before the clock starts (1)", "N"},
        {"rounds", '\0', POPT_ARG_LONGLONG, &a.rounds, 0, "timed rounds; batches take turns (3)", "N"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a.seed, 0, "seed of the tokens (0)", "S"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    free(a.adapter);
    return code;
}
