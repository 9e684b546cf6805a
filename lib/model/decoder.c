#include <core/memory.h>
#include <core/status.h>
#include <model/builder.h>
#include <model/network.h>
#include <tensor/tensor.h>

struct hn_decoder {
    hone_device *device;
    hn_program *program;
    int64_t rows, width, tokens, logits_most, vocabulary, max_positions;
    hone_dtype dtype;
    uint64_t *cache; /**< [2 layers] buffers: keys, then values, of each layer */
    int64_t cache_count;
    hn_value token, position, cache_row, segment, range, row, logits;
};

/** One buffer each for the keys and values of a layer, as states of the program. */
static hone_status make_cache(hn_decoder *decoder, const hone_model *model, hn_builder *builder) {
    const hone_model_config *config = &model->config;
    const int64_t width = decoder->width;
    const hone_dtype dtype = decoder->dtype;
    size_t elements = 0, bytes = 0;

    if (!hn_mul_size((size_t)decoder->rows, (size_t)width, &elements) ||
        !hn_mul_size(elements, hone_dtype_size(dtype), &bytes))
        return hn_fail(HONE_ERROR_MEMORY, "a key-value cache of %lld rows overflows",
                       (long long)decoder->rows);
    HN_TRY(hn_alloc(&decoder->cache, (size_t)(2 * config->layers), sizeof *decoder->cache, "caches"));
    HN_TRY(hn_alloc(&builder->key_cache, (size_t)config->layers, sizeof(hn_value), "caches"));
    HN_TRY(hn_alloc(&builder->value_cache, (size_t)config->layers, sizeof(hn_value), "caches"));
    for (int64_t i = 0; i < 2 * config->layers; i++) {
        HN_TRY(hn_buffer_create(decoder->device, bytes, &decoder->cache[i]));
        decoder->cache_count = i + 1;
        const hone_tensor storage = hn_tensor_2(decoder->cache[i], 0, dtype, decoder->rows, width);
        const hn_value state =
            hn_program_state(decoder->program, i % 2 == 0 ? "key cache" : "value cache", &storage);
        (i % 2 == 0 ? builder->key_cache : builder->value_cache)[i / 2] = state;
    }
    return HONE_OK;
}

static hone_status record(hn_decoder *decoder, hn_builder *builder) {
    hn_program *p = decoder->program;
    const hn_extent t[1] = {hn_symbolic(HN_T)}, u[1] = {hn_symbolic(HN_U)};
    const hn_extent s[2] = {hn_symbolic(HN_S), hn_fixed(HONE_SEGMENT_FIELDS)},
                    g[2] = {hn_symbolic(HN_G), hn_fixed(2)};

    decoder->token = hn_program_input(p, "token", HONE_I32, 1, t);
    decoder->position = hn_program_input(p, "position", HONE_I32, 1, t);
    decoder->cache_row = hn_program_input(p, "cache row", HONE_I32, 1, t);
    decoder->segment = hn_program_input(p, "segment", HONE_I32, 2, s);
    decoder->range = hn_program_input(p, "range", HONE_I32, 2, g);
    decoder->row = hn_program_input(p, "row", HONE_I32, 1, u);

    builder->position = decoder->position;
    builder->segment = decoder->segment;
    builder->range = decoder->range;
    builder->cache_row = decoder->cache_row;
    hn_value x =
        hn_build_layers(builder, hn_record_embedding(p, hn_build_embedding(builder), decoder->token));
    x = hn_build_final_norm(builder, hn_record_gather_rows(p, x, decoder->row));
    decoder->logits = hn_record_linear(p, x, hn_build_head(builder), HN_NONE, 1.0, HN_NONE);
    hn_program_output(p, decoder->logits);
    return hn_program_finish(p);
}

