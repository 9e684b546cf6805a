#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/model.h>
#include <math.h>
#include <model/config.h>
#include <string.h>

/** Far above any model of this family; below, products of two or three of them fit 63 bits. */
enum { WIDTH_LIMIT = 1 << 20, LAYER_LIMIT = 4096, VOCABULARY_LIMIT = 1 << 24, POSITION_LIMIT = 1 << 30 };

static hone_status in_range(const char *field, int64_t value, int64_t least, int64_t most) {
    if (value < least || value > most)
        return hn_fail(HONE_ERROR_ARGUMENT, "model configuration: %s is %lld, must be %lld to %lld", field,
                       (long long)value, (long long)least, (long long)most);
    return HONE_OK;
}

static hone_status positive(const char *field, double value) {
    if (!(value > 0.0) || !isfinite(value))
        return hn_fail(HONE_ERROR_ARGUMENT, "model configuration: %s is %g, must be a number > 0", field,
                       value);
    return HONE_OK;
}

static hone_status check_rope(const hone_model_config *config) {
    HN_TRY(positive("rope_theta", config->rope_theta));
    if (config->rope == HONE_ROPE_DEFAULT)
        return HONE_OK;
    HN_TRY(positive("rope factor", config->rope_factor));
    if (config->rope == HONE_ROPE_LINEAR)
        return HONE_OK;
    HN_TRY(positive("rope low_freq_factor", config->rope_low_frequency));
    HN_TRY(positive("rope high_freq_factor", config->rope_high_frequency));
    if (config->rope_high_frequency <= config->rope_low_frequency)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "model configuration: rope high_freq_factor %g must be over low_freq_factor %g",
                       config->rope_high_frequency, config->rope_low_frequency);
    return in_range("rope original_max_position_embeddings", config->rope_original_positions, 1,
                    POSITION_LIMIT);
}

hone_status hone_model_config_check(const hone_model_config *config) {
    HN_TRY(in_range("hidden_size", config->width, 1, WIDTH_LIMIT));
    HN_TRY(in_range("intermediate_size", config->hidden, 1, WIDTH_LIMIT));
    HN_TRY(in_range("num_hidden_layers", config->layers, 1, LAYER_LIMIT));
    HN_TRY(in_range("num_attention_heads", config->heads, 1, 65536));
    HN_TRY(in_range("num_key_value_heads", config->kv_heads, 1, config->heads));
    HN_TRY(in_range("head_dim", config->head_dim, 2, 4096));
    HN_TRY(in_range("vocab_size", config->vocabulary, 1, VOCABULARY_LIMIT));
    HN_TRY(in_range("max_position_embeddings", config->max_positions, 1, POSITION_LIMIT));
    HN_TRY(in_range("num_attention_heads x head_dim", config->heads * config->head_dim, 1, WIDTH_LIMIT));
    if (config->heads % config->kv_heads != 0)
        return hn_fail(
            HONE_ERROR_ARGUMENT,
            "model configuration: num_attention_heads %lld is not a multiple of num_key_value_heads %lld",
            (long long)config->heads, (long long)config->kv_heads);
    if (config->head_dim % 2 != 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "model configuration: head_dim %lld must be even for rotary positions",
                       (long long)config->head_dim);
    if (config->initializer_range < 0.0 || !isfinite(config->initializer_range))
        return hn_fail(HONE_ERROR_ARGUMENT, "model configuration: initializer_range is %g, must be >= 0",
                       config->initializer_range);
    HN_TRY(positive("rms_norm_eps", config->norm_epsilon));
    return check_rope(config);
}

/** Refuses what would silently compute something else. */
static hone_status check_family(const json_t *root, const char *path) {
    const char *type = NULL, *activation = NULL;
    int64_t pretraining_tp = 1;
    double partial = 1.0;

    HN_TRY(hn_json_string(root, "model_type", path, &type));
    if (strcmp(type, "llama") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: model_type \"%s\" is not supported; hone reads \"llama\"",
                       path, type);
    HN_TRY(hn_json_string_or(root, "hidden_act", path, "silu", &activation));
    if (strcmp(activation, "silu") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: hidden_act \"%s\" is not supported; hone computes \"silu\"", path, activation);
    HN_TRY(hn_json_integer_or(root, "pretraining_tp", path, 1, &pretraining_tp));
    HN_TRY(hn_json_real_or(root, "partial_rotary_factor", path, 1.0, &partial));
    if (partial != 1.0)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: partial_rotary_factor %g is not supported; only 1 is",
                       path, partial);
    if (json_object_get(root, "quantization_config") != NULL &&
        !json_is_null(json_object_get(root, "quantization_config")))
        return hn_fail(
            HONE_ERROR_UNSUPPORTED,
            "%s: quantised weights (quantization_config) are not supported; use the F32, F16 or BF16 model",
            path);
    return HONE_OK;
}

