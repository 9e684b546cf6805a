/** Buffers and copies. */
#include "backend.h"
#include "device.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static hn_cpu_buffer *find(const hone_backend_device *device, uint64_t handle) {
    uint64_t place = (handle & UINT32_MAX) - 1;
    if ((handle & UINT32_MAX) == 0 || place >= device->buffer_count) {
        return NULL;
    }
    hn_cpu_buffer *buffer = &device->buffers[place];
    return buffer->memory != NULL && buffer->generation == handle >> 32 ? buffer : NULL;
}

void *hn_cpu_data(const hone_backend_device *device, const hone_tensor *tensor) {
    const hn_cpu_buffer *buffer = find(device, tensor->buffer);
    return buffer == NULL ? NULL : (char *)buffer->memory + tensor->offset;
}

hn_cpu_matrix hn_cpu_weights(const hone_backend_device *device, const hone_tensor *tensor) {
    return (hn_cpu_matrix){.data = hn_cpu_data(device, tensor),
                           .dtype = (hone_dtype)tensor->dtype,
                           .ld = tensor->row_stride,
                           .columns = tensor->extent[1]};
}

/* A place in the table that holds no buffer, taken off the list of free ones; false: no memory. */
static bool take_place(hone_backend_device *device, uint32_t *place) {
    if (device->first_free != 0) {
        *place = device->first_free - 1;
        device->first_free = device->buffers[*place].next_free;
        return true;
    }
    if (device->buffer_count == device->buffer_capacity) {
        uint32_t capacity = device->buffer_capacity == 0 ? 64 : 2 * device->buffer_capacity;
        hn_cpu_buffer *grown = realloc(device->buffers, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        device->buffers = grown;
        device->buffer_capacity = capacity;
    }
    *place = device->buffer_count++;
    device->buffers[*place] = (hn_cpu_buffer){.generation = 1};
    return true;
}

static void free_place(hone_backend_device *device, uint32_t place) {
    device->buffers[place].memory = NULL;
    device->buffers[place].generation++;
    device->buffers[place].next_free = device->first_free;
    device->first_free = place + 1;
}

/* A handle for memory; fails without having taken it. */
static hone_status register_memory(hone_backend_device *device, void *memory, size_t bytes, bool imported,
                                   uint64_t *buffer) {
    const hone_host *host = device->host;
    uint32_t place;
    if (!take_place(device, &place)) {
        return host->fail(host->context, HONE_ERROR_MEMORY,
                          "cpu: no memory for the table of %" PRIu32 " buffers", device->buffer_count + 1);
    }
    hn_cpu_buffer *made = &device->buffers[place];
    made->memory = memory;
    made->bytes = bytes;
    made->imported = imported;
    *buffer = (uint64_t)made->generation << 32 | (place + 1);
    return HONE_OK;
}

hone_status hn_cpu_buffer_create(hone_backend_device *device, size_t bytes, uint64_t *buffer) {
    const hone_host *host = device->host;
    *buffer = 0;
    void *memory = host->allocate(host->context, bytes, HONE_BUFFER_ALIGNMENT);
    if (memory == NULL) {
        return host->fail(host->context, HONE_ERROR_MEMORY, "cpu: no memory for a buffer of %zu bytes",
                          bytes);
    }
    hone_status status = register_memory(device, memory, bytes, false, buffer);
    if (status != HONE_OK) {
        host->release(host->context, memory, bytes);
    }
    return status;
}

hone_status hn_cpu_buffer_import(hone_backend_device *device, const void *memory, size_t bytes,
                                 uint64_t *buffer) {
    *buffer = 0;
    return register_memory(device, (void *)(uintptr_t)memory, bytes, true, buffer);
}

static void release(hone_backend_device *device, const hn_cpu_buffer *buffer) {
    if (buffer->memory != NULL && !buffer->imported) {
        device->host->release(device->host->context, buffer->memory, buffer->bytes);
    }
}

void hn_cpu_buffer_destroy(hone_backend_device *device, uint64_t buffer) {
    hn_cpu_buffer *found = find(device, buffer);
    if (found != NULL) {
        release(device, found);
        free_place(device, (uint32_t)(found - device->buffers));
    }
}

void hn_cpu_buffers_release(hone_backend_device *device) {
    for (uint32_t i = 0; i < device->buffer_count; i++) {
        release(device, &device->buffers[i]);
    }
    free(device->buffers);
    device->buffers = NULL;
    device->buffer_count = device->buffer_capacity = device->first_free = 0;
}

/* The address of a run of bytes, after checking that it lies within a living buffer. */
static hone_status locate(hone_backend_device *device, uint64_t buffer, uint64_t offset, size_t bytes,
                          char **at) {
    const hone_host *host = device->host;
    const hn_cpu_buffer *found = find(device, buffer);
    *at = NULL;
    if (found == NULL) {
        return host->fail(host->context, HONE_ERROR_ARGUMENT, "cpu: %#" PRIx64 " is no buffer of this device",
                          buffer);
    }
    if (offset > found->bytes || bytes > found->bytes - offset) {
        return host->fail(host->context, HONE_ERROR_ARGUMENT,
                          "cpu: %zu bytes from %" PRIu64 " run past the end of a buffer of %zu", bytes,
                          offset, found->bytes);
    }
    *at = (char *)found->memory + offset;
    return HONE_OK;
}

hone_status hn_cpu_upload(hone_backend_device *device, uint64_t buffer, uint64_t offset, const void *source,
                          size_t bytes) {
    char *to;
    hone_status status = locate(device, buffer, offset, bytes, &to);
    if (status == HONE_OK && bytes > 0) {
        memcpy(to, source, bytes);
    }
    return status;
}

hone_status hn_cpu_download(hone_backend_device *device, void *destination, uint64_t buffer, uint64_t offset,
                            size_t bytes) {
    char *from;
    hone_status status = locate(device, buffer, offset, bytes, &from);
    if (status == HONE_OK && bytes > 0) {
        memcpy(destination, from, bytes);
    }
    return status;
}

hone_status hn_cpu_copy(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes) {
    char *to, *from;
    hone_status status = locate(device, destination, destination_offset, bytes, &to);
    if (status == HONE_OK) {
        status = locate(device, source, source_offset, bytes, &from);
    }
    if (status == HONE_OK && bytes > 0) {
        memcpy(to, from, bytes);
    }
    return status;
}
