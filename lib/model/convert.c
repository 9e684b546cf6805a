#include <core/file.h>
#include <core/lock.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/config.h>
#include <model/gguf.h>
#include <model/model.h>
#include <model/safetensors.h>
#include <model/vocabulary.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>

static hone_status check_architecture(const hn_gguf *file) {
    char *architecture = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_gguf_string(file, "general.architecture", &architecture));
    if (strcmp(architecture, "llama") != 0)
        status = hn_fail(HONE_ERROR_UNSUPPORTED,
                         "%s: architecture \"%s\" is not supported; hone converts \"llama\"",
                         hn_gguf_path(file), architecture);
    if (status == HONE_OK && hn_gguf_find(file, "rope_freqs.weight") != NULL)
        status = hn_fail(HONE_ERROR_UNSUPPORTED,
                         "%s: scaled rotary frequencies (rope_freqs.weight) are not supported",
                         hn_gguf_path(file));
done:
    hn_free(architecture);
    return status;
}

static hone_status read_sizes(const hn_gguf *file, hone_model_config *config) {
    const hn_gguf_tensor *embedding = hn_gguf_find(file, "token_embd.weight");

    HN_TRY(hn_gguf_integer(file, "llama.embedding_length", &config->width));
    HN_TRY(hn_gguf_integer(file, "llama.feed_forward_length", &config->hidden));
    HN_TRY(hn_gguf_integer(file, "llama.block_count", &config->layers));
    HN_TRY(hn_gguf_integer(file, "llama.attention.head_count", &config->heads));
    HN_TRY(hn_gguf_integer_or(file, "llama.attention.head_count_kv", config->heads, &config->kv_heads));
    HN_TRY(hn_gguf_integer(file, "llama.context_length", &config->max_positions));
    if (config->heads < 1)
        return hn_fail(HONE_ERROR_FORMAT, "%s: llama.attention.head_count is %lld", hn_gguf_path(file),
                       (long long)config->heads);
    HN_TRY(hn_gguf_integer_or(file, "llama.attention.key_length", config->width / config->heads,
                              &config->head_dim));
    if (embedding == NULL || embedding->rank != 2)
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor token_embd.weight is missing", hn_gguf_path(file));
    config->vocabulary = embedding->extent[0];
    return HONE_OK;
}

static hone_status read_config(const hn_gguf *file, hone_dtype dtype, hone_model_config *config) {
    int64_t bos = -1, eos = -1;

    memset(config, 0, sizeof *config);
    HN_TRY(check_architecture(file));
    HN_TRY(read_sizes(file, config));
    /* Stored as float32: the shortest decimal that reads back as the same float32 is what was meant (1e-05).
     */
    HN_TRY(hn_gguf_real_or(file, "llama.attention.layer_norm_rms_epsilon", 1e-5, &config->norm_epsilon));
    char text[32];
    snprintf(text, sizeof text, "%.6g", config->norm_epsilon);
    config->norm_epsilon = strtod(text, NULL);
    HN_TRY(hn_gguf_real_or(file, "llama.rope.freq_base", 10000.0, &config->rope_theta));
    HN_TRY(hn_gguf_integer_or(file, "tokenizer.ggml.bos_token_id", -1, &bos));
    HN_TRY(hn_gguf_integer_or(file, "tokenizer.ggml.eos_token_id", -1, &eos));
    config->bos = bos <= INT32_MAX ? (int32_t)bos : -1;
    config->eos = eos <= INT32_MAX ? (int32_t)eos : -1;
    config->tied = hn_gguf_find(file, "output.weight") == NULL;
    config->attention_bias = hn_gguf_find(file, "blk.0.attn_q.bias") != NULL;
    config->mlp_bias = hn_gguf_find(file, "blk.0.ffn_gate.bias") != NULL;
    config->initializer_range = 0.02;
    config->dtype = dtype;
    const hone_status status = hone_model_config_check(config);
    return status == HONE_OK ? HONE_OK : hn_fail_in(status, "%s", hn_gguf_path(file));
}

/** Where one parameter comes from. */
typedef struct source {
    char name[64];
    int64_t rotary_heads; /**< > 0: rows are in the rotary order of GGUF, of so many heads */
} source;

static const char *const linear_name[HN_LINEAR_COUNT] = {"attn_q",   "attn_k", "attn_v",  "attn_output",
                                                         "ffn_gate", "ffn_up", "ffn_down"};

static void layer_source(const hone_model *model, int64_t i, int64_t index, source *from) {
    const hn_layer *layer = &model->layer[i];

    if (index == layer->attention_norm)
        snprintf(from->name, sizeof from->name, "blk.%lld.attn_norm.weight", (long long)i);
    if (index == layer->mlp_norm)
        snprintf(from->name, sizeof from->name, "blk.%lld.ffn_norm.weight", (long long)i);
    for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++) {
        if (index != layer->weight[linear] && index != layer->bias[linear])
            continue;
        snprintf(from->name, sizeof from->name, "blk.%lld.%s.%s", (long long)i, linear_name[linear],
                 index == layer->weight[linear] ? "weight" : "bias");
        from->rotary_heads = linear == HN_Q   ? model->config.heads
                             : linear == HN_K ? model->config.kv_heads
                                              : 0;
    }
}

static source find_source(const hone_model *model, int64_t index) {
    source from = {.name = ""};

    if (index == model->embedding)
        snprintf(from.name, sizeof from.name, "token_embd.weight");
    else if (index == model->norm)
        snprintf(from.name, sizeof from.name, "output_norm.weight");
    else if (index == model->head)
        snprintf(from.name, sizeof from.name, "output.weight");
    for (int64_t i = 0; i < model->config.layers && from.name[0] == '\0'; i++)
        layer_source(model, i, index, &from);
    return from;
}

