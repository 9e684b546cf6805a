#include <core/memory.h>
#include <core/status.h>
#include <errno.h>
#include <hone/suggest.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <train/options.h>

#define TEXT(name, field, metavar, help)                                                                     \
    { {name, HONE_OPTION_TEXT, metavar, help}, offsetof(hone_train_options, field) }
#define INTEGER(name, field, metavar, help)                                                                  \
    { {name, HONE_OPTION_INTEGER, metavar, help}, offsetof(hone_train_options, field) }
#define REAL(name, field, metavar, help)                                                                     \
    { {name, HONE_OPTION_REAL, metavar, help}, offsetof(hone_train_options, field) }
#define FLAG(name, field, help)                                                                              \
    { {name, HONE_OPTION_FLAG, NULL, help}, offsetof(hone_train_options, field) }

static const struct row {
    hone_option_info info;
    size_t offset;
} rows[] = {
    TEXT("model", model, "DIR", "model folder to train (Hugging Face layout)"),
    TEXT("data", data, "FILE[:WEIGHT],..",
         "preference rows, JSONL (.gz, .zst); an epoch has WEIGHT times a file's rows"),
    TEXT("out", out, "RUN", "run folder: metrics, checkpoints, final"),
    TEXT("method", method, "M", "srpo, dpo, ipo, rpo, simpo or sft"),
    TEXT("adapter", adapter, "DIR", "PEFT folder to start from"),
    TEXT("reference", reference, "DIR", "model folder of the reference (the starting model)"),
    TEXT("template", template_name, "T", "template: built-in name or file (plain)"),
    REAL("beta", loss.beta, "B", "regularisation, or SimPO's scale"),
    REAL("alpha", loss.alpha, "A", "SRPO: weight of the improvement loss, 0 to 1"),
    REAL("gamma", loss.gamma, "G", "SimPO: target margin"),
    REAL("rpo-lambda", loss.rpo_lambda, "X", "RPO: weight of the chosen answer's NLL"),
    REAL("label-smoothing", loss.label_smoothing, "E", "DPO: probability that a label is flipped"),
    FLAG("length-normalize", loss.length_normalize, "mean instead of summed log-probabilities"),
    FLAG("ipo-sums", loss.ipo_sums, "IPO: summed log-probabilities"),
    FLAG("full", full, "train all weights instead of a LoRA adapter"),
    INTEGER("lora-rank", lora_rank, "R", "LoRA rank"),
    REAL("lora-alpha", lora_alpha, "A", "LoRA alpha: the product is scaled by alpha / rank"),
    REAL("lora-dropout", lora_dropout, "P", "dropout of the adapter's input"),
    TEXT("lora-targets", lora_targets, "a,b", "adapted linear layers, or all-linear"),
    REAL("lr", lr, "L", "peak learning rate (2e-5 for LoRA, 1e-6 full)"),
    TEXT("schedule", schedule, "S", "constant, linear or cosine"),
    REAL("warmup", warmup, "W", "warm-up steps, or below 1 the share of all steps"),
    REAL("weight-decay", weight_decay, "W", "decoupled decay of matrices"),
    REAL("clip", clip, "C", "largest gradient norm; 0: no clipping"),
    REAL("adam-beta1", adam_beta1, "B", "decay of the first moment"),
    REAL("adam-beta2", adam_beta2, "B", "decay of the second moment"),
    REAL("adam-epsilon", adam_epsilon, "E", "AdamW's epsilon"),
    INTEGER("batch-pairs", batch_pairs, "N", "pairs a micro-batch"),
    INTEGER("accumulate", accumulate, "K", "micro-batches a step"),
    REAL("epochs", epochs, "E", "passes over the data"),
    INTEGER("steps", steps, "S", "optimizer steps (instead of epochs)"),
    INTEGER("seed", seed, "S", "seed of shuffling, dropout and new weights"),
    TEXT("pack", pack, "P", "trie, sequences, or naive: six padded sequences, reference every step"),
    INTEGER("pack-tokens", pack_tokens, "T", "most packed tokens of one forward pass"),
    INTEGER("max-length", max_length, "T",
            "longest sequence; longer prompts lose their start (0: the model's)"),
    TEXT("eval-data", eval_data, "FILE",
         "held-out rows: their loss in RUN/eval.jsonl, the best state in RUN/best"),
    REAL("eval-split", eval_split, "F",
         "instead: the share of the prompts in the data that is held out, with all their rows"),
    INTEGER("eval-every", eval_every, "K", "steps between evaluations of the held-out rows"),
    INTEGER("patience", patience, "N", "stop after N evaluations without a lower loss (0: never)"),
    INTEGER("save-every", save_every, "K", "steps between checkpoints (0: at the end alone)"),
    INTEGER("keep", keep, "N", "checkpoints kept"),
    FLAG("tensorboard", tensorboard, "the metrics as TensorBoard scalars too, in RUN/tensorboard"),
    FLAG("stream", stream,
         "keep the tokens of the data in a file of --cache's folder and read rows from there: for data "
         "larger than memory"),
    FLAG("resume", resume, "go on from the newest good checkpoint of RUN"),
    TEXT("cache", cache, "DIR",
         "folder of what is computed once: reference log-probabilities, tokens (DATA.hone)"),
    TEXT("memory-limit", memory_limit, "M",
         "most memory to take: bytes (K, M, G), auto (what is free) or none; layers are recomputed to fit"),
    TEXT("device", device, "D", "device, as `hone devices` names it"),
    INTEGER("threads", threads, "N", "threads (0: all processors)"),
    TEXT("isa", isa, "I", "instruction set override"),
    TEXT("matmul", matmul, "P", "matrix product provider override"),
    TEXT("dtype", dtype, "T", "products in f32, or in bf16 where the processor has them (faster)"),
    TEXT("base-dtype", base_dtype, "T", "LoRA's frozen base in f32, bf16, q8, or auto: as it is in the file"),
    FLAG("allow-fallback", allow_fallback, "run operations that the device lacks on the host"),
};
enum { ROWS = sizeof rows / sizeof rows[0] };