static hone_status parse_rope_kind(const json_t *rope, const char *path, hone_model_config *config) {
    const char *type = NULL;

    HN_TRY(hn_json_string_or(rope, "rope_type", path, NULL, &type));
    if (type == NULL)
        HN_TRY(hn_json_string_or(rope, "type", path, "default", &type));
    if (strcmp(type, "default") == 0) {
        config->rope = HONE_ROPE_DEFAULT;
        return HONE_OK;
    }
    HN_TRY(hn_json_real(rope, "factor", path, &config->rope_factor));
    if (strcmp(type, "linear") == 0) {
        config->rope = HONE_ROPE_LINEAR;
        return HONE_OK;
    }
    if (strcmp(type, "llama3") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: rope_type \"%s\" is not supported; hone computes default, linear and llama3",
                       path, type);
    config->rope = HONE_ROPE_LLAMA3;
    HN_TRY(hn_json_real(rope, "low_freq_factor", path, &config->rope_low_frequency));
    HN_TRY(hn_json_real(rope, "high_freq_factor", path, &config->rope_high_frequency));
    return hn_json_integer(rope, "original_max_position_embeddings", path, &config->rope_original_positions);
}

static hone_status optional_object(const json_t *root, const char *key, const char *path) {
    const json_t *value = json_object_get(root, key);
    if (value == NULL || json_is_null(value) || json_is_object(value))
        return HONE_OK;
    return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be an object or null", path, key);
}

/** Both spellings: rope_theta with rope_scaling, and transformers 5's rope_parameters, which wins. */
static hone_status parse_rope(const json_t *root, const char *path, hone_model_config *config) {
    const json_t *parameters = json_object_get(root, "rope_parameters");
    const json_t *scaling = json_object_get(root, "rope_scaling");

    HN_TRY(optional_object(root, "rope_parameters", path));
    HN_TRY(optional_object(root, "rope_scaling", path));
    HN_TRY(hn_json_real_or(root, "rope_theta", path, 10000.0, &config->rope_theta));
    if (json_is_object(parameters)) {
        HN_TRY(hn_json_real_or(parameters, "rope_theta", path, config->rope_theta, &config->rope_theta));
        return parse_rope_kind(parameters, path, config);
    }
    if (json_is_object(scaling))
        return parse_rope_kind(scaling, path, config);
    config->rope = HONE_ROPE_DEFAULT;
    return HONE_OK;
}

/** An id, or the first of a list of ids; -1 where there is none (null, or below 0). */
static hone_status parse_token(const json_t *root, const char *key, const char *path, int32_t *token) {
    const json_t *value = json_object_get(root, key);
    if (json_is_array(value))
        value = json_array_get(value, 0);
    const double id = json_number_value(value); /* exact up to 2^53 */
    *token = json_is_number(value) && id >= 0.0 && id <= INT32_MAX ? (int32_t)id : -1;
    if (value == NULL || json_is_null(value) || (json_is_number(value) && id <= INT32_MAX && id == trunc(id)))
        return HONE_OK;
    return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a token's id, a list of ids, or null", path, key);
}

static hone_dtype parse_dtype(const json_t *root) {
    const char *name = json_string_value(json_object_get(root, "dtype"));
    if (name == NULL)
        name = json_string_value(json_object_get(root, "torch_dtype"));
    if (name != NULL && strcmp(name, "bfloat16") == 0)
        return HONE_BF16;
    if (name != NULL && strcmp(name, "float16") == 0)
        return HONE_F16;
    return HONE_F32;
}

static hone_status parse_sizes(const json_t *root, const char *path, hone_model_config *config) {
    HN_TRY(hn_json_integer(root, "hidden_size", path, &config->width));
    HN_TRY(hn_json_integer(root, "intermediate_size", path, &config->hidden));
    HN_TRY(hn_json_integer(root, "num_hidden_layers", path, &config->layers));
    HN_TRY(hn_json_integer(root, "num_attention_heads", path, &config->heads));
    HN_TRY(hn_json_integer_or(root, "num_key_value_heads", path, config->heads, &config->kv_heads));
    if (config->heads < 1)
        return hn_fail(HONE_ERROR_FORMAT, "%s: num_attention_heads is %lld, must be at least 1", path,
                       (long long)config->heads);
    HN_TRY(hn_json_integer_or(root, "head_dim", path, config->width / config->heads, &config->head_dim));
    HN_TRY(hn_json_integer(root, "vocab_size", path, &config->vocabulary));
    return hn_json_integer_or(root, "max_position_embeddings", path, 2048, &config->max_positions);
}

