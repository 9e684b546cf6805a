#include <core/hash.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <model/model.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>

hone_lora_options hone_lora_defaults(void) {
    return (hone_lora_options){.rank = 16, .alpha = 32.0, .dropout = 0.0, .targets = "q_proj,v_proj"};
}

static hone_status target_bit(const char *name, size_t length, uint32_t *mask) {
    for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++) {
        const char *known = hn_linear_name(linear);
        if (strlen(known) == length && strncmp(known, name, length) == 0) {
            *mask |= 1u << linear;
            return HONE_OK;
        }
    }
    return hn_fail(
        HONE_ERROR_ARGUMENT,
        "LoRA target \"%.*s\" is not a linear layer of this model: choose of q_proj, k_proj, v_proj, "
        "o_proj, gate_proj, up_proj, down_proj or all-linear",
        (int)(length < 80 ? length : 80), name);
}

hone_status hn_lora_targets(const char *targets, uint32_t *mask) {
    *mask = 0;
    if (strcmp(targets, "all-linear") == 0) {
        *mask = (1u << HN_LINEAR_COUNT) - 1u;
        return HONE_OK;
    }
    for (const char *at = targets;;) {
        const size_t length = strcspn(at, ",");
        HN_TRY(target_bit(at, length, mask));
        if (at[length] == '\0')
            return HONE_OK;
        at += length + 1;
    }
}

static hone_status check_options(const hone_lora_options *options) {
    if (options->rank < 1 || options->rank > 65536)
        return hn_fail(HONE_ERROR_ARGUMENT, "LoRA rank is %lld, must be 1 to 65536",
                       (long long)options->rank);
    if (!(options->alpha > 0.0) || !isfinite(options->alpha))
        return hn_fail(HONE_ERROR_ARGUMENT, "LoRA alpha is %g, must be a number > 0", options->alpha);
    if (!(options->dropout >= 0.0 && options->dropout < 1.0))
        return hn_fail(HONE_ERROR_ARGUMENT, "LoRA dropout is %g, must be in [0, 1)", options->dropout);
    return HONE_OK;
}

static hone_status declare_factor(hone_adapter *adapter, int64_t layer, hn_linear linear, char factor,
                                  int64_t rows, int64_t columns, int64_t *index) {
    char name[128];

    snprintf(name, sizeof name, "base_model.model.model.layers.%lld.%s.lora_%c.weight", (long long)layer,
             hn_linear_path(linear), factor);
    *index = (int64_t)adapter->weights.count;
    return hn_parameters_declare(&adapter->weights, name, rows, columns, true);
}

static hone_status declare_layer(hone_adapter *adapter, int64_t i, uint32_t mask) {
    const hone_model_config *config = &adapter->model->config;
    const int64_t rank = adapter->options.rank;
    hn_lora_layer *layer = &adapter->layer[i];

    for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++) {
        layer->a[linear] = layer->b[linear] = -1;
        if ((mask >> linear & 1u) == 0)
            continue;
        HN_TRY(declare_factor(adapter, i, linear, 'A', rank, hn_linear_inputs(config, linear),
                              &layer->a[linear]));
        HN_TRY(declare_factor(adapter, i, linear, 'B', hn_linear_outputs(config, linear), rank,
                              &layer->b[linear]));
    }
    return HONE_OK;
}

hone_status hn_adapter_shell(hone_model *model, const hone_lora_options *options, hone_adapter **out) {
    hone_adapter *adapter = NULL;
    uint32_t mask = 0;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(check_options(options));
    HN_GO(hn_lora_targets(options->targets, &mask));
    HN_GO(hn_alloc(&adapter, 1, sizeof *adapter, "adapter"));
    adapter->model = model;
    HN_GO(hn_strdup(&adapter->target_text, options->targets));
    adapter->options = *options;
    adapter->options.targets = adapter->target_text;
    HN_GO(hn_alloc(&adapter->layer, (size_t)model->config.layers, sizeof *adapter->layer, "adapter layers"));
    for (int64_t i = 0; i < model->config.layers; i++)
        HN_GO(declare_layer(adapter, i, mask));
    HN_GO(
        hn_parameters_allocate(&adapter->weights, model->device, model->weights.dtype, model->weights.dtype));
    *out = adapter;
    adapter = NULL;
done:
    hone_adapter_destroy(adapter);
    return status;
}

void hone_adapter_destroy(hone_adapter *adapter) {
    if (adapter == NULL)
        return;
    hn_parameters_clear(&adapter->weights);
    hn_free(adapter->layer);
    hn_free(adapter->target_text);
    hn_free(adapter);
}

