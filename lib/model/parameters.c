#include <core/hash.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
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

/** Gives every tensor its place in one buffer. */
static hone_status place(hn_parameters *parameters) {
    uint64_t total = 0;
    for (size_t i = 0; i < parameters->count; i++) {
        hone_tensor *tensor = &parameters->item[i].value;
        uint64_t span = 0;
        size_t end = 0;
        if (parameters->item[i].mapped)
            continue;
        tensor->dtype = (int32_t)(tensor->rank > 1 ? parameters->storage : parameters->dtype);
        tensor->row_stride = hn_tensor_row_stride(tensor);
        tensor->offset = total;
        if (!hn_tensor_span(tensor, &span) || !hn_align(span, &span) || !hn_add_size(total, span, &end))
            return hn_fail(HONE_ERROR_MEMORY, "parameter %s: its size overflows", parameters->item[i].name);
        total = end;
    }
    parameters->bytes = total;
    return HONE_OK;
}

hone_status hn_parameters_allocate(hn_parameters *parameters, hone_device *device, hone_dtype dtype,
                                   hone_dtype storage) {
    if (storage != dtype && !hn_device_stores(device, storage))
        return hn_fail(HONE_ERROR_UNSUPPORTED, "device %s can't multiply weights stored in %s: use f32",
                       hone_device_name(device), hone_dtype_name(storage));
    parameters->device = device;
    parameters->dtype = dtype;
    parameters->storage = storage;
    HN_TRY(place(parameters));
    HN_TRY(hn_buffer_create(device, parameters->bytes, &parameters->buffer));
    for (size_t i = 0; i < parameters->count; i++)
        if (!parameters->item[i].mapped)
            parameters->item[i].value.buffer = parameters->buffer;
    return HONE_OK;
}