static hone_status parse(const json_t *root, const char *path, hone_model_config *config) {
    HN_TRY(check_family(root, path));
    HN_TRY(parse_sizes(root, path, config));
    HN_TRY(hn_json_real_or(root, "rms_norm_eps", path, 1e-6, &config->norm_epsilon));
    HN_TRY(hn_json_boolean_or(root, "tie_word_embeddings", path, false, &config->tied));
    HN_TRY(hn_json_boolean_or(root, "attention_bias", path, false, &config->attention_bias));
    HN_TRY(hn_json_boolean_or(root, "mlp_bias", path, false, &config->mlp_bias));
    HN_TRY(hn_json_real_or(root, "initializer_range", path, 0.02, &config->initializer_range));
    HN_TRY(parse_rope(root, path, config));
    HN_TRY(parse_token(root, "bos_token_id", path, &config->bos));
    HN_TRY(parse_token(root, "eos_token_id", path, &config->eos));
    config->dtype = parse_dtype(root);
    const hone_status status = hone_model_config_check(config);
    return status == HONE_OK ? HONE_OK : hn_fail_in(HONE_ERROR_FORMAT, "%s", path);
}

hone_status hone_model_config_read(const char *folder, hone_model_config *config) {
    char *path = NULL;
    json_t *root = NULL;
    hone_status status = HONE_OK;

    memset(config, 0, sizeof *config);
    HN_GO(hn_path_join(folder, "config.json", &path));
    HN_GO(hn_json_read(path, &root));
    HN_GO(parse(root, path, config));
done:
    json_decref(root);
    hn_free(path);
    return status;
}

static json_t *rope_json(const hone_model_config *config) {
    json_t *rope = json_pack("{s:f}", "rope_theta", config->rope_theta);
    if (config->rope == HONE_ROPE_DEFAULT)
        json_object_set_new(rope, "rope_type", json_string("default"));
    else {
        json_object_set_new(rope, "rope_type",
                            json_string(config->rope == HONE_ROPE_LINEAR ? "linear" : "llama3"));
        json_object_set_new(rope, "factor", json_real(config->rope_factor));
    }
    if (config->rope == HONE_ROPE_LLAMA3) {
        json_object_set_new(rope, "low_freq_factor", json_real(config->rope_low_frequency));
        json_object_set_new(rope, "high_freq_factor", json_real(config->rope_high_frequency));
        json_object_set_new(rope, "original_max_position_embeddings",
                            json_integer(config->rope_original_positions));
    }
    return rope;
}

static json_t *token_json(int32_t id) { return id < 0 ? json_null() : json_integer(id); }

hone_status hn_config_write(const hone_model_config *config, hone_dtype dtype, const char *folder) {
    const char *name = dtype == HONE_BF16 ? "bfloat16" : dtype == HONE_F16 ? "float16" : "float32";
    char *path = NULL;
    hone_status status = HONE_OK;
    json_t *root = json_pack(
        "{s:[s],s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:b,s:b,s:b,s:o,s:o,s:f,s:o,s:s}",
        "architectures", "LlamaForCausalLM", "model_type", "llama", "hidden_act", "silu", "hidden_size",
        (json_int_t)config->width, "intermediate_size", (json_int_t)config->hidden, "num_hidden_layers",
        (json_int_t)config->layers, "num_attention_heads", (json_int_t)config->heads, "num_key_value_heads",
        (json_int_t)config->kv_heads, "head_dim", (json_int_t)config->head_dim, "vocab_size",
        (json_int_t)config->vocabulary, "max_position_embeddings", (json_int_t)config->max_positions,
        "rms_norm_eps", config->norm_epsilon, "initializer_range", config->initializer_range,
        "tie_word_embeddings", (int)config->tied, "attention_bias", (int)config->attention_bias, "mlp_bias",
        (int)config->mlp_bias, "bos_token_id", token_json(config->bos), "eos_token_id",
        token_json(config->eos), "rope_theta", config->rope_theta, "rope_parameters", rope_json(config),
        "dtype", name);

    if (root == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for config.json");
    /* Readers older than rope_parameters know rope_scaling. */
    if (config->rope != HONE_ROPE_DEFAULT)
        json_object_set(root, "rope_scaling", json_object_get(root, "rope_parameters"));
    json_object_set_new(root, "torch_dtype", json_string(name));
    HN_GO(hn_path_join(folder, "config.json", &path));
    HN_GO(hn_json_write(path, root));
done:
    json_decref(root);
    hn_free(path);
    return status;
}
