#include <core/memory.h>
#include <core/status.h>
#include <model/folder.h>
#include <string.h>
#include <tensor/tensor.h>

hone_status hn_folder_check_size(const hn_safetensors *file, const char *folder,
                                 const hone_model_config *config) {
    const hn_safetensor *embedding = hn_safetensors_find(file, "model.embed_tokens.weight");
    const double per_layer = 2.0 * (double)config->width * (double)config->heads * (double)config->head_dim +
                             3.0 * (double)config->width * (double)config->hidden;
    const double wanted =
        (double)config->vocabulary * (double)config->width + (double)config->layers * per_layer;
    double held = 0.0;

    if (embedding == NULL)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: model.safetensors has no tensor model.embed_tokens.weight: the weights of a "
                       "model are wanted",
                       folder);
    for (size_t i = 0; i < hn_safetensors_count(file); i++)
        held += (double)hn_safetensors_item(file, i)->bytes / 2.0;
    if (held < wanted)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: config.json describes over %.0f weights, model.safetensors holds at most %.0f: "
                       "do the two belong together?",
                       folder, wanted, held);
    return HONE_OK;
}

static hone_status check_tensor(const char *folder, const hn_parameter *item, const hn_safetensor *tensor) {
    bool same = tensor->rank == item->value.rank;

    for (int d = 0; same && d < tensor->rank; d++)
        same = tensor->extent[d] == item->value.extent[d];
    if (!same)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: tensor %s is [%lld,%lld], its configuration and its model want [%lld,%lld]",
                       folder, tensor->name, (long long)tensor->extent[0],
                       tensor->rank > 1 ? (long long)tensor->extent[1] : 1LL,
                       (long long)item->value.extent[0], (long long)item->value.extent[1]);
    if (tensor->dtype != HONE_F32 && tensor->dtype != HONE_F16 && tensor->dtype != HONE_BF16 &&
        tensor->dtype != HONE_F64)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: tensor %s is not F32, F16 or BF16", folder, tensor->name);
    return HONE_OK;
}

/** Old files carry buffers that are computed, and tied files may repeat the head. */
static bool tolerated(const char *name, bool tied) {
    const char *end = strrchr(name, '.');
    return (end != NULL && strcmp(end, ".inv_freq") == 0) || (tied && strcmp(name, "lm_head.weight") == 0);
}

hone_status hn_folder_load(const hn_safetensors *file, const char *folder, hn_parameters *parameters,
                           bool tied) {
    void *aligned = NULL;
    hone_status status = HONE_OK;

    for (size_t i = 0; i < parameters->count; i++) {
        const hn_parameter *item = &parameters->item[i];
        const hn_safetensor *tensor = hn_safetensors_find(file, item->name);
        if (tensor == NULL) {
            status = hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s is missing", folder, item->name);
            goto done;
        }
        HN_GO(check_tensor(folder, item, tensor));
        if (item->mapped)
            continue;
        const void *data = tensor->data;
        if ((uintptr_t)data % hone_dtype_size(tensor->dtype) != 0) {
            HN_GO(hn_realloc(&aligned, tensor->bytes, 1, item->name));
            memcpy(aligned, data, tensor->bytes);
            data = aligned;
        }
        HN_GO(hn_parameter_write(parameters, item, tensor->dtype, data));
        hn_map_forget(tensor->data, tensor->bytes); /* else file and weights would be in memory together */
    }
    for (size_t i = 0; i < hn_safetensors_count(file); i++) {
        const char *name = hn_safetensors_item(file, i)->name;
        if (hn_parameters_find(parameters, name) != NULL)
            continue;
        if (tolerated(name, tied))
            continue;
        status = hn_fail(HONE_ERROR_FORMAT,
                         "%s: tensor %s is not part of the model that config.json describes", folder, name);
        goto done;
    }
done:
    if (status == HONE_ERROR_FORMAT)
        status = hn_fail_advise(status, "the configuration and the weights must belong together");
    hn_free(aligned);
    return status;
}

hone_status hn_folder_store(const char *path, const hn_parameters *parameters, hone_dtype dtype) {
    hn_safetensors_writer *writer = NULL;
    void *data = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_safetensors_writer_create(path, &writer));
    for (size_t i = 0; i < parameters->count; i++) {
        const hn_parameter *item = &parameters->item[i];
        HN_GO(hn_safetensors_writer_declare(writer, item->name, dtype, item->value.rank, item->value.extent));
    }
    for (size_t i = 0; i < parameters->count; i++) {
        const hn_parameter *item = &parameters->item[i];
        const size_t count = (size_t)hn_tensor_elements(&item->value);
        HN_GO(hn_realloc(&data, count, hone_dtype_size(dtype), item->name));
        HN_GO(hn_parameter_read(parameters, &item->value, dtype, data));
        HN_GO(hn_safetensors_writer_write(writer, data, count * hone_dtype_size(dtype)));
    }
    HN_GO(hn_safetensors_writer_commit(writer));
done:
    hn_free(data);
    hn_safetensors_writer_destroy(writer);
    return status;
}
