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
    char *model_path, *shape, *device_name, *isa, *matmul, *dtype, *weights, *compare;
    int threads, allow_fallback, json;
    int trained; /**< the weights will be: they are kept in full */

    json_t *earlier; /**< what --compare names, read before the work */
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
        {"dtype",    '\0', POPT_ARG_STRING,                                                                  \
         &(b).dtype, 0,    "products in f32, or in bf16 where the processor has them (f32)",                 \
         "T"},                                                                                               \
        {"weights",    '\0', POPT_ARG_STRING,                                                                \
         &(b).weights, 0,    "frozen weights in f32, bf16, q8 (8 bits), or auto: as in the file (auto)",     \
         "T"},                                                                                               \
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

/** Opens the device. Returns 0, or the exit code after printing why not. */
int bench_open_device(bench *b);
/** The same, and the configuration of --model or --shape. */
int bench_open_config(bench *b, hone_model_config *config);
/** The same, and the model. */
int bench_open(bench *b);
/** Measures what the machine can do at most, twice, and keeps the better rates: what else runs only makes slower. After
 *  what was timed, so that the array that is read is no part of its peak memory. */
hone_status bench_measure_machine(bench *b);
void bench_close(bench *b);

/** What was measured on, for the report's "settings": device, detail, threads, model. */
json_t *bench_settings(const bench *b);
/** {"median","min","max","runs"}, seconds. */
json_t *bench_times(const hone_times *times);
/** The dtype that factors of products have: what the device was asked for and can. */
hone_dtype bench_dtype(const bench *b);
/** The peak of products in it; 0: unknown. */
double bench_peak(const bench *b);

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

/** Options of the parts that train on synthetic pairs. */
typedef struct bench_steps {
    char *method, *lora_targets;
    long long prompt, completion, instruction, lora_rank, pairs, pack_tokens, warmup, steps, seed;
    int full;
} bench_steps;

#define STEP_OPTIONS(s)                                                                                      \
    {"method", '\0', POPT_ARG_STRING, &(s).method, 0, "srpo, dpo, ipo, rpo, simpo or sft (srpo)", "M"},      \
        {"prompt-tokens", '\0', POPT_ARG_LONGLONG, &(s).prompt, 0, "tokens of a prompt (350)", "P"},         \
        {"completion-tokens",           '\0', POPT_ARG_LONGLONG, &(s).completion, 0,                         \
         "tokens of a completion (35)", "C"},                                                                \
        {"instruction-tokens",                                                                               \
         '\0',                                                                                               \
         POPT_ARG_LONGLONG,                                                                                  \
         &(s).instruction,                                                                                   \
         0,                                                                                                  \
         "tokens that ask for a revision, after a draft (8)",                                                \
         "K"},                                                                                               \
        {"full", '\0', POPT_ARG_NONE, &(s).full, 0, "train all weights instead of a LoRA adapter", NULL},    \
        {"lora-rank", '\0', POPT_ARG_LONGLONG, &(s).lora_rank, 0, "LoRA rank (16)", "R"},                    \
        {"lora-targets",                                                                                     \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(s).lora_targets,                                                                                  \
         0,                                                                                                  \
         "adapted linear layers, or all-linear (q_proj,v_proj)",                                             \
         "a,b"},                                                                                             \
        {"pairs", '\0', POPT_ARG_LONGLONG, &(s).pairs, 0, "pairs a step (1)", "N"},                          \
        {"pack-tokens",                                                                                      \
         '\0',                                                                                               \
         POPT_ARG_LONGLONG,                                                                                  \
         &(s).pack_tokens,                                                                                   \
         0,                                                                                                  \
         "most packed tokens of one forward pass (0: all pairs of a step)",                                  \
         "T"},                                                                                               \
        {"warmup", '\0', POPT_ARG_LONGLONG, &(s).warmup, 0, "steps before the clock starts (1)", "N"},       \
        {"steps", '\0', POPT_ARG_LONGLONG, &(s).steps, 0, "timed steps (5)", "N"}, {                         \
        "seed", '\0', POPT_ARG_LONGLONG, &(s).seed, 0, "seed of tokens and adapter (0)", "S"                 \
    }

bench_steps bench_steps_defaults(void);
void bench_steps_clear(bench_steps *steps);
/** Returns 0, or the exit code after printing why not. Borrows texts. */
int bench_steps_options(const bench_steps *steps, hone_bench_step_options *options);
/** Adds what was asked for to a report's "settings", and prints it. */
void bench_steps_settings(const hone_bench_step_options *options, json_t *settings);
void bench_print_steps(const json_t *settings);

int hone_bench_cmd_checkpoint(int argc, const char **argv);
int hone_bench_cmd_decode(int argc, const char **argv);
int hone_bench_cmd_gemm(int argc, const char **argv);
int hone_bench_cmd_load(int argc, const char **argv);
int hone_bench_cmd_pack(int argc, const char **argv);
int hone_bench_cmd_revise(int argc, const char **argv);
int hone_bench_cmd_step(int argc, const char **argv);

#endif
