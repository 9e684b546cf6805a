/* hone bench load: a model folder, until it writes its first token. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>

static const char summary[] =
    "hone bench load: how long a model folder takes until it writes its first token\n\n"
    "The folder is opened again and again; after the first time its files are in the page cache.";
static const char example[] = "  hone bench load --model smollm2";

typedef struct arguments {
    bench bench;
    long long warmup, runs;
} arguments;

static json_t *make_report(const arguments *a, const hone_bench_load_result *r) {
    return json_pack("{s:s,s:f,s:o,s:o,s:o,s:o,s:f,s:f,s:f,s:I,s:o}", "bench", "load", "ready_seconds",
                     r->ready.median, "tokenizer", bench_times(&r->tokenizer), "model",
                     bench_times(&r->model), "first_token", bench_times(&r->first_token), "ready",
                     bench_times(&r->ready), "file_bytes", r->file_bytes, "weight_bytes", r->weight_bytes,
                     "file_bytes_per_s", r->file_bytes / r->model.median, "parameters",
                     (json_int_t)r->parameters, "settings", bench_settings(&a->bench));
}

static void print_times(const json_t *report, const char *what, const char *key) {
    const json_t *times = json_object_get(report, key);
    (void)printf("%-14s %9.4f s   (%.4f to %.4f, median of %.0f)\n", what, bench_number(times, "median"),
                 bench_number(times, "min"), bench_number(times, "max"), bench_number(times, "runs"));
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");

    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf("%s: %.0f weights, files of %.1f MB, %.1f MB on the device\n\n", bench_text(s, "model"),
                 bench_number(report, "parameters"), bench_number(report, "file_bytes") / 1e6,
                 bench_number(report, "weight_bytes") / 1e6);
    print_times(report, "tokenizer", "tokenizer");
    print_times(report, "weights", "model");
    print_times(report, "first token", "first_token");
    print_times(report, "ready", "ready");
    (void)printf("\nweights come from their files at %.0f MB/s\n",
                 bench_number(report, "file_bytes_per_s") / 1e6);
}

static int run(arguments *a) {
    hone_bench_load_result result;

    if (a->bench.model_path == NULL)
        return cli_usage(a->bench.verb, "--model is required");
    if (a->bench.shape != NULL)
        return cli_usage(a->bench.verb, "--shape is not a folder that could be opened: pass --model");
    const int code = bench_open_device(&a->bench);
    if (code != 0)
        return code;
    const hone_status status =
        hone_bench_load(a->bench.device, a->bench.model_path, a->warmup, a->runs, &result);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &result), print) : cli_fail(status);
}

int hone_bench_cmd_load(int argc, const char **argv) {
    arguments a = {.bench.verb = argv[0], .warmup = 1, .runs = 5};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "times before the clock starts (1)", "N"},
        {"runs", '\0', POPT_ARG_LONGLONG, &a.runs, 0, "timed runs (5)", "N"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    return code;
}
