/* The oracle as a backend: buffers of host memory, and one way to run every operation: load, compute, store. */
#include "oracle.h"

#include <stdio.h>
#include <string.h>

typedef struct buffer {
    unsigned char *memory; /* NULL: the place is free */
    size_t bytes;
} buffer;

struct hone_backend_device {
    const hone_host *host;
    buffer *buffers; /* a handle is a place in this table, plus one */
    uint64_t count;
};

/* ---- devices and buffers ---- */

static hone_status device_count(const hone_host *host, int *count) {
    (void)host;
    *count = 1;
    return HONE_OK;
}

static hone_status device_open(const hone_host *host, int index, hone_backend_device **device) {
    *device = NULL;
    if (index != 0)
        return host->fail(host->context, HONE_ERROR_NOT_FOUND, "oracle: there is no device %d", index);
    hone_backend_device *new_device =
        host->allocate(host->context, sizeof *new_device, HONE_BUFFER_ALIGNMENT);
    if (new_device == NULL)
        return host->fail(host->context, HONE_ERROR_MEMORY, "oracle: no memory for a device");
    *new_device = (hone_backend_device){.host = host};
    *device = new_device;
    return HONE_OK;
}

static void device_close(hone_backend_device *device) {
    const hone_host *host = device->host;

    for (uint64_t i = 0; i < device->count; i++) {
        if (device->buffers[i].memory != NULL)
            host->release(host->context, device->buffers[i].memory, device->buffers[i].bytes);
    }
    if (device->buffers != NULL)
        host->release(host->context, device->buffers, device->count * sizeof *device->buffers);
    host->release(host->context, device, sizeof *device);
}

static hone_status device_properties(hone_backend_device *device, hone_device_properties *properties) {
    (void)device;
    *properties = (hone_device_properties){.compute_dtypes = 1u << HONE_F32 | 1u << HONE_F64, .units = 1};
    (void)snprintf(properties->name, sizeof properties->name, "naive loops");
    (void)snprintf(properties->detail, sizeof properties->detail, "computes in double");
    (void)snprintf(properties->numerics, sizeof properties->numerics, "oracle 1");
    return HONE_OK;
}

/* The place of a free handle; makes room where there is none. -1: no memory. */
static int64_t free_place(hone_backend_device *device) {
    const hone_host *host = device->host;
    const uint64_t old = device->count;

    for (uint64_t i = 0; i < old; i++) {
        if (device->buffers[i].memory == NULL)
            return (int64_t)i;
    }
    const uint64_t more = old == 0 ? 64 : 2 * old;
    buffer *table = host->allocate(host->context, more * sizeof *table, HONE_BUFFER_ALIGNMENT);
    if (table == NULL)
        return -1;
    memset(table, 0, more * sizeof *table);
    if (old > 0) {
        memcpy(table, device->buffers, old * sizeof *table);
        host->release(host->context, device->buffers, old * sizeof *table);
    }
    device->buffers = table;
    device->count = more;
    return (int64_t)old;
}

static hone_status buffer_create(hone_backend_device *device, size_t bytes, uint64_t *handle) {
    const hone_host *host = device->host;

    *handle = 0;
    const int64_t place = free_place(device);
    void *memory = place < 0 ? NULL : host->allocate(host->context, bytes, HONE_BUFFER_ALIGNMENT);
    if (memory == NULL)
        return host->fail(host->context, HONE_ERROR_MEMORY, "oracle: no memory for a buffer of %zu bytes",
                          bytes);
    device->buffers[place] = (buffer){memory, bytes};
    *handle = (uint64_t)place + 1;
    return HONE_OK;
}

static void buffer_destroy(hone_backend_device *device, uint64_t handle) {
    buffer *it = &device->buffers[handle - 1];

    device->host->release(device->host->context, it->memory, it->bytes);
    *it = (buffer){NULL, 0};
}

/* ---- copies ---- */

static unsigned char *place_of(const hone_backend_device *device, uint64_t handle, uint64_t offset) {
    return device->buffers[handle - 1].memory + offset;
}

static hone_status upload(hone_backend_device *device, uint64_t handle, uint64_t offset, const void *source,
                          size_t bytes) {
    memcpy(place_of(device, handle, offset), source, bytes);
    return HONE_OK;
}

static hone_status download(hone_backend_device *device, void *destination, uint64_t handle, uint64_t offset,
                            size_t bytes) {
    memcpy(destination, place_of(device, handle, offset), bytes);
    return HONE_OK;
}

static hone_status copy(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes) {
    memcpy(place_of(device, destination, destination_offset), place_of(device, source, source_offset), bytes);
    return HONE_OK;
}

static hone_status synchronise(hone_backend_device *device) {
    (void)device;
    return HONE_OK;
}

/* ---- operations ---- */

static int64_t row_width(const hone_tensor *tensor) {
    int64_t width = 1;

    for (int i = 1; i < tensor->rank; i++)
        width *= tensor->extent[i];
    return width;
}

static size_t dense_bytes(const hone_tensor *tensor) {
    return (size_t)(tensor->extent[0] * row_width(tensor)) * sizeof(double);
}

static unsigned char *element(const hone_backend_device *device, const hone_tensor *tensor, int64_t row,
                              int64_t column) {
    const uint64_t index = (uint64_t)(row * tensor->row_stride + column);

    return place_of(device, tensor->buffer, tensor->offset + index * oracle_dtype_size(tensor->dtype));
}