/** A: uniform in +-1/sqrt(inputs), which is Kaiming's bound for a = sqrt 5; B: zero. */
static void fill(const hn_parameter *item, bool is_a, uint64_t seed, uint32_t index, double *data,
                 size_t count) {
    const double bound = 1.0 / sqrt((double)item->value.extent[1]);
    for (size_t i = 0; i < count; i++)
        data[i] = is_a ? bound * (2.0 * hn_random_uniform(seed, HN_PURPOSE_WEIGHTS, index, i) - 1.0) : 0.0;
}

hone_status hone_adapter_create(hone_model *model, const hone_lora_options *options, uint64_t seed,
                                hone_adapter **out) {
    hone_adapter *adapter = NULL;
    double *data = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_adapter_shell(model, options, &adapter));
    for (size_t p = 0; p < adapter->weights.count; p++) {
        const hn_parameter *item = &adapter->weights.item[p];
        const size_t count = (size_t)hn_tensor_elements(&item->value);
        HN_GO(hn_realloc(&data, count, sizeof *data, item->name));
        fill(item, strstr(item->name, ".lora_A.") != NULL, seed, (uint32_t)p, data, count);
        HN_GO(hn_parameter_write(&adapter->weights, item, HONE_F64, data));
    }
    *out = adapter;
    adapter = NULL;
done:
    hn_free(data);
    hone_adapter_destroy(adapter);
    return status;
}

const hone_lora_options *hone_adapter_options(const hone_adapter *adapter) { return &adapter->options; }

int64_t hone_adapter_parameters(const hone_adapter *adapter) {
    return hn_parameters_elements(&adapter->weights);
}

hn_parameters *hn_adapter_weights(hone_adapter *adapter) { return &adapter->weights; }

hone_status hone_adapter_digest(hone_adapter *adapter, char digest[33]) {
    hn_hasher *hasher = NULL;
    char weights[33];
    hone_status status = HONE_OK;

    HN_GO(hn_parameters_digest(&adapter->weights, weights));
    HN_GO(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, weights);
    hn_hasher_update(hasher, &adapter->options.alpha, sizeof adapter->options.alpha);
    hn_hasher_digest(hasher, digest);
done:
    hn_hasher_destroy(hasher);
    return status;
}

/** W += alpha/R B A for one linear: as a linear operation, W's rows being "tokens": W[o,:] += B[o,:] (A^T)^T.
 * Done on the host in double, since it happens once. */
static hone_status merge_linear(hone_model *model, const hone_adapter *adapter, int64_t i, hn_linear linear) {
    const hn_parameter *w = &model->weights.item[model->layer[i].weight[linear]];
    const hn_parameter *a = &adapter->weights.item[adapter->layer[i].a[linear]];
    const hn_parameter *b = &adapter->weights.item[adapter->layer[i].b[linear]];
    const size_t rows = (size_t)w->value.extent[0], columns = (size_t)w->value.extent[1],
                 rank = (size_t)adapter->options.rank;
    const double scale = adapter->options.alpha / (double)adapter->options.rank;
    double *wd = NULL, *ad = NULL, *bd = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&wd, rows * columns, sizeof *wd, "merge"));
    HN_GO(hn_alloc(&ad, rank * columns, sizeof *ad, "merge"));
    HN_GO(hn_alloc(&bd, rows * rank, sizeof *bd, "merge"));
    HN_GO(hn_parameter_read(&model->weights, &w->value, HONE_F64, wd));
    HN_GO(hn_parameter_read(&adapter->weights, &a->value, HONE_F64, ad));
    HN_GO(hn_parameter_read(&adapter->weights, &b->value, HONE_F64, bd));
    for (size_t o = 0; o < rows; o++)
        for (size_t r = 0; r < rank; r++)
            for (size_t j = 0; j < columns; j++)
                wd[o * columns + j] += scale * bd[o * rank + r] * ad[r * columns + j];
    HN_GO(hn_parameter_write(&model->weights, w, HONE_F64, wd));
done:
    hn_free(bd);
    hn_free(ad);
    hn_free(wd);
    return status;
}

hone_status hone_adapter_merge(hone_model *model, const hone_adapter *adapter) {
    if (adapter->model != model)
        return hn_fail(HONE_ERROR_ARGUMENT, "the adapter belongs to another model");
    if (model->weights.storage != model->weights.dtype)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "weights stored in %s can't be merged into: open the model in f32",
                       hone_dtype_name(model->weights.storage));
    if (model->weights.mapped_bytes > 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "weights in a mapped file can't be merged into: open the model in f32");
    for (int64_t i = 0; i < model->config.layers; i++)
        for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++)
            if (adapter->layer[i].a[linear] >= 0)
                HN_TRY(merge_linear(model, adapter, i, linear));
    return HONE_OK;
}