/** GGUF has the two halves of a rotary pair next to each other, Hugging Face half a head apart:
 *  row h N + s N/2 + j of the latter is row h N + 2 j + s of the former. */
static void undo_rotary(const float *from, float *to, int64_t heads, int64_t rows, int64_t columns) {
    const int64_t n = rows / heads;
    for (int64_t h = 0; h < heads; h++)
        for (int64_t s = 0; s < 2; s++)
            for (int64_t j = 0; j < n / 2; j++)
                memcpy(to + (h * n + s * (n / 2) + j) * columns, from + (h * n + 2 * j + s) * columns,
                       (size_t)columns * sizeof *to);
}

static hone_status check_shape(const hn_gguf *file, const hn_parameter *item, const hn_gguf_tensor *tensor) {
    bool same = tensor->rank == item->value.rank;

    for (int d = 0; same && d < tensor->rank; d++)
        same = tensor->extent[d] == item->value.extent[d];
    return same ? HONE_OK
                : hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s has another shape than the metadata asks for",
                          hn_gguf_path(file), tensor->name);
}

/** Before anything is written. */
static hone_status check_tensors(const hn_gguf *file, const hone_model *model) {
    for (size_t i = 0; i < model->weights.count; i++) {
        const source from = find_source(model, (int64_t)i);
        const hn_gguf_tensor *tensor = hn_gguf_find(file, from.name);
        if (tensor == NULL)
            return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s is missing", hn_gguf_path(file), from.name);
        HN_TRY(check_shape(file, &model->weights.item[i], tensor));
    }
    return HONE_OK;
}

static hone_status write_parameter(const hn_gguf *file, const hone_model *model, size_t index,
                                   hone_dtype dtype, hn_safetensors_writer *writer) {
    const source from = find_source(model, (int64_t)index);
    const hn_gguf_tensor *tensor = hn_gguf_find(file, from.name);
    float *values = NULL, *ordered = NULL;
    void *converted = NULL;
    hone_status status = HONE_OK;

    const size_t count = (size_t)tensor->elements;
    HN_GO(hn_alloc(&values, count, sizeof *values, from.name));
    hn_gguf_decode(tensor, 0, tensor->elements, values);
    if (from.rotary_heads > 0) {
        HN_GO(hn_alloc(&ordered, count, sizeof *ordered, from.name));
        undo_rotary(values, ordered, from.rotary_heads, tensor->extent[0],
                    tensor->rank > 1 ? tensor->extent[1] : 1);
    }
    const float *source_values = ordered != NULL ? ordered : values;
    HN_GO(hn_alloc(&converted, count, hone_dtype_size(dtype), from.name));
    HN_GO(hn_convert(HONE_F32, source_values, dtype, converted, count));
    HN_GO(hn_safetensors_writer_write(writer, converted, count * hone_dtype_size(dtype)));
done:
    hn_free(converted);
    hn_free(ordered);
    hn_free(values);
    return status;
}

static hone_status write_weights(const hn_gguf *file, const hone_model *model, const char *folder,
                                 hone_dtype dtype) {
    hn_safetensors_writer *writer = NULL;
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_path_join(folder, "model.safetensors", &path));
    HN_GO(hn_safetensors_writer_create(path, &writer));
    for (size_t i = 0; i < model->weights.count; i++) {
        const hn_parameter *item = &model->weights.item[i];
        HN_GO(hn_safetensors_writer_declare(writer, item->name, dtype, item->value.rank, item->value.extent));
    }
    for (size_t i = 0; i < model->weights.count; i++)
        HN_GO(write_parameter(file, model, i, dtype, writer));
    HN_GO(hn_safetensors_writer_commit(writer));
done:
    hn_safetensors_writer_destroy(writer);
    hn_free(path);
    return status;
}

/** Every tensor must have been used: one that is left over means a model that computes something else. */
static hone_status check_unused(const hn_gguf *file, const hone_model *model) {
    if (hn_gguf_tensors(file) == model->weights.count)
        return HONE_OK;
    return hn_fail(HONE_ERROR_UNSUPPORTED,
                   "%s holds %zu tensors, a model of its metadata has %zu: an unknown variant, hone converts "
                   "plain llama",
                   hn_gguf_path(file), hn_gguf_tensors(file), model->weights.count);
}

hone_status hone_convert_gguf(const char *path, const char *folder, hone_dtype dtype) {
    hn_gguf *file = NULL;
    hone_model model = {0}; /* names and shapes only: no device is involved */
    hn_lock *lock = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_gguf_open(path, &file));
    HN_GO(read_config(file, dtype, &model.config));
    HN_GO(hn_model_declare(&model));
    HN_GO(check_tensors(file, &model));
    HN_GO(check_unused(file, &model));
    HN_GO(hn_lock_take(folder, &lock));
    HN_GO(hn_vocabulary_write(file, folder, model.config.vocabulary));
    HN_GO(write_weights(file, &model, folder, dtype));
    HN_GO(hn_config_write(&model.config, dtype, folder));
done:
    if (status == HONE_ERROR_FORMAT &&
        file != NULL) /* of what keeps it from being opened, that has been said */
        status = hn_fail_advise(status, "get the file again");
    hn_lock_release(lock);
    hn_parameters_clear(&model.weights);
    hn_free(model.layer);
    hn_gguf_destroy(file);
    return status;
}