static void load(const hone_backend_device *device, const hone_tensor *tensor, double *value) {
    const int64_t width = row_width(tensor);

    for (int64_t row = 0; row < tensor->extent[0]; row++) {
        for (int64_t column = 0; column < width; column++)
            value[row * width + column] = oracle_get(tensor->dtype, element(device, tensor, row, column));
    }
}

static void store(const hone_backend_device *device, const hone_tensor *tensor, const double *value) {
    const int64_t width = row_width(tensor);

    for (int64_t row = 0; row < tensor->extent[0]; row++) {
        for (int64_t column = 0; column < width; column++)
            oracle_put(tensor->dtype, element(device, tensor, row, column), value[row * width + column]);
    }
}

static bool bit(uint32_t mask, int index) { return (mask >> index & 1u) != 0; }

static bool load_all(const hone_backend_device *device, const oracle_operation *operation,
                     const hone_call *call, oracle_call *loaded) {
    for (int i = 0; i < operation->operands; i++) {
        const hone_tensor *tensor = &call->operand[i];
        if (tensor->buffer == 0)
            continue;
        double *value =
            device->host->allocate(device->host->context, dense_bytes(tensor), HONE_BUFFER_ALIGNMENT);
        if (value == NULL)
            return false;
        loaded->value[i] = value;
        if (!bit(operation->outputs, i) || bit(operation->kept | call->accumulate, i))
            load(device, tensor, value);
        else
            memset(value, 0, dense_bytes(tensor));
    }
    return true;
}

static void store_all(const hone_backend_device *device, const oracle_operation *operation,
                      const oracle_call *loaded) {
    for (int i = 0; i < operation->operands; i++) {
        if (loaded->value[i] != NULL && bit(operation->outputs, i))
            store(device, &loaded->operand[i], loaded->value[i]);
    }
}

static hone_status run(hone_backend_device *device, const hone_call *call, hone_operation which) {
    const oracle_operation *operation = &oracle_operations[which];
    const hone_host *host = device->host;
    oracle_call loaded = {.operand = call->operand, .params = call->params};
    hone_status status = HONE_OK;

    if (load_all(device, operation, call, &loaded)) {
        operation->compute(&loaded);
        store_all(device, operation, &loaded);
    } else {
        status = host->fail(host->context, HONE_ERROR_MEMORY, "oracle: no memory for operands");
    }
    for (int i = 0; i < operation->operands; i++) {
        if (loaded.value[i] != NULL)
            host->release(host->context, loaded.value[i], dense_bytes(&call->operand[i]));
    }
    return status;
}

/* One entry point per operation, since a call does not say which operation it is. */
#define ENTRY(name, OPERATION)                                                                               \
    static hone_status run_##name(hone_backend_device *device, const hone_call *call) {                      \
        return run(device, call, HONE_OP_##OPERATION);                                                       \
    }
ENTRY(embedding, EMBEDDING)
ENTRY(embedding_backward, EMBEDDING_BACKWARD)
ENTRY(rms_norm, RMS_NORM)
ENTRY(rms_norm_backward, RMS_NORM_BACKWARD)
ENTRY(linear, LINEAR)
ENTRY(linear_backward, LINEAR_BACKWARD)
ENTRY(rotary, ROTARY)
ENTRY(attention, ATTENTION)
ENTRY(attention_backward, ATTENTION_BACKWARD)
ENTRY(swiglu, SWIGLU)
ENTRY(swiglu_backward, SWIGLU_BACKWARD)
ENTRY(add, ADD)
ENTRY(dropout, DROPOUT)
ENTRY(gather_rows, GATHER_ROWS)
ENTRY(head_logp, HEAD_LOGP)
ENTRY(head_logp_backward, HEAD_LOGP_BACKWARD)
ENTRY(adamw, ADAMW)
ENTRY(sum_squares, SUM_SQUARES)
ENTRY(fill, FILL)
ENTRY(cast, CAST)
ENTRY(scatter_rows, SCATTER_ROWS)

static const hone_backend backend = {
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend),
    .count = device_count,
    .open = device_open,
    .close = device_close,
    .properties = device_properties,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .upload = upload,
    .download = download,
    .copy = copy,
    .synchronise = synchronise,
    .operation =
        {
            [HONE_OP_EMBEDDING] = run_embedding,
            [HONE_OP_EMBEDDING_BACKWARD] = run_embedding_backward,
            [HONE_OP_RMS_NORM] = run_rms_norm,
            [HONE_OP_RMS_NORM_BACKWARD] = run_rms_norm_backward,
            [HONE_OP_LINEAR] = run_linear,
            [HONE_OP_LINEAR_BACKWARD] = run_linear_backward,
            [HONE_OP_ROTARY] = run_rotary,
            [HONE_OP_ATTENTION] = run_attention,
            [HONE_OP_ATTENTION_BACKWARD] = run_attention_backward,
            [HONE_OP_SWIGLU] = run_swiglu,
            [HONE_OP_SWIGLU_BACKWARD] = run_swiglu_backward,
            [HONE_OP_ADD] = run_add,
            [HONE_OP_DROPOUT] = run_dropout,
            [HONE_OP_GATHER_ROWS] = run_gather_rows,
            [HONE_OP_HEAD_LOGP] = run_head_logp,
            [HONE_OP_HEAD_LOGP_BACKWARD] = run_head_logp_backward,
            [HONE_OP_ADAMW] = run_adamw,
            [HONE_OP_SUM_SQUARES] = run_sum_squares,
            [HONE_OP_FILL] = run_fill,
            [HONE_OP_CAST] = run_cast,
            [HONE_OP_SCATTER_ROWS] = run_scatter_rows,
        },
};

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "oracle",
    .backend = &backend,
};
