#include <core/memory.h>
#include <core/status.h>
#include <model/model.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>

static const char *const linear_path[HN_LINEAR_COUNT] = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj",    "mlp.up_proj",      "mlp.down_proj",
};

const char *hn_linear_path(hn_linear linear) { return linear_path[linear]; }

const char *hn_linear_name(hn_linear linear) { return strchr(linear_path[linear], '.') + 1; }

int64_t hn_linear_inputs(const hone_model_config *config, hn_linear linear) {
    switch (linear) {
    case HN_O:
        return config->heads * config->head_dim;
    case HN_DOWN:
        return config->hidden;
    default:
        return config->width;
    }
}

int64_t hn_linear_outputs(const hone_model_config *config, hn_linear linear) {
    switch (linear) {
    case HN_Q:
        return config->heads * config->head_dim;
    case HN_K:
    case HN_V:
        return config->kv_heads * config->head_dim;
    case HN_GATE:
    case HN_UP:
        return config->hidden;
    default:
        return config->width;
    }
}

/** Declares a parameter and notes its index. */
static hone_status declare(hn_parameters *weights, int64_t *index, int64_t rows, int64_t columns, bool decay,
                           const char *name) {
    *index = (int64_t)weights->count;
    return hn_parameters_declare(weights, name, rows, columns, decay);
}

static hone_status declare_linear(hone_model *model, int64_t i, hn_linear linear) {
    const hone_model_config *config = &model->config;
    hn_layer *layer = &model->layer[i];
    const int64_t inputs = hn_linear_inputs(config, linear), outputs = hn_linear_outputs(config, linear);
    const bool bias = linear <= HN_O ? config->attention_bias : config->mlp_bias;
    char name[96];

    snprintf(name, sizeof name, "model.layers.%lld.%s.weight", (long long)i, hn_linear_path(linear));
    HN_TRY(declare(&model->weights, &layer->weight[linear], outputs, inputs, true, name));
    layer->bias[linear] = -1;
    if (!bias)
        return HONE_OK;
    snprintf(name, sizeof name, "model.layers.%lld.%s.bias", (long long)i, hn_linear_path(linear));
    return declare(&model->weights, &layer->bias[linear], outputs, 0, false, name);
}

static hone_status declare_layer(hone_model *model, int64_t i) {
    hn_layer *layer = &model->layer[i];
    char name[96];

    snprintf(name, sizeof name, "model.layers.%lld.input_layernorm.weight", (long long)i);
    HN_TRY(declare(&model->weights, &layer->attention_norm, model->config.width, 0, false, name));
    for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++) {
        if (linear == HN_GATE) {
            snprintf(name, sizeof name, "model.layers.%lld.post_attention_layernorm.weight", (long long)i);
            HN_TRY(declare(&model->weights, &layer->mlp_norm, model->config.width, 0, false, name));
        }
        HN_TRY(declare_linear(model, i, linear));
    }
    return HONE_OK;
}

hone_status hn_model_declare(hone_model *model) {
    const hone_model_config *config = &model->config;

    HN_TRY(hn_alloc(&model->layer, (size_t)config->layers, sizeof *model->layer, "layers"));
    HN_TRY(declare(&model->weights, &model->embedding, config->vocabulary, config->width, true,
                   "model.embed_tokens.weight"));
    for (int64_t i = 0; i < config->layers; i++)
        HN_TRY(declare_layer(model, i));
    HN_TRY(declare(&model->weights, &model->norm, config->width, 0, false, "model.norm.weight"));
    model->head = model->embedding;
    if (config->tied)
        return HONE_OK;
    return declare(&model->weights, &model->head, config->vocabulary, config->width, true, "lm_head.weight");
}

static hone_status upload_frequencies(hone_model *model, hone_dtype dtype) {
    const int64_t count = model->config.head_dim / 2;
    const size_t size = hone_dtype_size(dtype);
    double *frequency = NULL;
    void *converted = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&frequency, (size_t)count, sizeof *frequency, "rotary frequencies"));
    HN_GO(hn_alloc(&converted, (size_t)count, size, "rotary frequencies"));
    hn_rotary_frequencies(&model->config, frequency);
    HN_GO(hn_convert(HONE_F64, frequency, dtype, converted, (size_t)count));
    HN_GO(hn_buffer_create(model->device, (size_t)count * size, &model->frequency_buffer));
    model->frequency = hn_tensor_1(model->frequency_buffer, 0, dtype, count);
    HN_GO(hn_upload_tensor(model->device, &model->frequency, converted));
done:
    hn_free(converted);
    hn_free(frequency);
    return status;
}

hone_status hn_model_shell(hone_device *device, const hone_model_config *config, hone_dtype dtype,
                           hone_dtype storage, const hn_safetensors *file, hone_model **out) {
    hone_model *model = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hone_model_config_check(config));
    HN_GO(hn_alloc(&model, 1, sizeof *model, "model"));
    model->config = *config;
    model->device = device;
    HN_GO(hn_model_declare(model));
    model->weights.dtype = dtype;
    model->weights.storage = storage;
    if (file != NULL)
        HN_GO(hn_mapped_place(&model->mapped, device, file, &model->weights));
    HN_GO(hn_parameters_allocate(&model->weights, device, dtype, storage));
    HN_GO(upload_frequencies(model, dtype));
    *out = model;
    model = NULL;
done:
    hone_model_destroy(model);
    return status;
}

void hone_model_destroy(hone_model *model) {
    if (model == NULL)
        return;
    hn_buffer_destroy(model->device, model->frequency_buffer);
    hn_parameters_clear(&model->weights);
    hn_mapped_clear(&model->mapped);
    hn_safetensors_destroy(model->file);
    hn_free(model->layer);
    hn_free(model);
}