const hone_option_info *hone_train_option_info(size_t i) { return i < ROWS ? &rows[i].info : NULL; }

const hone_option_info *hn_train_option(size_t i, const hone_train_options *options, const void **field) {
    if (i >= ROWS)
        return NULL;
    *field = (const char *)options + rows[i].offset;
    return &rows[i].info;
}

hone_status hone_train_options_init(hone_train_options *options) {
    const hone_lora_options lora = hone_lora_defaults();

    memset(options, 0, sizeof *options);
    options->loss = hone_loss_defaults(HONE_SRPO);
    /* NaN marks "not given": the method's own default is filled in by the check. */
    options->loss.beta = options->loss.alpha = options->loss.gamma = options->loss.rpo_lambda = options->lr =
        NAN;
    options->lora_rank = lora.rank;
    options->lora_alpha = lora.alpha;
    options->lora_dropout = lora.dropout;
    options->warmup = 0.0;
    options->weight_decay = 0.01;
    options->clip = 1.0;
    options->adam_beta1 = 0.9;
    options->adam_beta2 = 0.999;
    options->adam_epsilon = 1e-8;
    options->eval_every = 100;
    options->batch_pairs = 4;
    options->accumulate = 1;
    options->epochs = 1.0;
    options->pack_tokens = 2048;
    options->keep = 2;
    HN_TRY(hone_train_options_set(options, "lora-targets", lora.targets));
    HN_TRY(hone_train_options_set(options, "schedule", "linear"));
    HN_TRY(hone_train_options_set(options, "pack", "trie"));
    HN_TRY(hone_train_options_set(options, "memory-limit", "auto"));
    HN_TRY(hone_train_options_set(options, "dtype", "f32"));
    HN_TRY(hone_train_options_set(options, "base-dtype", "auto"));
    return hone_train_options_set(options, "template", "plain");
}

void hone_train_options_clear(hone_train_options *options) {
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].info.kind == HONE_OPTION_TEXT) {
            char **text = (char **)((char *)options + rows[i].offset);
            hn_free(*text);
            *text = NULL;
        }
}

static hone_status set_text(char **field, const char *value) {
    char *copy = NULL;
    HN_TRY(hn_strdup(&copy, value));
    hn_free(*field);
    *field = copy;
    return HONE_OK;
}

static hone_status set_integer(int64_t *field, const char *name, const char *value) {
    char *end = NULL;
    errno = 0;
    const long long number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s \"%s\": must be a whole number of 64 bits", name, value);
    *field = number;
    return HONE_OK;
}

static hone_status set_real(double *field, const char *name, const char *value) {
    char *end = NULL;
    const double number = strtod(value, &end);
    if (end == value || *end != '\0' || !isfinite(number))
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s \"%s\": must be a finite number", name, value);
    *field = number;
    return HONE_OK;
}

static hone_status set_flag(bool *field, const char *name, const char *value) {
    if (value == NULL || strcmp(value, "true") == 0 || strcmp(value, "yes") == 0)
        *field = true;
    else if (strcmp(value, "false") == 0 || strcmp(value, "no") == 0)
        *field = false;
    else
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s \"%s\": must be true or false", name, value);
    return HONE_OK;
}

hone_status hone_train_options_set(hone_train_options *options, const char *name, const char *value) {
    for (size_t i = 0; i < ROWS; i++) {
        void *field = (char *)options + rows[i].offset;
        if (strcmp(rows[i].info.name, name) != 0)
            continue;
        if (value == NULL && rows[i].info.kind != HONE_OPTION_FLAG)
            return hn_fail(HONE_ERROR_ARGUMENT, "--%s needs a value", name);
        switch (rows[i].info.kind) {
        case HONE_OPTION_TEXT:
            return set_text(field, value);
        case HONE_OPTION_INTEGER:
            return set_integer(field, name, value);
        case HONE_OPTION_REAL:
            return set_real(field, name, value);
        case HONE_OPTION_FLAG:
            return set_flag(field, name, value);
        }
    }
    const char *known[ROWS], *meant = NULL;
    for (size_t i = 0; i < ROWS; i++)
        known[i] = rows[i].info.name;
    if ((meant = hone_suggest(name, known, ROWS)) != NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "there is no training option \"%s\": did you mean \"%s\"?", name,
                       meant);
    return hn_fail(HONE_ERROR_ARGUMENT, "there is no training option \"%s\": see `hone train --help`", name);
}
