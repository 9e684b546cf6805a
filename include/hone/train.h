/**
 * Training: options, the loop, what it reports and what it leaves in the run folder.
 *
 * A run folder holds config.yaml (the effective options), metrics.jsonl (a line a step, TRL's
 * names), checkpoints/step-N.hone, with the option `tensorboard` TensorBoard's event files in tensorboard/ and, at the
 * end, final/ (a model folder, or a PEFT folder). With held-out rows also eval.jsonl (a line an evaluation) and best/, the
 * state with the lowest held-out loss, as final/.
 */
#ifndef HONE_TRAIN_H
#define HONE_TRAIN_H

#include <hone/device.h>
#include <hone/export.h>
#include <hone/loss.h>
#include <hone/model.h>
#include <hone/pack.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stdint.h>

HONE_BEGIN

typedef enum hone_schedule {
    HONE_SCHEDULE_CONSTANT = 0,
    HONE_SCHEDULE_LINEAR,
    HONE_SCHEDULE_COSINE
} hone_schedule;

/** Text fields are owned by the options (hone_train_options_set copies); free with hone_train_options_clear.
 */
typedef struct hone_train_options {
    char *model, *data, *out; /**< required; data: FILE[:WEIGHT],.. as hone train --help has it */
    char *adapter;            /**< PEFT folder to start from */
    char *reference;          /**< model folder of the reference; NULL: the starting model, adapter off */
    char *template_name;      /**< built-in name or file; NULL: plain */
    char *device, *isa, *matmul;
    char *dtype;      /**< "f32" or "bf16": factors of matrix products */
    char *base_dtype; /**< "auto", "f32", "bf16", "q8": how LoRA's frozen base is kept */
    char
        *cache; /**< folder of reference log-probabilities and of `stream`; NULL: DATA.hone beside the data */
    char *method;
    hone_loss_options loss;
    char *pack;     /**< trie, sequences, naive (six padded sequences a pair, reference every step) */
    char *schedule; /**< constant, linear, cosine */
    bool full;
    char *eval_data;   /**< held-out rows; NULL: none */
    double eval_split; /**< share of the prompts of `data` that is held out, by a hash of (seed, prompt) */
    int64_t eval_every,
        patience; /**< steps between evaluations; evaluations without a better one until the end, 0: all */
    int64_t lora_rank;
    double lora_alpha, lora_dropout;
    char *lora_targets;
    double lr, warmup; /**< warmup: steps, or the ratio of all steps when below 1 */
    double weight_decay, clip, adam_beta1, adam_beta2, adam_epsilon;
    int64_t batch_pairs, accumulate, steps; /**< steps 0: epochs decide */
    double epochs;
    int64_t seed, pack_tokens, max_length, save_every, keep, threads;
    bool
        stream; /**< tokens of the data in a file of `cache` that is mapped, not in memory: the same run, to the bit */
    bool resume, allow_fallback, tensorboard;
    char *memory_limit; /**< bytes (K, M, G: powers of 1000), "auto": what is free, "none" */
} hone_train_options;

typedef enum hone_option_kind {
    HONE_OPTION_TEXT = 0,
    HONE_OPTION_INTEGER,
    HONE_OPTION_REAL,
    HONE_OPTION_FLAG
} hone_option_kind;
/** A row of the one table that flags, YAML and documentation come from. */
typedef struct hone_option_info {
    const char *name; /**< "batch-pairs": the flag is --batch-pairs */
    hone_option_kind kind;
    const char *metavar, *help;
} hone_option_info;
/** Row i, from 0; NULL past the last. */
HONE_API const hone_option_info *hone_train_option_info(size_t i);

HONE_API HONE_MUST_USE hone_status hone_train_options_init(hone_train_options *options);
HONE_API void hone_train_options_clear(hone_train_options *options);
/** Sets one option from its text; HONE_ERROR_ARGUMENT for an unknown name, a malformed value. `value` NULL
 * sets a flag. */
HONE_API HONE_MUST_USE hone_status hone_train_options_set(hone_train_options *options, const char *name,
                                                          const char *value);
/** Sets options from a YAML file: a flat mapping of the flags' names to scalars. Errors carry FILE:LINE. */
HONE_API HONE_MUST_USE hone_status hone_train_options_load(hone_train_options *options, const char *path);
/** Ranges, required fields, method-dependent defaults (beta, lr) for what was not set. Call once, after all
 * sets. */
