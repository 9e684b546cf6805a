#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/safetensors.h>
#include <stdlib.h>
#include <string.h>

struct hn_safetensors_writer {
    hn_writer *writer;
    json_t *header;
    size_t *bytes; /**< of each declared tensor */
    size_t declared, capacity, written, total;
    bool started;
};

hone_status hn_safetensors_writer_create(const char *path, hn_safetensors_writer **out) {
    hn_safetensors_writer *writer = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&writer, 1, sizeof *writer, "safetensors writer"));
    writer->header = json_pack("{s:{s:s}}", "__metadata__", "format", "pt");
    if (writer->header == NULL) {
        status = hn_fail(HONE_ERROR_MEMORY, "no memory for the header of %s", path);
        goto done;
    }
    HN_GO(hn_writer_create(path, &writer->writer));
    *out = writer;
    writer = NULL;
done:
    hn_safetensors_writer_destroy(writer);
    return status;
}

void hn_safetensors_writer_destroy(hn_safetensors_writer *writer) {
    if (writer == NULL)
        return;
    hn_writer_destroy(writer->writer);
    json_decref(writer->header);
    hn_free(writer->bytes);
    hn_free(writer);
}

static const char *dtype_name(hone_dtype dtype) {
    switch (dtype) {
    case HONE_F64:
        return "F64";
    case HONE_F32:
        return "F32";
    case HONE_F16:
        return "F16";
    case HONE_BF16:
        return "BF16";
    default:
        return NULL;
    }
}

hone_status hn_safetensors_writer_declare(hn_safetensors_writer *writer, const char *name, hone_dtype dtype,
                                          int rank, const int64_t *extent) {
    json_t *shape = json_array();
    size_t bytes = hone_dtype_size(dtype), end = 0;

    if (dtype_name(dtype) == NULL) {
        json_decref(shape);
        return hn_fail(HONE_ERROR_ARGUMENT, "tensor %s: dtype %s can't be stored", name,
                       hone_dtype_name(dtype));
    }
    for (int d = 0; d < rank; d++) {
        json_array_append_new(shape, json_integer(extent[d]));
        bytes *= (size_t)extent[d];
    }
    if (!hn_add_size(writer->total, bytes, &end)) {
        json_decref(shape);
        return hn_fail(HONE_ERROR_MEMORY, "tensor %s: its size overflows", name);
    }
    json_t *entry = json_pack("{s:s,s:o,s:[I,I]}", "dtype", dtype_name(dtype), "shape", shape, "data_offsets",
                              (json_int_t)writer->total, (json_int_t)end);
    if (entry == NULL || json_object_set_new(writer->header, name, entry) != 0)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for the header entry of %s", name);
    HN_TRY(hn_reserve(&writer->bytes, &writer->capacity, writer->declared + 1, sizeof *writer->bytes,
                      "tensors"));
    writer->bytes[writer->declared++] = bytes;
    writer->total = end;
    return HONE_OK;
}

/** The header's length is a multiple of 8 (padded with spaces), so that the data is aligned. */
static hone_status write_header(hn_safetensors_writer *writer) {
    char *text = json_dumps(writer->header, JSON_COMPACT);
    hn_bytes bytes = {0};
    unsigned char length[8];
    hone_status status = HONE_OK;

    if (text == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a safetensors header");
    HN_GO(hn_bytes_append(&bytes, text, strlen(text)));
    while (bytes.length % 8 != 0)
        HN_GO(hn_bytes_append(&bytes, " ", 1));
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)bytes.length >> (8 * i));
    HN_GO(hn_writer_write(writer->writer, length, sizeof length));
    HN_GO(hn_writer_write(writer->writer, bytes.data, bytes.length));
    writer->started = true;
done:
    hn_bytes_clear(&bytes);
    free(text);
    return status;
}

hone_status hn_safetensors_writer_write(hn_safetensors_writer *writer, const void *data, size_t bytes) {
    if (!writer->started)
        HN_TRY(write_header(writer));
    if (writer->written >= writer->declared || writer->bytes[writer->written] != bytes)
        return hn_fail(HONE_ERROR_ARGUMENT, "safetensors writer: %zu bytes given for tensor %zu of %zu",
                       bytes, writer->written, writer->declared);
    writer->written++;
    return hn_writer_write(writer->writer, data, bytes);
}

hone_status hn_safetensors_writer_commit(hn_safetensors_writer *writer) {
    if (writer->written != writer->declared)
        return hn_fail(HONE_ERROR_ARGUMENT, "safetensors writer: %zu of %zu tensors written", writer->written,
                       writer->declared);
    if (!writer->started)
        HN_TRY(write_header(writer));
    return hn_writer_commit(writer->writer);
}
