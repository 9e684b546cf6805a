#include <bench/profile.h>
#include <bench/times.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <model/model.h>
#include <model/network.h>
#include <sample/choose.h>
#include <string.h>
#include <tensor/tensor.h>

/** Tokens of one prefill call, as the sampler has it. */
enum { CHUNK = 256 };

typedef struct decoding {
    const hone_bench_decode_options *options;
    hone_model *model;
    hn_decoder *decoder;
    hn_choice choice;
    int64_t slab; /**< cache rows of a sequence */
    int32_t *token, *position, *cache_row, *row;
    hone_segment *segment;
    int32_t (*range)[2];
    float *logits;   /**< [batch][V] */
    double *seconds; /**< [HONE_BENCH_BATCHES][rounds * tokens] */
    double *prompts; /**< [batch] */
    hn_profile *profile;
} decoding;

hone_bench_decode_options hone_bench_decode_defaults(void) {
    return (hone_bench_decode_options){
        .prompt_tokens = 128, .tokens = 16, .batch = 32, .warmup = 1, .rounds = 3};
}

static hone_status check(const hone_bench_decode_options *options, int64_t positions) {
    const struct {
        const char *what;
        int64_t value, least, most;
    } limits[] = {{"prompt tokens", options->prompt_tokens, 1, 1 << 20},
                  {"decoded tokens", options->tokens, 1, 1 << 20},
                  {"sequences", options->batch, 1, 1 << (HONE_BENCH_BATCHES - 1)},
                  {"warm-up rounds", options->warmup, 0, 1 << 16},
                  {"timed rounds", options->rounds, 1, 1 << 16}};

    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (limits[i].value < limits[i].least || limits[i].value > limits[i].most)
            return hn_fail(HONE_ERROR_ARGUMENT, "%lld %s: it takes %lld to %lld", (long long)limits[i].value,
                           limits[i].what, (long long)limits[i].least, (long long)limits[i].most);
    if (options->prompt_tokens + options->tokens > positions)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "%lld prompt and %lld decoded tokens are past the model's %lld positions",
                       (long long)options->prompt_tokens, (long long)options->tokens, (long long)positions);
    return HONE_OK;
}

static hone_status make_room(decoding *d, hone_adapter *adapter) {
    const hone_bench_decode_options *o = d->options;
    const size_t batch = (size_t)o->batch, tokens = batch > CHUNK ? batch : CHUNK;
    const size_t vocabulary = (size_t)hone_model_configuration(d->model)->vocabulary;

    d->slab = o->prompt_tokens + o->tokens;
    HN_TRY(hn_alloc(&d->token, tokens, sizeof *d->token, "decode step"));
    HN_TRY(hn_alloc(&d->position, tokens, sizeof *d->position, "decode step"));
    HN_TRY(hn_alloc(&d->cache_row, tokens, sizeof *d->cache_row, "decode step"));
    HN_TRY(hn_alloc(&d->row, tokens, sizeof *d->row, "decode step"));
    HN_TRY(hn_alloc(&d->segment, tokens, sizeof *d->segment, "decode step"));
    HN_TRY(hn_alloc(&d->range, tokens, sizeof *d->range, "decode step"));
    HN_TRY(hn_alloc(&d->logits, batch * vocabulary, sizeof *d->logits, "logits"));
    HN_TRY(hn_alloc(&d->prompts, batch, sizeof *d->prompts, "times"));
    HN_TRY(hn_alloc(&d->seconds, (size_t)(HONE_BENCH_BATCHES * o->rounds * o->tokens), sizeof *d->seconds,
                    "times"));
    return hn_decoder_create(d->model, adapter, d->slab * o->batch, (int64_t)tokens, o->batch, &d->decoder);
}

static void clear(decoding *d) {
    hn_decoder_destroy(d->decoder);
    hn_choice_clear(&d->choice);
    hn_free(d->token);
    hn_free(d->position);
    hn_free(d->cache_row);
    hn_free(d->row);
    hn_free(d->segment);
    hn_free(d->range);
    hn_free(d->logits);
    hn_free(d->prompts);
    hn_free(d->seconds);
}

/** Query i: `id` at `position` of the slab that begins at row `first`. */
static void put_token(decoding *d, int64_t i, int64_t first, int32_t id, int64_t position) {
    d->token[i] = id;
    d->position[i] = (int32_t)position;
    d->cache_row[i] = (int32_t)(first + position);
}

/** Queries [begin, end) continue the slab's keys from `position` on. */
static void put_segment(decoding *d, int64_t i, int64_t first, int64_t begin, int64_t end, int64_t position) {
    d->range[i][0] = (int32_t)first;
    d->range[i][1] = (int32_t)(first + position);
    d->segment[i] = (hone_segment){(int32_t)begin, (int32_t)end,   (int32_t)(first + position),
                                   (int32_t)i,     (int32_t)i + 1, (int32_t)end};
}

static hone_status run(decoding *d, int64_t tokens, int64_t segments) {
    const hn_decoder_step step = {.tokens = tokens,
                                  .segments = segments,
                                  .ranges = segments,
                                  .logits = segments,
                                  .token = d->token,
                                  .position = d->position,
                                  .cache_row = d->cache_row,
                                  .segment = (const int32_t *)d->segment,
                                  .range = (const int32_t *)d->range,
                                  .row = d->row};
    return hn_decoder_run(d->decoder, &step, d->logits);
}