HONE_API HONE_MUST_USE hone_status hone_train_options_check(hone_train_options *options);
/** The YAML text of all options; free with hone_text_free. */
HONE_API HONE_MUST_USE hone_status hone_train_options_text(const hone_train_options *options, char **text);

/** What one optimizer step did. */
typedef struct hone_train_metrics {
    int64_t step, steps;
    double epoch, loss, learning_rate, grad_norm;
    double reward_chosen, reward_rejected, reward_margin, reward_accuracy, logp_chosen, logp_rejected;
    double improvement, generation; /**< SRPO */
    int64_t pairs, packs, packed_tokens, naive_tokens;
    double seconds, pairs_per_second, tokens_per_second, seconds_left; /**< tokens: packed tokens */
} hone_train_metrics;

typedef struct hone_train_summary {
    int64_t steps, pairs, parameters, trainable;
    int64_t planned; /**< steps of the whole run: more than `steps` when the patience ended it */
    double seconds, loss, tree_ratio, pairs_per_second;
    uint64_t peak_bytes;
    int64_t recomputed; /**< layers that backward ran again, to stay under the memory limit */
    char final_folder[1024], checkpoint[1024];
    int64_t best_step; /**< with the lowest held-out loss; 0: nothing was evaluated */
    double best_loss;
} hone_train_summary;

/** What a run does one after the other; the largest sum is its peak. */
#define HONE_MEMORY_LINES 24
typedef enum hone_memory_phase {
    HONE_MEMORY_OPENING = 0, /**< reading model and data */
    HONE_MEMORY_REFERENCE,   /**< one pass over the data without gradient */
    HONE_MEMORY_STEPS,
    HONE_MEMORY_SAVING, /**< checkpoints and the final folder */
    HONE_MEMORY_PHASES
} hone_memory_phase;
typedef struct hone_memory_line {
    const char *name;
    bool on_device; /**< in the device's memory, which for the built-in backend is the process's own */
    uint64_t bytes[HONE_MEMORY_PHASES];
} hone_memory_line;
/** Memory before step 1: what is allocated when, in bytes, and what the process holds besides (measured). */
typedef struct hone_train_memory {
    hone_memory_line line[HONE_MEMORY_LINES];
    int lines;
    uint64_t sum[HONE_MEMORY_PHASES];
    hone_memory_phase phase; /**< of the peak */
    uint64_t peak;
    uint64_t limit;             /**< options.memory_limit in bytes; 0: none */
    int64_t layers, recomputed; /**< of the model; of these, the fewest whose recomputation meets the limit */
    int64_t tokens;             /**< of the largest pack of a step, at most */
} hone_train_memory;

/** What one evaluation of the held-out rows found; means over rows, SFT's loss over completion tokens. */
typedef struct hone_train_evaluation {
    int64_t step;
    double loss, margin, accuracy; /**< as in hone_train_metrics, without dropout */
    bool best;                     /**< the lowest loss so far: saved in OUT/best */
    int64_t best_step;
    double best_loss;
} hone_train_evaluation;

/** All callbacks may be NULL. `stop` is asked after every step: true saves a checkpoint and ends the run with
 *  HONE_ERROR_INTERRUPTED. `prepared` is told of slow preparation (tokens, reference log-probabilities), done of total, and
 *  `stop` asked then too: there is nothing to save before step 1. */
typedef struct hone_train_observer {
    void *context;
    void (*stepped)(void *context, const hone_train_metrics *metrics);
    void (*prepared)(void *context, const char *what, int64_t done, int64_t total);
    bool (*stop)(void *context);
    void (*evaluated)(void *context, const hone_train_evaluation *evaluation);
} hone_train_observer;

/**
 * Runs, or resumes (options.resume) from the newest usable checkpoint. The step-0 self-check compares the
 * first loss with what the method's mathematics says when policy = reference (HONE_ERROR_NUMERIC).
 */
HONE_API HONE_MUST_USE hone_status hone_train(const hone_train_options *options,
                                              const hone_train_observer *observer,
                                              hone_train_summary *summary);
/** Opens model and data as hone_train would, and says what memory the run will take. Runs nothing, writes nothing.
 *  HONE_ERROR_MEMORY when it can't stay under the limit (hone_train then does not start either); the table is filled. */
HONE_API HONE_MUST_USE hone_status hone_train_plan(const hone_train_options *options,
                                                   hone_train_memory *memory);

HONE_END

#endif
