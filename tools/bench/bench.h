/** What the parts of `hone bench` share: options, the model, the machine's rates, the report. */
#ifndef HONE_TOOLS_BENCH_H
#define HONE_TOOLS_BENCH_H

#include <hone/bench.h>
#include <hone/device.h>
#include <hone/model.h>
#include <jansson.h>
#include <popt.h>

/** Options that all parts take, and what they open. */
typedef struct bench {
    const char *verb; /**< "bench step" */
    char *model_path, *shape, *device_name, *isa, *matmul, *compare;
    int threads, allow_fallback, json;

    hone_device *device;
    hone_model *model;
    hone_machine machine; /**< rates 0 where the device is not this machine's processor */
} bench;

#define BENCH_OPTIONS(b)                                                                                     \
    {"model", '\0', POPT_ARG_STRING, &(b).model_path, 0, "model folder", "DIR"},                             \
        {"shape",                                                                                            \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(b).shape,                                                                                         \
         0,                                                                                                  \
         "instead of a folder: random weights of width D, hidden width F, L layers, H heads, K key/value "   \
         "heads, vocabulary V",                                                                              \
         "D,F,L,H,K,V"},                                                                                     \
        {"device", '\0', POPT_ARG_STRING, &(b).device_name, 0, "device, as `hone devices` names it", "D"},   \
        {"threads", '\0', POPT_ARG_INT, &(b).threads, 0, "threads (0: all processors)", "N"},                \
        {"isa", '\0', POPT_ARG_STRING, &(b).isa, 0, "instruction set override", "I"},                        \
        {"matmul", '\0', POPT_ARG_STRING, &(b).matmul, 0, "matrix product provider override", "P"},          \
        {"allow-fallback",                                                                                   \
         '\0',                                                                                               \
         POPT_ARG_NONE,                                                                                      \
         &(b).allow_fallback,                                                                                \
         0,                                                                                                  \
         "run operations that the device lacks on the host",                                                 \
         NULL},                                                                                              \
        {"json", '\0', POPT_ARG_NONE, &(b).json, 0, "as JSON", NULL}, {                                      \
        "compare", '\0', POPT_ARG_STRING, &(b).compare, 0,                                                   \
            "an earlier --json output: every figure as a ratio to it", "FILE"                                \
    }

/** Opens the device and measures what it can do at most. Returns 0, or the exit code after printing why not. */
int bench_open_device(bench *b);
/** The same, and the configuration of --model or --shape. */
int bench_open_config(bench *b, hone_model_config *config);
/** The same, and the model. */
int bench_open(bench *b);
/** Measures the machine once more, after what was timed, and keeps the better rates. */
hone_status bench_measure_again(bench *b);
void bench_close(bench *b);

/** What was measured on, for the report's "settings": device, detail, threads, model. */
json_t *bench_settings(const bench *b);
/** {"median","min","max","runs"}, seconds. */
json_t *bench_times(const hone_times *times);
/** The peak of products in this dtype; 0: unknown. */
double bench_peak(const bench *b, hone_dtype dtype);
/** value / of; null where `of` is 0. */
json_t *bench_share(double value, double of);
/** Rows of a profile: name, seconds, share, calls, flops, flops_per_s, share_of_peak. `peak`: of the products, 0: unknown. */
json_t *bench_operations(const hone_profile *profile, double peak);
/** What no operation took. */
double bench_host_seconds(const hone_profile *profile);
/** A table of a report's "operations", "host_seconds" and "profiled_seconds". */
void bench_print_operations(const json_t *report);
/** A text of a report; "" where absent. */
const char *bench_text(const json_t *object, const char *key);
/** Numbers of a report by path ("seconds.median"); 0 where absent. */
double bench_number(const json_t *object, const char *key);

/**
 * Ends a part: `report` has "bench", figures, and "settings" (no figures). Prints it as JSON, or through `print`, and
 * what --compare asks for. Drops the reference; returns the exit code.
 */
int bench_report(const bench *b, json_t *report, void (*print)(const json_t *report));
/** The ratios of the figures of two reports, by path; elements of arrays go by their "name". New reference. */
json_t *bench_compare(const json_t *report, const json_t *earlier);

int hone_bench_cmd_decode(int argc, const char **argv);
int hone_bench_cmd_gemm(int argc, const char **argv);
int hone_bench_cmd_step(int argc, const char **argv);

#endif