hone_status hn_decoder_create(hone_model *model, hone_adapter *adapter, int64_t rows, int64_t tokens,
                              int64_t logits, hn_decoder **out) {
    hn_decoder *decoder = NULL;
    hn_builder *builder = NULL;
    hone_status status = HONE_OK;
    /* A decode query may see one range for every sharing level above it. */
    const int64_t ranges = 16 * tokens > 64 ? 16 * tokens : 64;
    const int64_t budget[HN_SYMBOL_COUNT] = {
        [HN_T] = tokens, [HN_U] = logits, [HN_S] = tokens, [HN_G] = ranges, [HN_C] = rows};
    *out = NULL;
    HN_GO(hn_alloc(&decoder, 1, sizeof *decoder, "decoder"));
    decoder->device = model->device;
    decoder->rows = rows;
    decoder->width = model->config.kv_heads * model->config.head_dim;
    decoder->dtype = model->weights.dtype;
    decoder->tokens = tokens;
    decoder->logits_most = logits;
    decoder->vocabulary = model->config.vocabulary;
    decoder->max_positions = model->config.max_positions;
    HN_GO(hn_program_create(model->device, model->weights.dtype, false, budget, &decoder->program));
    HN_GO(hn_builder_create(decoder->program, model, adapter, false, 0, &builder));
    HN_GO(make_cache(decoder, model, builder));
    HN_GO(record(decoder, builder));
    HN_GO(hn_program_bind(decoder->program, HN_C, rows));
    *out = decoder;
    decoder = NULL;
done:
    hn_builder_destroy(builder);
    hn_decoder_destroy(decoder);
    return status;
}

void hn_decoder_destroy(hn_decoder *decoder) {
    if (decoder == NULL)
        return;
    hn_program_destroy(decoder->program);
    for (int64_t i = 0; i < decoder->cache_count; i++)
        hn_buffer_destroy(decoder->device, decoder->cache[i]);
    hn_free(decoder->cache);
    hn_free(decoder);
}

hone_status hn_decoder_copy(hn_decoder *decoder, int64_t from, int64_t to, int64_t count) {
    const int64_t size = decoder->width * (int64_t)hone_dtype_size(decoder->dtype);

    for (int64_t i = 0; i < decoder->cache_count; i++) {
        const hone_tensor source = hn_tensor_2(decoder->cache[i], from * size, decoder->dtype, count,
                                               decoder->width),
                          target = hn_tensor_2(decoder->cache[i], to * size, decoder->dtype, count,
                                               decoder->width);
        HN_TRY(hn_copy(decoder->device, &target, &source));
    }
    return HONE_OK;
}

int64_t hn_decoder_rows(const hn_decoder *decoder) { return decoder->rows; }

static hone_status check(const hn_decoder *decoder, const hn_decoder_step *step) {
    for (int64_t t = 0; t < step->tokens; t++) {
        if (step->token[t] < 0 || step->token[t] >= decoder->vocabulary)
            return hn_fail(HONE_ERROR_ARGUMENT, "token id %d is outside the model's vocabulary of %lld",
                           (int)step->token[t], (long long)decoder->vocabulary);
        if (step->position[t] < 0 || step->position[t] >= decoder->max_positions)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "position %d is past the model's %lld positions: ask for fewer tokens",
                           (int)step->position[t], (long long)decoder->max_positions);
        if (step->cache_row[t] < 0 || step->cache_row[t] >= decoder->rows)
            return hn_fail(HONE_ERROR_ARGUMENT, "cache row %d is outside the cache of %lld",
                           (int)step->cache_row[t], (long long)decoder->rows);
    }
    return HONE_OK;
}

hone_status hn_decoder_run(hn_decoder *decoder, const hn_decoder_step *step, float *logits) {
    hn_program *p = decoder->program;

    HN_TRY(check(decoder, step));
    HN_TRY(hn_program_bind(p, HN_T, step->tokens));
    HN_TRY(hn_program_bind(p, HN_S, step->segments));
    HN_TRY(hn_program_bind(p, HN_G, step->ranges));
    HN_TRY(hn_program_bind(p, HN_U, step->logits));
    HN_TRY(hn_program_upload(p, decoder->token, step->token));
    HN_TRY(hn_program_upload(p, decoder->position, step->position));
    HN_TRY(hn_program_upload(p, decoder->cache_row, step->cache_row));
    HN_TRY(hn_program_upload(p, decoder->segment, step->segment));
    HN_TRY(hn_program_upload(p, decoder->range, step->range));
    HN_TRY(hn_program_upload(p, decoder->row, step->row));
    HN_TRY(hn_program_forward(p));
    return hn_program_download(p, decoder->logits, logits);
}