hone_status hn_parameters_make_trainable(hn_parameters *parameters) {
    if (parameters->gradient_buffer != 0)
        return HONE_OK;
    if (parameters->storage != parameters->dtype)
        return hn_fail(HONE_ERROR_ARGUMENT, "weights stored in %s can't be trained: open the model in f32",
                       hone_dtype_name(parameters->storage));
    if (parameters->mapped_bytes > 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "weights in a mapped file can't be trained: open the model in f32");
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

/** Values are converted some rows at a time, so that neither way needs a second copy of a large tensor. */
enum { BLOCK = 1 << 18 };

static int64_t block_rows(const hone_tensor *tensor) {
    const int64_t width = hn_tensor_row_elements(tensor);
    const int64_t rows = width > 0 ? BLOCK / width : tensor->extent[0];
    return rows > 0 ? rows : 1;
}

/** `rows` rows of host values to what the device stores; `row` is scratch for one row of floats. */
static hone_status encode(hone_dtype from, const void *source, const hone_tensor *tensor, int64_t rows,
                          void *bytes, float *row) {
    const int64_t width = hn_tensor_row_elements(tensor);
    const size_t size = hone_dtype_size(from) * (size_t)width;

    if (tensor->dtype != HONE_Q8)
        return hn_convert(from, source, (hone_dtype)tensor->dtype, bytes, (size_t)(rows * width));
    for (int64_t r = 0; r < rows; r++) {
        HN_TRY(hn_convert(from, (const char *)source + (size_t)r * size, HONE_F32, row, (size_t)width));
        hn_q8_encode(row, width, (char *)bytes + r * tensor->row_stride);
    }
    return HONE_OK;
}

static hone_status decode(const hone_tensor *tensor, const void *bytes, int64_t rows, hone_dtype to,
                          void *destination, float *row) {
    const int64_t width = hn_tensor_row_elements(tensor);
    const size_t size = hone_dtype_size(to) * (size_t)width;

    if (tensor->dtype != HONE_Q8)
        return hn_convert((hone_dtype)tensor->dtype, bytes, to, destination, (size_t)(rows * width));
    for (int64_t r = 0; r < rows; r++) {
        hn_q8_decode((const char *)bytes + r * tensor->row_stride, width, row);
        HN_TRY(hn_convert(HONE_F32, row, to, (char *)destination + (size_t)r * size, (size_t)width));
    }
    return HONE_OK;
}

/** What encode and decode work in: a block as stored, and a row of floats. */
typedef struct room {
    int64_t rows; /**< of a block */
    void *block;
    float *row;
} room;

static hone_status make_room(const hone_tensor *tensor, room *out) {
    const int64_t width = hn_tensor_row_elements(tensor);
    const hone_tensor whole = hn_tensor_rows(*tensor, 0, tensor->extent[0]);

    *out = (room){.rows = block_rows(tensor)};
    out->rows = out->rows < whole.extent[0] ? out->rows : whole.extent[0];
    HN_TRY(hn_alloc(&out->block, (size_t)(out->rows * hn_tensor_row_stride(tensor)),
                    hone_dtype_size((hone_dtype)tensor->dtype), "conversion block"));
    return hn_alloc(&out->row, (size_t)width, sizeof *out->row, "conversion row");
}

static void clear_room(room *work) {
    hn_free(work->block);
    hn_free(work->row);
}

hone_status hn_parameter_write(hn_parameters *parameters, const hn_parameter *parameter, hone_dtype dtype,
                               const void *data) {
    const hone_tensor *value = &parameter->value;
    const size_t row_bytes = hone_dtype_size(dtype) * (size_t)hn_tensor_row_elements(value);
    room work = {0};
    hone_status status = HONE_OK;

    if (dtype == (hone_dtype)value->dtype)
        return hn_upload_tensor(parameters->device, value, data);
    HN_GO(make_room(value, &work));
    for (int64_t first = 0; first < value->extent[0]; first += work.rows) {
        const int64_t left = value->extent[0] - first, rows = left < work.rows ? left : work.rows;
        const hone_tensor part = hn_tensor_rows(*value, first, rows);
        HN_GO(
            encode(dtype, (const char *)data + (size_t)first * row_bytes, value, rows, work.block, work.row));
        HN_GO(hn_upload_tensor(parameters->device, &part, work.block));
    }
done:
    clear_room(&work);
    return status;
}

hone_status hn_parameter_read(const hn_parameters *parameters, const hone_tensor *tensor, hone_dtype dtype,
                              void *data) {
    const size_t row_bytes = hone_dtype_size(dtype) * (size_t)hn_tensor_row_elements(tensor);
    room work = {0};
    hone_status status = HONE_OK;

    if (dtype == (hone_dtype)tensor->dtype)
        return hn_download_tensor(parameters->device, tensor, data);
    HN_GO(make_room(tensor, &work));
    for (int64_t first = 0; first < tensor->extent[0]; first += work.rows) {
        const int64_t left = tensor->extent[0] - first, rows = left < work.rows ? left : work.rows;
        const hone_tensor part = hn_tensor_rows(*tensor, first, rows);
        HN_GO(hn_download_tensor(parameters->device, &part, work.block));
        HN_GO(decode(tensor, work.block, rows, dtype, (char *)data + (size_t)first * row_bytes, work.row));
    }
done:
    clear_room(&work);
    return status;
}

/** Exponents of all ones say infinite or no number. Q8 is not looked at: its scales lie between its steps. */
static bool all_finite(hone_dtype dtype, const void *block, size_t bytes) {
    const uint32_t *wide = block, wide_mask = 0x7f800000u;
    const uint16_t *narrow = block, narrow_mask = dtype == HONE_BF16 ? 0x7f80u : 0x7c00u;
    unsigned bad = 0;

    if (dtype == HONE_F32)
        for (size_t i = 0; i < bytes / sizeof *wide; i++)
            bad |= (wide[i] & wide_mask) == wide_mask;
    else if (dtype == HONE_BF16 || dtype == HONE_F16)
        for (size_t i = 0; i < bytes / sizeof *narrow; i++)
            bad |= (narrow[i] & narrow_mask) == narrow_mask;
    return bad == 0;
}

hone_status hn_parameters_digest(const hn_parameters *parameters, char digest[33]) {
    hn_hasher *hasher = NULL;
    void *block = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&hasher));
    HN_GO(hn_alloc(&block, BLOCK, 1, "hash block"));
    for (size_t p = 0; p < parameters->count; p++) {
        const hn_parameter *item = &parameters->item[p];
        uint64_t bytes = 0;
        (void)hn_tensor_span(&item->value, &bytes);
        hn_hasher_text(hasher, item->name);
        hn_hasher_update(hasher, item->value.extent, sizeof item->value.extent);
        for (uint64_t i = 0; i < bytes; i += BLOCK) {
            const uint64_t n = bytes - i < BLOCK ? bytes - i : BLOCK;
            HN_GO(hn_download(parameters->device, block, item->value.buffer, item->value.offset + i, n));
            hn_hasher_update(hasher, block, n);
            if (!all_finite((hone_dtype)item->value.dtype, block, n))
                HN_GO(hn_parameters_check(parameters));
        }
    }
    hn_hasher_digest(hasher, digest);
done:
    hn_free(block);
    hn_hasher_destroy(hasher);
    return status;
}

static hone_status check_block(const hn_parameter *item, const double *value, int64_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(value[i]))
            return hn_fail(HONE_ERROR_NUMERIC, "weight %s[%lld] is %g: the file is damaged, get it again",
                           item->name, (long long)(first + i), value[i]);
    return HONE_OK;
}

hone_status hn_parameters_check(const hn_parameters *parameters) {
    double *value = NULL;
    hone_status status = HONE_OK;

    for (size_t p = 0; p < parameters->count; p++) {
        const hn_parameter *item = &parameters->item[p];
        const int64_t width = hn_tensor_row_elements(&item->value), rows = block_rows(&item->value);
        HN_GO(hn_realloc(&value, (size_t)(rows * width), sizeof *value, "values to check"));
        for (int64_t first = 0; first < item->value.extent[0]; first += rows) {
            const int64_t left = item->value.extent[0] - first, count = left < rows ? left : rows;
            const hone_tensor part = hn_tensor_rows(item->value, first, count);
            HN_GO(hn_parameter_read(parameters, &part, HONE_F64, value));
            HN_GO(check_block(item, value, first * width, count * width));
        }
    }
done:
    hn_free(value);
    return status;
}