static int32_t random_token(const decoding *d, int64_t sequence, int64_t position) {
    const uint64_t index = (uint64_t)sequence << 32 | (uint64_t)position;
    return (int32_t)hn_random_below((uint64_t)d->options->seed, HN_PURPOSE_TEST, 0, index,
                                    (uint64_t)hone_model_configuration(d->model)->vocabulary);
}

/** The prompt of one sequence, a chunk at a time. */
static hone_status prefill(decoding *d, int64_t sequence) {
    const int64_t first = sequence * d->slab, all = d->options->prompt_tokens;
    for (int64_t at = 0; at < all;) {
        const int64_t n = all - at < CHUNK ? all - at : CHUNK;
        for (int64_t i = 0; i < n; i++)
            put_token(d, i, first, random_token(d, sequence, at + i), at + i);
        put_segment(d, 0, first, 0, n, at);
        d->row[0] = (int32_t)(n - 1);
        HN_TRY(run(d, n, 1));
        at += n;
    }
    return HONE_OK;
}

/** A token of each of `batch` sequences at `position`, then the next one drawn of each. */
static hone_status step(decoding *d, int64_t batch, int64_t position) {
    static const hone_sample_options greedy = {.top_p = 1.0};
    const int64_t vocabulary = hone_model_configuration(d->model)->vocabulary;
    double logp = 0.0;

    for (int64_t i = 0; i < batch; i++) {
        put_token(d, i, i * d->slab, d->token[i], position);
        put_segment(d, i, i * d->slab, i, i + 1, position);
        d->row[i] = (int32_t)i;
    }
    if (d->profile != NULL)
        d->profile->pairs = (double)batch * (double)(position + 1);
    HN_TRY(run(d, batch, batch));
    for (int64_t i = 0; i < batch; i++)
        HN_TRY(
            hn_choose(&d->choice, d->logits + i * vocabulary, vocabulary, &greedy, 0.0, &d->token[i], &logp));
    return HONE_OK;
}

/** Decodes from the end of the prompts on; `seconds` [tokens] may be NULL. */
static hone_status decode_round(decoding *d, int64_t batch, double *seconds) {
    for (int64_t i = 0; i < batch; i++)
        d->token[i] = random_token(d, i, d->options->prompt_tokens);
    for (int64_t t = 0; t < d->options->tokens; t++) {
        const double began = hn_seconds();
        HN_TRY(step(d, batch, d->options->prompt_tokens + t));
        if (seconds != NULL)
            seconds[t] = hn_seconds() - began;
    }
    return HONE_OK;
}

static hone_status run_prompts(decoding *d, hone_bench_decode_result *result) {
    for (int64_t i = 0; i < d->options->warmup && i < 1; i++)
        HN_TRY(prefill(d, 0));
    for (int64_t i = 0; i < d->options->batch; i++) {
        const double began = hn_seconds();
        HN_TRY(prefill(d, i));
        d->prompts[i] = hn_seconds() - began;
    }
    result->prompt = hn_times_of(d->prompts, d->options->batch);
    return HONE_OK;
}

static hone_status run_rounds(decoding *d, hone_bench_decode_result *result) {
    const hone_bench_decode_options *o = d->options;
    const int64_t each = o->rounds * o->tokens;

    for (int64_t batch = 1; batch <= o->batch; batch *= 2)
        result->batches[result->count++].batch = batch;
    for (int64_t round = -o->warmup; round < o->rounds; round++)
        for (int64_t b = 0; b < result->count; b++)
            HN_TRY(decode_round(d, result->batches[b].batch,
                                round < 0 ? NULL : d->seconds + b * each + round * o->tokens));
    for (int64_t b = 0; b < result->count; b++)
        result->batches[b].step = hn_times_of(d->seconds + b * each, each);
    return HONE_OK;
}

static hone_status run_profile(decoding *d, hone_bench_decode_result *result) {
    hone_device *device = hone_model_device(d->model);
    hn_profile profile = {0};
    const double began = hn_seconds();

    d->profile = &profile;
    hn_device_set_profile(device, &profile);
    const hone_status status = decode_round(d, 1, NULL);
    hn_device_set_profile(device, NULL);
    d->profile = NULL;
    hn_profile_rows(&profile, hn_seconds() - began, &result->profile);
    return status;
}

/** Of an embedding table that is no head, a step reads a row a token. */
static void count_bytes(const decoding *d, hone_bench_decode_result *result) {
    const hone_model_config *config = &d->model->config;
    const hn_parameters *weights = &d->model->weights;
    const double size = (double)hone_dtype_size(weights->dtype);
    uint64_t table = 0;
    const double seen = (double)d->options->prompt_tokens + 0.5 * (double)(d->options->tokens + 1);

    result->dtype = weights->storage;
    result->weight_bytes = (double)weights->bytes;
    if (!config->tied && hn_tensor_span(&weights->item[d->model->embedding].value, &table))
        result->weight_bytes -= (double)table;
    result->cache_bytes = 2.0 * seen * size * (double)(config->layers * config->kv_heads * config->head_dim);
    result->peak_bytes = hn_peak_bytes();
    result->device_peak_bytes = hone_device_peak_bytes(hone_model_device(d->model));
}

hone_status hone_bench_decode(hone_model *model, hone_adapter *adapter,
                              const hone_bench_decode_options *options, hone_bench_decode_result *result) {
    decoding d = {.options = options, .model = model};
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_TRY(check(options, hone_model_configuration(model)->max_positions));
    HN_GO(make_room(&d, adapter));
    HN_GO(run_prompts(&d, result));
    HN_GO(run_rounds(&d, result));
    HN_GO(run_profile(&d, result));
    count_bytes(&d, result);
done:
    clear(&d);
    return status;
}
