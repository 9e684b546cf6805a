/* hone bench checkpoint: how small and how fast checkpoints are, against plain zstd. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char summary[] =
    "hone bench checkpoint: how small and how fast checkpoints are, against plain zstd\n\n"
    "All weights are trained for a few steps, so that the numbers are those of training; then each kind is "
    "written, "
    "synced\n"
    "and read back, and compressed by zstd alone at the same level, its bytes not split in planes.";
static const char example[] = "  hone bench checkpoint --model smollm2\n"
                              "  hone bench checkpoint --shape 288,768,6,6,6,32000 --folder /mnt/disk/bench";

typedef struct arguments {
    bench bench;
    char *folder;
    long long steps, warmup, runs;
} arguments;

static json_t *kind(const hone_bench_kind *k) {
    return json_pack("{s:s,s:f,s:f,s:f,s:f,s:f,s:f,s:o,s:o,s:f,s:f,s:o}", "name", k->name, "ratio",
                     k->stored_bytes / k->raw_bytes, "raw_bytes", k->raw_bytes, "stored_bytes",
                     k->stored_bytes, "save_bytes_per_s", k->raw_bytes / k->save.median,
                     "save_bytes_per_core_s", k->save_core, "load_bytes_per_s", k->raw_bytes / k->load.median,
                     "save", bench_times(&k->save), "load", bench_times(&k->load), "plain_ratio",
                     k->plain_bytes / k->raw_bytes, "plain_bytes_per_s", k->raw_bytes / k->plain.median,
                     "plain", bench_times(&k->plain));
}

/** A checkpoint of a full run: float32 weights and both moments. */
static double whole(const hone_bench_checkpoint_result *r) {
    double raw = 0.0, stored = 0.0;
    for (int i = 0; i < HONE_BENCH_KINDS; i++)
        if (strstr(r->kind[i].name, "f32") != NULL && strstr(r->kind[i].name, "bf16") == NULL) {
            raw += r->kind[i].raw_bytes;
            stored += r->kind[i].stored_bytes;
        }
    return stored / raw;
}

static json_t *make_report(const arguments *a, const hone_bench_checkpoint_result *r) {
    json_t *rows = json_array(), *settings = bench_settings(&a->bench);

    for (int i = 0; i < HONE_BENCH_KINDS; i++)
        json_array_append_new(rows, kind(&r->kind[i]));
    json_object_set_new(settings, "steps", json_integer(a->steps));
    return json_pack("{s:s,s:f,s:I,s:o,s:o}", "bench", "checkpoint", "ratio", whole(r), "parameters",
                     (json_int_t)r->parameters, "kinds", rows, "settings", settings);
}

static void print(const json_t *report) {
    const json_t *s = json_object_get(report, "settings");
    size_t i = 0;
    json_t *row = NULL;

    (void)printf("%s: %.0f weights after %.0f steps\n\n", bench_text(s, "model"),
                 bench_number(report, "parameters"), bench_number(s, "steps"));
    (void)printf("%-20s %9s %7s %10s %12s %10s %16s\n", "", "MB", "stored", "save MB/s", "a core MB/s",
                 "load MB/s", "plain zstd");
    json_array_foreach(json_object_get(report, "kinds"), i, row)(void)
        printf("%-20s %9.1f %7.3f %10.0f %12.0f %10.0f %7.3f, %.0f MB/s\n", bench_text(row, "name"),
               bench_number(row, "raw_bytes") / 1e6, bench_number(row, "ratio"),
               bench_number(row, "save_bytes_per_s") / 1e6, bench_number(row, "save_bytes_per_core_s") / 1e6,
               bench_number(row, "load_bytes_per_s") / 1e6, bench_number(row, "plain_ratio"),
               bench_number(row, "plain_bytes_per_s") / 1e6);
    (void)printf(
        "\nfloat32 weights and moments together: %.3f of raw. Saving is to the disk, synced; loading "
        "verifies.\n",
        bench_number(report, "ratio"));
}

/** --folder, or a new one where temporary files go. */
static char *make_folder(const arguments *a) {
    const char *temporary = getenv("TMPDIR");
    char path[4096];

    if (a->folder != NULL)
        return strdup(a->folder);
    (void)snprintf(path, sizeof path, "%s/hone-bench-XXXXXX", temporary != NULL ? temporary : "/tmp");
    return mkdtemp(path) != NULL ? strdup(path) : NULL;
}

static int run(arguments *a) {
    hone_bench_checkpoint_result result;

    a->bench.trained = 1; /* moments belong to weights that can be trained */
    const int code = bench_open(&a->bench);

    if (code != 0)
        return code;
    char *folder = make_folder(a);
    if (folder == NULL)
        return cli_error("no temporary folder could be made: pass --folder");
    const hone_status status =
        hone_bench_checkpoint(a->bench.model, folder, a->steps, a->warmup, a->runs, &result);
    if (a->folder == NULL)
        (void)rmdir(folder);
    free(folder);
    return status == HONE_OK ? bench_report(&a->bench, make_report(a, &result), print) : cli_fail(status);
}

int hone_bench_cmd_checkpoint(int argc, const char **argv) {
    arguments a = {.bench.verb = argv[0], .steps = 3, .warmup = 1, .runs = 3};
    struct poptOption options[] = {
        BENCH_OPTIONS(a.bench),
        {"folder", '\0', POPT_ARG_STRING, &a.folder, 0,
         "where to write (a new one in TMPDIR, which is removed again)", "DIR"},
        {"steps", '\0', POPT_ARG_LONGLONG, &a.steps, 0, "training steps before (3)", "N"},
        {"warmup", '\0', POPT_ARG_LONGLONG, &a.warmup, 0, "times before the clock starts (1)", "N"},
        {"runs", '\0', POPT_ARG_LONGLONG, &a.runs, 0, "timed runs (3)", "N"},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    bench_close(&a.bench);
    free(a.folder);
    return code;
}
