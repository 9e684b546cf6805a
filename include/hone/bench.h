/**
 * Measuring: how fast things are here, against what this machine can do at most.
 *
 * Everything is warmed up first and repeated; times come as median, least and most. Inputs are synthetic and a function
 * of a seed. Rates to compare with (multiply-adds on registers alone, bytes read from memory) are measured in the same
 * process.
 */
#ifndef HONE_BENCH_H
#define HONE_BENCH_H

#include <hone/loss.h>
#include <hone/model.h>
#include <hone/pack.h>
#include <hone/template.h>
#include <hone/tokenizer.h>

HONE_BEGIN

/** Seconds of one run, over `runs` runs. */
typedef struct hone_times {
    double median, min, max;
    int64_t runs;
} hone_times;

/** An operation of a device over what was profiled. */
typedef struct hone_profile_row {
    const char *name; /**< "linear_backward"; a constant */
    double seconds;
    int64_t calls;
    double flops; /**< of its products, a multiply and an add counted as two; 0: it has none */
} hone_profile_row;
enum { HONE_PROFILE_ROWS = 64 };
typedef struct hone_profile {
    double seconds; /**< from begin to end, what is not an operation included */
    hone_profile_row row[HONE_PROFILE_ROWS];
    int64_t rows; /**< those that ran, slowest first */
} hone_profile;

/** What the processors can do at most, all threads together, per second. */
typedef struct hone_machine {
    int threads;
    const char *isa;   /**< whose registers: "avx512", "avx2", "scalar"; a constant */
    double f32_flops;  /**< float32 multiply-adds on registers, counted as two */
    double bf16_flops; /**< bf16 products added in float32; 0: there is no such instruction */
    double read_bytes; /**< read from memory, from an array far larger than the caches */
} hone_machine;
/** Measures, in about a second. `isa` names the best instruction set to use, NULL: what there is. `threads` 0: the
 *  processors this process may run on. */
HONE_API HONE_MUST_USE hone_status hone_machine_measure(const char *isa, int threads, hone_machine *machine);

typedef struct hone_bench_step_options {
    hone_loss_options loss;
    hone_pack_layout layout;
    bool full;           /**< all weights; else LoRA */
    bool reference_anew; /**< the reference's forward pass at every step, as peers do; else once, before */
    hone_lora_options lora;
    int64_t prompt_tokens, completion_tokens;
    int64_t instruction_tokens; /**< what asks for a revision, after a draft */
    int64_t pairs;              /**< a step */
    int64_t pack_tokens; /**< most tokens of one forward pass; 0: what the pairs of a step need together */
    int64_t warmup, steps;
    int64_t seed;
} hone_bench_step_options;
/** SRPO, trie, LoRA, prompts of 350 and completions of 35 tokens, an instruction of 8, 1 pair, 1 + 5 steps. */
HONE_API hone_bench_step_options hone_bench_step_defaults(void);

typedef struct hone_bench_step_result {
    hone_times step;
    double pairs_per_second, tokens_per_second; /**< of the median; tokens: packed */
    double flops;                               /**< of a step's products */
    int64_t packs, packed_tokens, naive_tokens, padded_tokens, scored_rows, visible_pairs; /**< of a step */
    int64_t parameters, trainable;
    hone_dtype dtype;                       /**< that the model's matrices are stored in */
    uint64_t peak_bytes, device_peak_bytes; /**< of the process so far, and of the device's buffers */
    hone_profile profile;                   /**< of one more step */
} hone_bench_step_result;
/** Training steps on `model`, whose weights change when `full`. */
HONE_API HONE_MUST_USE hone_status hone_bench_step(hone_model *model, const hone_bench_step_options *options,
                                                   hone_bench_step_result *result);

/** The ways to lay out a pair's sequences. */
enum { HONE_BENCH_TRIE = 0, HONE_BENCH_SEQUENCES, HONE_BENCH_PADDED, HONE_BENCH_NAIVE, HONE_BENCH_LAYOUTS };
typedef struct hone_bench_pack_result {
    struct hone_bench_layout {
        const char *name; /**< "trie", "sequences", "padded", "naive"; a constant */
        hone_times step;
        double flops;             /**< of a step's products */
        int64_t tokens;           /**< that pass through the network in a step, the reference's not counted */
        uint64_t plan_bytes;      /**< activations and workspace of a network for such packs */
    } layout[HONE_BENCH_LAYOUTS]; /**< naive: padded, and the reference computed at every step */
    int64_t pairs;
} hone_bench_pack_result;
/** The same steps on the same pairs in every layout, in turn; options->layout and reference_anew are not read. */
HONE_API HONE_MUST_USE hone_status hone_bench_pack(hone_model *model, const hone_bench_step_options *options,
                                                   hone_bench_pack_result *result);

typedef struct hone_bench_decode_options {
    int64_t prompt_tokens; /**< already in the cache of every sequence */
    int64_t tokens;        /**< decoded by every sequence in a round */
    int64_t batch;         /**< the largest: 1, 2, 4, ... up to it */
    int64_t warmup, rounds;
    int64_t seed;
} hone_bench_decode_options;
/** Prompts of 128, 16 tokens, up to 32 sequences, 1 + 3 rounds. */
HONE_API hone_bench_decode_options hone_bench_decode_defaults(void);

