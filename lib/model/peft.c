#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/folder.h>
#include <model/model.h>
#include <string.h>

/** Variants that compute something else than B A x alpha / R; each must be absent, null or false. */
static const char *const refused[] = {"use_dora",          "use_rslora",      "rank_pattern",
                                      "alpha_pattern",     "modules_to_save", "layers_to_transform",
                                      "layer_replication", "lora_bias",       "trainable_token_indices"};

static hone_status check_variant(const json_t *root, const char *path) {
    const char *type = NULL, *bias = NULL;

    HN_TRY(hn_json_string_or(root, "peft_type", path, "LORA", &type));
    HN_TRY(hn_json_string_or(root, "bias", path, "none", &bias));
    if (strcmp(type, "LORA") != 0 || strcmp(bias, "none") != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: peft_type \"%s\" with bias \"%s\": hone reads LORA with bias none", path, type,
                       bias);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const json_t *value = json_object_get(root, refused[i]);
        const bool empty = value == NULL || json_is_null(value) || json_is_false(value) ||
                           (json_is_object(value) && json_object_size(value) == 0) ||
                           (json_is_array(value) && json_array_size(value) == 0);
        if (!empty)
            return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: \"%s\" is set: hone reads LoRA without it", path,
                           refused[i]);
    }
    return HONE_OK;
}

/** target_modules: a list of names (possibly longer paths, of which the last part counts), or one string. */
static hone_status parse_targets(const json_t *root, const char *path, char **targets) {
    const json_t *modules = json_object_get(root, "target_modules");
    hn_bytes text = {0};
    hone_status status = HONE_OK;

    if (json_is_string(modules))
        return hn_strdup(targets, json_string_value(modules));
    if (!json_is_array(modules) || json_array_size(modules) == 0 || json_array_size(modules) > 4096)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"target_modules\" must name at least one module", path);
    for (size_t i = 0; i < json_array_size(modules); i++) {
        const char *name = json_string_value(json_array_get(modules, i));
        if (name == NULL || strchr(name, ',') != NULL) {
            status = hn_fail(HONE_ERROR_FORMAT,
                             "%s: \"target_modules\": entry %zu must be the name of a module", path, i);
            goto done;
        }
        const char *last = strrchr(name, '.');
        HN_GO(hn_bytes_printf(&text, "%s%s", i > 0 ? "," : "", last != NULL ? last + 1 : name));
    }
    *targets = text.data;
    text.data = NULL;
done:
    hn_bytes_clear(&text);
    return status;
}

static hone_status parse(const char *path, hone_lora_options *options, char **targets) {
    json_t *root = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_read(path, &root));
    HN_GO(check_variant(root, path));
    HN_GO(hn_json_integer(root, "r", path, &options->rank));
    HN_GO(hn_json_real(root, "lora_alpha", path, &options->alpha));
    HN_GO(hn_json_real_or(root, "lora_dropout", path, 0.0, &options->dropout));
    HN_GO(parse_targets(root, path, targets));
    options->targets = *targets;
done:
    json_decref(root);
    return status;
}

/** The rank is compared with the file before anything of that size is allocated. */
static hone_status check_rank(const hn_safetensors *file, const char *folder, int64_t rank) {
    for (size_t i = 0; i < hn_safetensors_count(file); i++) {
        const hn_safetensor *tensor = hn_safetensors_item(file, i);
        if (strstr(tensor->name, ".lora_A.") != NULL)
            return tensor->extent[0] == rank
                       ? HONE_OK
                       : hn_fail(HONE_ERROR_FORMAT,
                                 "%s: adapter_config.json says rank %lld, tensor %s has %lld rows: the two "
                                 "must belong together",
                                 folder, (long long)rank, tensor->name, (long long)tensor->extent[0]);
    }
    return hn_fail(HONE_ERROR_FORMAT, "%s: adapter_model.safetensors has no lora_A tensor", folder);
}

hone_status hone_adapter_open(hone_model *model, const char *folder, hone_adapter **out) {
    hone_lora_options options = {0};
    hone_adapter *adapter = NULL;
    hn_safetensors *file = NULL;
    char *path = NULL, *targets = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_path_join(folder, "adapter_config.json", &path));
    HN_GO(parse(path, &options, &targets));
    HN_GO(hn_safetensors_open_folder(folder, "adapter_model", &file));
    HN_GO(check_rank(file, folder, options.rank));
    status = hn_adapter_shell(model, &options, &adapter);
    if (status != HONE_OK)
        HN_GO(hn_fail_in(status, "%s", path));
    HN_GO(hn_folder_load(file, folder, &adapter->weights, false));
    status = hn_parameters_check(&adapter->weights); /* small: looked at once and for all */
    if (status != HONE_OK)
        HN_GO(hn_fail_in(status, "%s", folder));
    *out = adapter;
    adapter = NULL;
done:
    hone_adapter_destroy(adapter);
    hn_safetensors_destroy(file);
    hn_free(targets);
    hn_free(path);
    return status;
}

static hone_status write_config(const hone_adapter *adapter, const char *folder, const char *base_model) {
    json_t *modules = json_array();
    uint32_t mask = 0;
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_lora_targets(adapter->options.targets, &mask));
    for (hn_linear linear = HN_Q; linear < HN_LINEAR_COUNT; linear++)
        if ((mask >> linear & 1u) != 0)
            json_array_append_new(modules, json_string(hn_linear_name(linear)));
    HN_GO(hn_path_join(folder, "adapter_config.json", &path));
    json_t *root = json_pack("{s:s,s:s,s:s?,s:I,s:f,s:f,s:O,s:s,s:b,s:b,s:b}", "peft_type", "LORA",
                             "task_type", "CAUSAL_LM", "base_model_name_or_path", base_model, "r",
                             (json_int_t)adapter->options.rank, "lora_alpha", adapter->options.alpha,
                             "lora_dropout", adapter->options.dropout, "target_modules", modules, "bias",
                             "none", "fan_in_fan_out", 0, "inference_mode", 1, "use_rslora", 0);
    status = root == NULL ? hn_fail(HONE_ERROR_MEMORY, "no memory for adapter_config.json")
                          : hn_json_write(path, root);
    json_decref(root);
done:
    hn_free(path);
    json_decref(modules);
    return status;
}

hone_status hone_adapter_save(hone_adapter *adapter, const char *folder, const char *base_model) {
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_folder_make(folder));
    HN_GO(hn_path_join(folder, "adapter_model.safetensors", &path));
    HN_GO(hn_folder_store(path, &adapter->weights, HONE_F32));
    HN_GO(write_config(adapter, folder, base_model));
done:
    hn_free(path);
    return status;
}
