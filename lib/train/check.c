#include <core/status.h>
#include <hone/model.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <train/options.h>

hone_status hn_schedule_parse(const char *name, hone_schedule *schedule) {
    static const char *const names[] = {"constant", "linear", "cosine"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *schedule = (hone_schedule)i;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_ARGUMENT, "--schedule \"%s\": must be constant, linear or cosine", name);
}

hone_status hn_pack_parse(const char *name, hone_pack_layout *layout) {
    static const char *const names[] = {"trie", "sequences", "naive"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *layout = (hone_pack_layout)i;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_ARGUMENT, "--pack \"%s\": must be trie, sequences or naive", name);
}

hone_status hn_limit_parse(const char *text, uint64_t *bytes) {
    static const char suffixes[] = "KMG";
    double unit = 1.0;
    char *end = NULL;

    *bytes = strcmp(text, "auto") == 0 ? HN_LIMIT_AUTO : 0;
    if (*bytes == HN_LIMIT_AUTO || strcmp(text, "none") == 0)
        return HONE_OK;
    const double number = strtod(text, &end);
    const char *suffix = end != text && *end != '\0' ? strchr(suffixes, *end) : NULL;
    for (const char *s = suffixes; suffix != NULL && s <= suffix; s++)
        unit *= 1000.0;
    if (end == text || (*end != '\0' && (suffix == NULL || end[1] != '\0')) || !(number > 0.0) ||
        !(number * unit >= 1.0 && number * unit < 1e18))
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--memory-limit \"%s\": must be bytes with an optional K, M or G (900M), auto or none",
                       text);
    *bytes = (uint64_t)(number * unit);
    return HONE_OK;
}

static hone_status required(const char *name, const char *value) {
    if (value == NULL || value[0] == '\0')
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s is required: see `hone train --help`", name);
    return HONE_OK;
}

static hone_status at_least(const char *name, int64_t value, int64_t least) {
    if (value < least)
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s is %lld, must be at least %lld", name, (long long)value,
                       (long long)least);
    return HONE_OK;
}

static hone_status within(const char *name, double value, double least, double below) {
    if (!(value >= least && value < below))
        return hn_fail(HONE_ERROR_ARGUMENT, "--%s is %g, must be at least %g and below %g", name, value,
                       least, below);
    return HONE_OK;
}

static void fill(double *value, double fallback) {
    if (isnan(*value))
        *value = fallback;
}

static hone_status check_dtypes(const hone_train_options *options) {
    hone_weights weights = HONE_WEIGHTS_FULL;

    if (strcmp(options->dtype, "f32") != 0 && strcmp(options->dtype, "bf16") != 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--dtype \"%s\": must be f32 or bf16", options->dtype);
    if (hone_weights_parse(options->base_dtype, &weights) != HONE_OK)
        return hn_fail(HONE_ERROR_ARGUMENT, "--base-dtype \"%s\": must be auto, f32, bf16 or q8",
                       options->base_dtype);
    if (options->full && weights != HONE_WEIGHTS_AUTO && weights != HONE_WEIGHTS_FULL)
        return hn_fail(
            HONE_ERROR_ARGUMENT,
            "--base-dtype %s is for the frozen base of an adapter: with --full all weights are trained, in "
            "f32: leave out one of the two",
            options->base_dtype);
    return HONE_OK;
}

/** What was not given takes the method's published default. */
static hone_status fill_method(hone_train_options *options) {
    HN_TRY(required("method", options->method));
    HN_TRY(hone_method_parse(options->method, &options->loss.method));
    const hone_loss_options defaults = hone_loss_defaults(options->loss.method);
    fill(&options->loss.beta, defaults.beta);
    fill(&options->loss.alpha, defaults.alpha);
    fill(&options->loss.gamma, defaults.gamma);
    fill(&options->loss.rpo_lambda, defaults.rpo_lambda);
    fill(&options->lr, options->full ? 1e-6 : 2e-5);
    return hone_loss_check(&options->loss);
}

hone_status hone_train_options_check(hone_train_options *options) {
    hone_schedule schedule;
    hone_pack_layout layout;
    uint64_t limit = 0;

    HN_TRY(required("model", options->model));
    HN_TRY(required("data", options->data));
    HN_TRY(required("out", options->out));
    HN_TRY(fill_method(options));
    HN_TRY(hn_schedule_parse(options->schedule, &schedule));
    HN_TRY(hn_pack_parse(options->pack, &layout));
    HN_TRY(hn_limit_parse(options->memory_limit, &limit));
    HN_TRY(check_dtypes(options));
    HN_TRY(within("lr", options->lr, 0.0, INFINITY));
    HN_TRY(within("warmup", options->warmup, 0.0, 1e12));
    HN_TRY(within("weight-decay", options->weight_decay, 0.0, INFINITY));
    HN_TRY(within("clip", options->clip, 0.0, INFINITY));
    HN_TRY(within("adam-beta1", options->adam_beta1, 0.0, 1.0));
    HN_TRY(within("adam-beta2", options->adam_beta2, 0.0, 1.0));
    HN_TRY(within("adam-epsilon", options->adam_epsilon, 0.0, INFINITY));
    HN_TRY(within("lora-dropout", options->lora_dropout, 0.0, 1.0));
    HN_TRY(at_least("lora-rank", options->lora_rank, 1));
    HN_TRY(at_least("batch-pairs", options->batch_pairs, 1));
    HN_TRY(at_least("accumulate", options->accumulate, 1));
    HN_TRY(at_least("steps", options->steps, 0));
    HN_TRY(at_least("seed", options->seed, 0));
    HN_TRY(at_least("pack-tokens", options->pack_tokens, 2));
    HN_TRY(at_least("max-length", options->max_length, 0));
    HN_TRY(at_least("save-every", options->save_every, 0));
    HN_TRY(at_least("eval-every", options->eval_every, 1));
    HN_TRY(at_least("patience", options->patience, 0));
    HN_TRY(within("eval-split", options->eval_split, 0.0, 1.0));
    if (options->eval_split > 0.0 && options->eval_data != NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--eval-split and --eval-data are two ways to name the held-out rows: "
                       "pass one");
    if (options->patience > 0 && options->eval_data == NULL && !(options->eval_split > 0.0))
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--patience %lld waits for a lower held-out loss: pass --eval-data or --eval-split",
                       (long long)options->patience);
    HN_TRY(at_least("keep", options->keep, 1));
    HN_TRY(at_least("threads", options->threads, 0));
    if (options->pack_tokens > 1 << 24)
        return hn_fail(HONE_ERROR_ARGUMENT, "--pack-tokens is %lld, must be at most %d",
                       (long long)options->pack_tokens, 1 << 24);
    if (options->steps == 0)
        HN_TRY(within("epochs", options->epochs, 1e-6, 1e9));
    if (options->full && options->adapter != NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--full and --adapter exclude each other: leave out one, or merge the adapter first");
    return HONE_OK;
}
