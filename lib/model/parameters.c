#include <core/hash.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/parameters.h>
#include <string.h>
#include <tensor/tensor.h>

hone_status hn_parameters_declare(hn_parameters *parameters, const char *name, int64_t rows, int64_t columns,
                                  bool decay) {
    HN_TRY(hn_reserve(&parameters->item, &parameters->capacity, parameters->count + 1,
                      sizeof *parameters->item, "parameters"));
    hn_parameter *item = &parameters->item[parameters->count];
    memset(item, 0, sizeof *item);
    HN_TRY(hn_strdup(&item->name, name));
    item->value =
        columns > 0 ? hn_tensor_2(0, 0, HONE_F32, rows, columns) : hn_tensor_1(0, 0, HONE_F32, rows);
    item->gradient = hn_tensor_absent();
    item->decay = decay;
    parameters->count++;
    return HONE_OK;
}

/** Gives every tensor its place in one buffer of `dtype`. */
static hone_status place(hn_parameters *parameters, hone_dtype dtype) {
    uint64_t total = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        hone_tensor *tensor = &parameters->item[i].value;
        uint64_t span = 0;
        size_t end = 0;
        tensor->dtype = (int32_t)dtype;
        tensor->offset = total;
        if (!hn_tensor_span(tensor, &span) || !hn_align(span, &span) || !hn_add_size(total, span, &end))
            return hn_fail(HONE_ERROR_MEMORY, "parameter %s: its size overflows", parameters->item[i].name);
        total = end;
    }
    parameters->bytes = total;
    return HONE_OK;
}

hone_status hn_parameters_allocate(hn_parameters *parameters, hone_device *device, hone_dtype dtype) {
    parameters->device = device;
    parameters->dtype = dtype;
    HN_TRY(place(parameters, dtype));
    HN_TRY(hn_buffer_create(device, parameters->bytes, &parameters->buffer));
    for (size_t i = 0; i < parameters->count; i++)
        parameters->item[i].value.buffer = parameters->buffer;
    return HONE_OK;
}

hone_status hn_parameters_make_trainable(hn_parameters *parameters) {
    if (parameters->gradient_buffer != 0)
        return HONE_OK;
    HN_TRY(hn_buffer_create(parameters->device, parameters->bytes, &parameters->gradient_buffer));
    for (size_t i = 0; i < parameters->count; i++) {
        parameters->item[i].gradient = parameters->item[i].value;
        parameters->item[i].gradient.buffer = parameters->gradient_buffer;
    }
    return HONE_OK;
}

void hn_parameters_clear(hn_parameters *parameters) {
    if (parameters->device != NULL) {
        hn_buffer_destroy(parameters->device, parameters->gradient_buffer);
        hn_buffer_destroy(parameters->device, parameters->buffer);
    }
    for (size_t i = 0; i < parameters->count; i++)
        hn_free(parameters->item[i].name);
    hn_free(parameters->item);
    memset(parameters, 0, sizeof *parameters);
}

hn_parameter *hn_parameters_find(const hn_parameters *parameters, const char *name) {
    for (size_t i = 0; i < parameters->count; i++)
        if (strcmp(parameters->item[i].name, name) == 0)
            return &parameters->item[i];
    return NULL;
}

int64_t hn_parameters_elements(const hn_parameters *parameters) {
    int64_t total = 0;
    for (size_t i = 0; i < parameters->count; i++)
        total += hn_tensor_elements(&parameters->item[i].value);
    return total;
}

/** Host values are converted a block at a time, so that loading needs no second copy of a large tensor. */
enum { BLOCK = 1 << 18 };

hone_status hn_parameter_write(hn_parameters *parameters, const hn_parameter *parameter, hone_dtype dtype,
                               const void *data) {
    const size_t from = hone_dtype_size(dtype), to = hone_dtype_size(parameters->dtype);
    const size_t count = (size_t)hn_tensor_elements(&parameter->value);
    const unsigned char *source = data;
    void *block = NULL;
    hone_status status = HONE_OK;

    if (dtype == parameters->dtype)
        return hn_upload_tensor(parameters->device, &parameter->value, data);
    HN_GO(hn_alloc(&block, count < BLOCK ? count : BLOCK, to, "conversion block"));
    for (size_t i = 0; i < count; i += BLOCK) {
        const size_t n = count - i < BLOCK ? count - i : BLOCK;
        HN_GO(hn_convert(dtype, source + i * from, parameters->dtype, block, n));
        HN_GO(hn_upload(parameters->device, parameter->value.buffer, parameter->value.offset + i * to, block,
                        n * to));
    }
done:
    hn_free(block);
    return status;
}

hone_status hn_parameter_read(const hn_parameters *parameters, const hone_tensor *tensor, hone_dtype dtype,
                              void *data) {
    const size_t from = hone_dtype_size(parameters->dtype), to = hone_dtype_size(dtype);
    const size_t count = (size_t)hn_tensor_elements(tensor);
    unsigned char *destination = data;
    void *block = NULL;
    hone_status status = HONE_OK;

    if (dtype == parameters->dtype)
        return hn_download_tensor(parameters->device, tensor, data);
    HN_GO(hn_alloc(&block, count < BLOCK ? count : BLOCK, from, "conversion block"));
    for (size_t i = 0; i < count; i += BLOCK) {
        const size_t n = count - i < BLOCK ? count - i : BLOCK;
        HN_GO(hn_download(parameters->device, block, tensor->buffer, tensor->offset + i * from, n * from));
        HN_GO(hn_convert(parameters->dtype, block, dtype, destination + i * to, n));
    }
done:
    hn_free(block);
    return status;
}

hone_status hn_parameters_digest(const hn_parameters *parameters, char digest[33]) {
    hn_hasher *hasher = NULL;
    void *block = NULL;
    hone_status status = HONE_OK;
    const size_t size = hone_dtype_size(parameters->dtype);

    HN_GO(hn_hasher_create(&hasher));
    HN_GO(hn_alloc(&block, BLOCK, size, "hash block"));
    for (size_t p = 0; p < parameters->count; p++) {
        const hn_parameter *item = &parameters->item[p];
        const size_t count = (size_t)hn_tensor_elements(&item->value);
        hn_hasher_text(hasher, item->name);
        hn_hasher_update(hasher, item->value.extent, sizeof item->value.extent);
        for (size_t i = 0; i < count; i += BLOCK) {
            const size_t n = count - i < BLOCK ? count - i : BLOCK;
            HN_GO(hn_download(parameters->device, block, item->value.buffer, item->value.offset + i * size,
                              n * size));
            hn_hasher_update(hasher, block, n * size);
        }
    }
    hn_hasher_digest(hasher, digest);
done:
    hn_free(block);
    hn_hasher_destroy(hasher);
    return status;
}
