#include <core/memory.h>
#include <core/status.h>
#include <model/mapped.h>
#include <string.h>
#include <tensor/tensor.h>

/** The map that holds a tensor's bytes: its number. */
static size_t map_of(const hn_safetensors *file, const hn_safetensor *tensor) {
    const unsigned char *data = NULL;
    size_t bytes = 0, at = 0;
    while (hn_safetensors_map(file, at, &data, &bytes) &&
           (tensor->data < data || (size_t)(tensor->data - data) >= bytes))
        at++;
    return at;
}

/** Whether the device can read a tensor where it lies: as the parameter is to be stored, and at an address that suits
 *  its elements. */
static bool suits(const hn_parameters *parameters, const hn_parameter *item, const hn_safetensor *tensor,
                  const unsigned char *map) {
    const hone_dtype wanted = item->value.rank > 1 ? parameters->storage : parameters->dtype;
    const size_t size = hone_dtype_size(wanted);

    if (tensor == NULL || tensor->bytes == 0 || tensor->dtype != wanted || wanted == HONE_Q8 ||
        tensor->rank != item->value.rank || (size_t)(tensor->data - map) % size != 0)
        return false;
    for (int d = 0; d < tensor->rank; d++)
        if (tensor->extent[d] != item->value.extent[d])
            return false;
    return true;
}

static hone_status import_maps(hn_mapped *mapped, hone_device *device, const hn_safetensors *file) {
    const unsigned char *data = NULL;
    size_t bytes = 0, count = 0;

    while (hn_safetensors_map(file, count, &data, &bytes))
        count++;
    HN_TRY(hn_alloc(&mapped->buffer, count, sizeof *mapped->buffer, "mapped files"));
    for (; mapped->count < count; mapped->count++) {
        (void)hn_safetensors_map(file, mapped->count, &data, &bytes);
        HN_TRY(hn_buffer_import(device, data, bytes, &mapped->buffer[mapped->count]));
    }
    return HONE_OK;
}

hone_status hn_mapped_place(hn_mapped *mapped, hone_device *device, const hn_safetensors *file,
                            hn_parameters *parameters) {
    memset(mapped, 0, sizeof *mapped);
    mapped->device = device;
    if (!hn_device_imports(device))
        return HONE_OK;
    HN_TRY(import_maps(mapped, device, file));
    for (size_t i = 0; i < parameters->count; i++) {
        hn_parameter *item = &parameters->item[i];
        const hn_safetensor *tensor = hn_safetensors_find(file, item->name);
        const unsigned char *data = NULL;
        size_t bytes = 0;
        if (tensor == NULL)
            continue;
        const size_t number = map_of(file, tensor);
        if (!hn_safetensors_map(file, number, &data, &bytes) || !suits(parameters, item, tensor, data))
            continue;
        item->value.buffer = mapped->buffer[number];
        item->value.offset = (uint64_t)(tensor->data - data);
        item->value.dtype = (int32_t)tensor->dtype;
        item->mapped = true;
        parameters->mapped_bytes += tensor->bytes;
    }
    return HONE_OK;
}

void hn_mapped_clear(hn_mapped *mapped) {
    for (size_t i = 0; i < mapped->count; i++)
        hn_buffer_destroy(mapped->device, mapped->buffer[i]);
    hn_free(mapped->buffer);
    memset(mapped, 0, sizeof *mapped);
}
