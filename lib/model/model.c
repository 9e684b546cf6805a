#include <core/file.h>
#include <core/hash.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <model/config.h>
#include <model/folder.h>
#include <model/model.h>
#include <string.h>
#include <tensor/tensor.h>

/** The file's own dtype where that is fewer bits and loses nothing, else `dtype`. */
static hone_dtype storage_of(const hone_device *device, const hone_model_config *config, hone_dtype dtype,
                             hone_dtype storage) {
    if (storage != HONE_DTYPE_COUNT)
        return storage;
    return config->dtype == HONE_BF16 && dtype == HONE_F32 && hn_device_stores(device, HONE_BF16) ? HONE_BF16
                                                                                                  : dtype;
}

/** The folder's weights file, and a model that has room for them and nothing in it. `map`: weights that suit stay where
 *  they are in the file. */
static hone_status open_shell(hone_device *device, const char *folder, hone_dtype dtype, hone_dtype storage,
                              bool map, hn_safetensors **file, hone_model **model) {
    hone_model_config config;

    HN_TRY(hone_model_config_read(folder, &config));
    HN_TRY(hn_safetensors_open_folder(folder, "model", file));
    /* Sizes are compared with the file before anything as large as config.json claims is allocated. */
    HN_TRY(hn_folder_check_size(*file, folder, &config));
    return hn_model_shell(device, &config, dtype, storage_of(device, &config, dtype, storage),
                          map ? *file : NULL, model);
}

static hone_status open_model(hone_device *device, const char *folder, hone_dtype dtype, hone_dtype storage,
                              bool map, hone_model **out) {
    hn_safetensors *file = NULL;
    hone_model *model = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(open_shell(device, folder, dtype, storage, map, &file, &model));
    HN_GO(hn_folder_load(file, folder, &model->weights, model->config.tied));
    if (model->weights.mapped_bytes > 0) {
        model->file = file;
        file = NULL;
    }
    *out = model;
    model = NULL;
done:
    hone_model_destroy(model);
    hn_safetensors_destroy(file);
    return status;
}

hone_status hn_model_open_as(hone_device *device, const char *folder, hone_dtype dtype, hone_dtype storage,
                             hone_model **model) {
    return open_model(device, folder, dtype, storage, false, model);
}

hone_status hone_model_open(hone_device *device, const char *folder, hone_model **model) {
    return hn_model_open_as(device, folder, hn_device_compute(device), hn_device_compute(device), model);
}

/** HONE_DTYPE_COUNT: as the file has it. */
static hone_dtype stored_as(const hone_device *device, hone_weights weights) {
    static const hone_dtype storage[] = {
        [HONE_WEIGHTS_AUTO] = HONE_DTYPE_COUNT, [HONE_WEIGHTS_BF16] = HONE_BF16, [HONE_WEIGHTS_Q8] = HONE_Q8};
    return weights == HONE_WEIGHTS_FULL ? hn_device_compute(device) : storage[weights];
}

hone_status hone_model_open_stored(hone_device *device, const char *folder, hone_weights weights,
                                   hone_model **model) {
    return open_model(device, folder, hn_device_compute(device), stored_as(device, weights),
                      weights != HONE_WEIGHTS_FULL, model);
}

hone_status hn_model_outline(hone_device *device, const char *folder, hone_weights weights,
                             hone_model **out) {
    hn_safetensors *file = NULL;
    hone_model *model = NULL;

    *out = NULL;
    const hone_status status = open_shell(device, folder, hn_device_compute(device),
                                          stored_as(device, weights), false, &file, &model);
    hn_safetensors_destroy(file);
    if (status != HONE_OK) {
        hone_model_destroy(model);
        return status;
    }
    *out = model;
    return HONE_OK;
}

