#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <model/builder.h>

static hone_status declare_all(hn_program *program, const hn_parameters *parameters, hn_value **values) {
    HN_TRY(hn_alloc(values, parameters->count, sizeof **values, "parameter values"));
    for (size_t i = 0; i < parameters->count; i++) {
        const hn_parameter *item = &parameters->item[i];
        (*values)[i] = hn_program_parameter(program, item->name, &item->value, &item->gradient);
    }
    return HONE_OK;
}

hone_status hn_builder_create(hn_program *program, hone_model *model, hone_adapter *adapter, bool training,
                              uint64_t seed, hn_builder **out) {
    hn_builder *builder = NULL;
    hone_status status = HONE_OK;
    const hone_tensor absent = {0};

    *out = NULL;
    HN_GO(hn_alloc(&builder, 1, sizeof *builder, "network builder"));
    builder->program = program;
    builder->model = model;
    builder->adapter = adapter;
    builder->dropout = training && adapter != NULL && adapter->options.dropout > 0.0;
    builder->seed = seed;
    builder->cache_row = HN_NONE;
    HN_GO(declare_all(program, &model->weights, &builder->weight));
    if (adapter != NULL)
        HN_GO(declare_all(program, &adapter->weights, &builder->factor));
    builder->frequency = hn_program_parameter(program, "rotary frequencies", &model->frequency, &absent);
    *out = builder;
    builder = NULL;
done:
    hn_builder_destroy(builder);
    return status;
}

void hn_builder_destroy(hn_builder *builder) {
    if (builder == NULL)
        return;
    hn_free(builder->weight);
    hn_free(builder->factor);
    hn_free(builder->key_cache);
    hn_free(builder->value_cache);
    hn_free(builder);
}

hn_value hn_build_embedding(const hn_builder *builder) { return builder->weight[builder->model->embedding]; }

hn_value hn_build_head(const hn_builder *builder) { return builder->weight[builder->model->head]; }

/** y += alpha/R dropout(x) A^T B^T, where the adapter has this linear. */
static hn_value add_lora(const hn_builder *builder, hn_value x, int64_t i, hn_linear linear, hn_value y) {
    const hone_adapter *adapter = builder->adapter;
    if (adapter == NULL || adapter->layer[i].a[linear] < 0)
        return y;
    const hn_value a = builder->factor[adapter->layer[i].a[linear]],
                   b = builder->factor[adapter->layer[i].b[linear]];
    const double scale = adapter->options.alpha / (double)adapter->options.rank;

    if (builder->dropout)
        x = hn_record_dropout(builder->program, x, adapter->options.dropout, builder->seed,
                              (uint32_t)(i * HN_LINEAR_COUNT + (int64_t)linear));
    const hn_value low = hn_record_linear(builder->program, x, a, HN_NONE, 1.0, HN_NONE);
    return hn_record_linear(builder->program, low, b, HN_NONE, scale, y);
}

static hn_value build_linear(const hn_builder *builder, hn_value x, int64_t i, hn_linear linear) {
    const hn_layer *layer = &builder->model->layer[i];
    const hn_value bias = layer->bias[linear] < 0 ? HN_NONE : builder->weight[layer->bias[linear]];
    const hn_value y =
        hn_record_linear(builder->program, x, builder->weight[layer->weight[linear]], bias, 1.0, HN_NONE);
    return add_lora(builder, x, i, linear, y);
}

static hn_value as_heads(const hn_builder *builder, hn_value x, hn_symbol rows, int64_t heads) {
    const hn_extent extent[3] = {hn_symbolic(rows), hn_fixed(heads),
                                 hn_fixed(builder->model->config.head_dim)};
    return hn_program_view(builder->program, x, 3, extent);
}

static hn_value as_row(const hn_builder *builder, hn_value x, int64_t heads) {
    const hn_extent extent[2] = {hn_symbolic(HN_T), hn_fixed(heads * builder->model->config.head_dim)};
    return hn_program_view(builder->program, x, 2, extent);
}

/** Decoding: new rows go to the cache, and attention reads the cache. */
static hn_value through_cache(const hn_builder *builder, hn_value x, hn_value cache) {
    const int64_t heads = builder->model->config.kv_heads;
    const hn_value state =
        hn_record_scatter_rows(builder->program, as_row(builder, x, heads), builder->cache_row, cache);
    return as_heads(builder, state, HN_C, heads);
}

static hn_value build_attention(const hn_builder *builder, hn_value x, int64_t i) {
    const hone_model_config *config = &builder->model->config;
    hn_program *p = builder->program;
    hn_value q = as_heads(builder, build_linear(builder, x, i, HN_Q), HN_T, config->heads);
    hn_value k = as_heads(builder, build_linear(builder, x, i, HN_K), HN_T, config->kv_heads);
    hn_value v = as_heads(builder, build_linear(builder, x, i, HN_V), HN_T, config->kv_heads);

    q = hn_record_rotary(p, q, builder->position, builder->frequency, 1.0);
    k = hn_record_rotary(p, k, builder->position, builder->frequency, 1.0);
    if (builder->cache_row != HN_NONE) {
        k = through_cache(builder, k, builder->key_cache[i]);
        v = through_cache(builder, v, builder->value_cache[i]);
    }
    const hn_value o = hn_record_attention(p, q, k, v, builder->segment, builder->range,
                                           1.0 / sqrt((double)config->head_dim));
    return build_linear(builder, as_row(builder, o, config->heads), i, HN_O);
}

static hn_value build_mlp(const hn_builder *builder, hn_value x, int64_t i) {
    const hn_value gate = build_linear(builder, x, i, HN_GATE);
    const hn_value up = build_linear(builder, x, i, HN_UP);
    return build_linear(builder, hn_record_swiglu(builder->program, gate, up), i, HN_DOWN);
}

static hn_value build_norm(const hn_builder *builder, hn_value x, int64_t gain) {
    return hn_record_rms_norm(builder->program, x, builder->weight[gain],
                              builder->model->config.norm_epsilon);
}

hn_value hn_build_layers(const hn_builder *builder, hn_value x) {
    for (int64_t i = 0; i < builder->model->config.layers; i++) {
        const hn_layer *layer = &builder->model->layer[i];
        hn_program_block_begin(builder->program);
        x = hn_record_add(builder->program, x,
                          build_attention(builder, build_norm(builder, x, layer->attention_norm), i));
        x = hn_record_add(builder->program, x,
                          build_mlp(builder, build_norm(builder, x, layer->mlp_norm), i));
        hn_program_block_end(builder->program);
    }
    return x;
}

hn_value hn_build_final_norm(const hn_builder *builder, hn_value x) {
    return build_norm(builder, x, builder->model->norm);
}