enum { HONE_BENCH_BATCHES = 11 };
typedef struct hone_bench_decode_result {
    hone_times prompt;   /**< of one prompt of prompt_tokens */
    double weight_bytes; /**< weights that a step reads, whatever the batch */
    double cache_bytes;  /**< keys and values that a step reads for each sequence, on average */
    hone_dtype dtype;    /**< that the model's matrices are stored in */
    struct hone_bench_batch {
        int64_t batch;
        hone_times step; /**< a token of every sequence, drawing it (greedily) included */
    } batches[HONE_BENCH_BATCHES];
    int64_t count;
    uint64_t peak_bytes, device_peak_bytes;
    hone_profile profile; /**< of one more round with a single sequence */
} hone_bench_decode_result;
/** Batches take turns in every round. `adapter` may be NULL. */
HONE_API HONE_MUST_USE hone_status hone_bench_decode(hone_model *model, hone_adapter *adapter,
                                                     const hone_bench_decode_options *options,
                                                     hone_bench_decode_result *result);

typedef struct hone_bench_gemm_options {
    int64_t tokens;    /**< T of the layers; 0: those of a step's pack with hone_bench_step_defaults */
    int64_t head_rows; /**< T of the head; 0: the rows that such a pack scores */
    int64_t lora_rank; /**< 0: without LoRA's factors */
    int64_t warmup, runs;
} hone_bench_gemm_options;
/** The step's rows, LoRA of rank 16, 2 + 9 runs. */
HONE_API hone_bench_gemm_options hone_bench_gemm_defaults(void);

/** y[T,O] = x[T,I] w[O,I]^T, dx[T,I] = dy w, dw[O,I] = dy^T x: 2TIO each. */
typedef struct hone_bench_product {
    char name[64]; /**< the linears that have this shape: "q_proj,o_proj" */
    int64_t tokens, inputs, outputs;
    int64_t uses; /**< of the shape in one forward pass */
    hone_times forward, dx, dw;
} hone_bench_product;
enum { HONE_BENCH_PRODUCTS = 16 };
typedef struct hone_bench_gemm_result {
    hone_bench_product product[HONE_BENCH_PRODUCTS];
    int64_t count;
    hone_dtype dtype;
} hone_bench_gemm_result;
/** Every linear's shape of a model that is not there, as recorded programs of that linear alone. */
HONE_API HONE_MUST_USE hone_status hone_bench_gemm(hone_device *device, const hone_model_config *config,
                                                   const hone_bench_gemm_options *options,
                                                   hone_bench_gemm_result *result);

typedef struct hone_bench_load_result {
    hone_times tokenizer, model; /**< opening each */
    hone_times first_token;      /**< from there to the first token of an answer to a prompt of one word */
    hone_times ready;            /**< all of it */
    int64_t parameters;
    double file_bytes;   /**< of the weights' files */
    double weight_bytes; /**< of the weights on the device */
} hone_bench_load_result;
/** Opens a model folder, again and again, until it has written a token; the page cache is warm after the first time. */
HONE_API HONE_MUST_USE hone_status hone_bench_load(hone_device *device, const char *folder, int64_t warmup,
                                                   int64_t runs, hone_bench_load_result *result);

/** A kind of numbers in a checkpoint. Bytes a second are of the raw bytes. */
typedef struct hone_bench_kind {
    const char *name; /**< "weights f32"; a constant */
    double raw_bytes, stored_bytes;
    hone_times save, load; /**< file and folder on the disk, and back verified */
    double save_core;      /**< raw bytes saved per second of processor time */
    double plain_bytes;    /**< what the same zstd level makes of the same bytes, unsplit */
    hone_times plain;      /**< compressing them so, in memory */
} hone_bench_kind;
enum { HONE_BENCH_KINDS = 4 };
typedef struct hone_bench_checkpoint_result {
    hone_bench_kind kind[HONE_BENCH_KINDS]; /**< weights as float32 and as bf16, AdamW's two moments */
    int64_t parameters;
} hone_bench_checkpoint_result;
/** Trains all weights of `model` for `steps` steps, so that the numbers are those of training, then saves them to a file
 *  in `folder`, which is made where it is missing; the file is removed again. */
HONE_API HONE_MUST_USE hone_status hone_bench_checkpoint(hone_model *model, const char *folder, int64_t steps,
                                                         int64_t warmup, int64_t runs,
                                                         hone_bench_checkpoint_result *result);

typedef struct hone_bench_revise_options {
    int64_t prompt_tokens; /**< about: whole words */
    int64_t tokens;        /**< of a draft, at most */
    int64_t revisions;
    int64_t warmup, rounds;
} hone_bench_revise_options;
/** Prompts of 350, drafts of 35 tokens, 4 revisions, 1 + 5 rounds. */
HONE_API hone_bench_revise_options hone_bench_revise_defaults(void);

/** Answering a prompt and revising the answer. Tokens are of all revisions, the first draft left out. */
typedef struct hone_bench_revising {
    hone_times prefill; /**< computing the contexts of all revisions */
    hone_times whole;   /**< everything, the first draft too */
    int64_t prefilled, reused, written;
} hone_bench_revising;
typedef struct hone_bench_revise_result {
    hone_bench_revising
        kept; /**< what a context has in common with what is there keeps its keys and values */
    hone_bench_revising afresh; /**< every context is computed whole */
    int64_t prompt_tokens;
} hone_bench_revise_result;
/** Both ways in turn, with the sampler itself, at temperature 1 and with the same numbers drawn. */
HONE_API HONE_MUST_USE hone_status hone_bench_revise(hone_model *model, hone_adapter *adapter,
                                                     const hone_tokenizer *tokenizer,
                                                     const hone_template *form,
                                                     const hone_bench_revise_options *options,
                                                     hone_bench_revise_result *result);

HONE_END

#endif