hone_status hone_weights_parse(const char *text, hone_weights *weights) {
    static const char *const name[] = {"f32", "auto", "bf16", "q8"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (strcmp(text, name[i]) == 0) {
            *weights = (hone_weights)i;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_ARGUMENT, "weights \"%s\": must be auto, f32, bf16 or q8", text);
}

hone_dtype hone_model_storage(const hone_model *model) { return model->weights.storage; }

/** Matrices normal(0, initializer_range), norms 1, biases 0. Norms are the vectors named so. */
static void fill(const hn_parameter *item, const hone_model_config *config, uint64_t seed, uint32_t index,
                 double *data, size_t count) {
    if (!item->decay) {
        const double value = strstr(item->name, "norm") != NULL ? 1.0 : 0.0;
        for (size_t i = 0; i < count; i++)
            data[i] = value;
        return;
    }
    for (size_t i = 0; i < count; i++)
        data[i] = config->initializer_range * hn_random_normal(seed, HN_PURPOSE_WEIGHTS, index, i);
}

static hone_status initialise(hone_model *model, uint64_t seed) {
    hone_status status = HONE_OK;
    double *data = NULL;

    for (size_t p = 0; p < model->weights.count; p++) {
        const hn_parameter *item = &model->weights.item[p];
        const size_t count = (size_t)hn_tensor_elements(&item->value);
        HN_GO(hn_realloc(&data, count, sizeof *data, item->name));
        fill(item, &model->config, seed, (uint32_t)p, data, count);
        HN_GO(hn_parameter_write(&model->weights, item, HONE_F64, data));
    }
done:
    hn_free(data);
    return status;
}

hone_status hn_model_create_as(hone_device *device, const hone_model_config *config, uint64_t seed,
                               hone_dtype dtype, hone_model **out) {
    hone_model *model = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_model_shell(device, config, dtype, dtype, NULL, &model));
    HN_GO(initialise(model, seed));
    *out = model;
    model = NULL;
done:
    hone_model_destroy(model);
    return status;
}

hone_status hone_model_create(hone_device *device, const hone_model_config *config, uint64_t seed,
                              hone_model **model) {
    return hn_model_create_as(device, config, seed, hn_device_compute(device), model);
}

const hone_model_config *hone_model_configuration(const hone_model *model) { return &model->config; }

hone_device *hone_model_device(const hone_model *model) { return model->device; }

hn_parameters *hn_model_weights(hone_model *model) { return &model->weights; }

int64_t hone_model_parameters(const hone_model *model) { return hn_parameters_elements(&model->weights); }

/** The configuration's numbers matter as much as the weights: two thetas make two models. */
hone_status hone_model_digest(hone_model *model, char digest[33]) {
    hn_hasher *hasher = NULL;
    double *frequency = NULL;
    char weights[33];
    hone_status status = HONE_OK;
    const hone_model_config *config = &model->config;

    HN_GO(hn_parameters_digest(&model->weights, weights));
    HN_GO(hn_alloc(&frequency, (size_t)config->head_dim / 2, sizeof *frequency, "rotary frequencies"));
    hn_rotary_frequencies(config, frequency);
    HN_GO(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, weights);
    hn_hasher_update(hasher, frequency, (size_t)config->head_dim / 2 * sizeof *frequency);
    hn_hasher_update(hasher, &config->heads, sizeof config->heads);
    hn_hasher_update(hasher, &config->kv_heads, sizeof config->kv_heads);
    hn_hasher_update(hasher, &config->norm_epsilon, sizeof config->norm_epsilon);
    hn_hasher_digest(hasher, digest);
done:
    hn_hasher_destroy(hasher);
    hn_free(frequency);
    return status;
}

hone_status hone_model_save(hone_model *model, const char *folder, hone_dtype dtype) {
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_folder_make(folder));
    HN_GO(hn_path_join(folder, "model.safetensors", &path));
    HN_GO(hn_folder_store(path, &model->weights, dtype));
    HN_GO(hn_config_write(&model->config, dtype, folder));
done:
    hn_free(path);
    return status;
}
