#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <dispatch/profile.h>
#include <string.h>
#include <tensor/tensor.h>

hone_status hn_buffer_create(hone_device *device, size_t bytes, uint64_t *buffer) {
    uint64_t handle = 0;

    *buffer = 0;
    HN_TRY(device->backend->buffer_create(device->handle, bytes, &handle));
    const hone_status status = hn_buffers_add(&device->buffers, handle, bytes);
    if (status != HONE_OK) {
        device->backend->buffer_destroy(device->handle, handle);
        return status;
    }
    device->bytes += bytes;
    device->peak = device->bytes > device->peak ? device->bytes : device->peak;
    *buffer = handle;
    return HONE_OK;
}

bool hn_device_imports(const hone_device *device) { return device->backend->buffer_import != NULL; }

hone_status hn_buffer_import(hone_device *device, const void *memory, size_t bytes, uint64_t *buffer) {
    uint64_t handle = 0;

    *buffer = 0;
    if (!hn_device_imports(device))
        return hn_fail(HONE_ERROR_UNSUPPORTED, "device %s can't read the host's memory", device->name);
    HN_TRY(device->backend->buffer_import(device->handle, memory, bytes, &handle));
    const hone_status status = hn_buffers_add(&device->buffers, handle, bytes);
    if (status != HONE_OK) {
        device->backend->buffer_destroy(device->handle, handle);
        return status;
    }
    hn_buffers_mark_imported(&device->buffers, handle);
    *buffer = handle;
    return HONE_OK;
}

void hn_buffer_destroy(hone_device *device, uint64_t buffer) {
    const bool imported = hn_buffers_imported(&device->buffers, buffer);
    size_t bytes = 0;

    if (buffer == 0 || !hn_buffers_remove(&device->buffers, buffer, &bytes))
        return;
    device->bytes -= imported ? 0 : bytes;
    device->backend->buffer_destroy(device->handle, buffer);
}

static hone_status in_bounds(const hone_device *device, uint64_t buffer, uint64_t offset, size_t bytes) {
    size_t size = 0;

    if (!hn_buffers_find(&device->buffers, buffer, &size))
        return hn_fail(HONE_ERROR_ARGUMENT, "copy: %llu is not a buffer of device %s",
                       (unsigned long long)buffer, device->name);
    if (offset > size || bytes > size - offset)
        return hn_fail(HONE_ERROR_ARGUMENT, "copy: %zu bytes at %llu are outside a buffer of %zu", bytes,
                       (unsigned long long)offset, size);
    return HONE_OK;
}

static hone_status writable(const hone_device *device, uint64_t buffer) {
    if (hn_buffers_imported(&device->buffers, buffer))
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "copy: the destination is memory of the host, which is only read");
    return HONE_OK;
}

hone_status hn_upload(hone_device *device, uint64_t buffer, uint64_t offset, const void *source,
                      size_t bytes) {
    HN_TRY(in_bounds(device, buffer, offset, bytes));
    HN_TRY(writable(device, buffer));
    return bytes == 0 ? HONE_OK : device->backend->upload(device->handle, buffer, offset, source, bytes);
}

hone_status hn_download(hone_device *device, void *destination, uint64_t buffer, uint64_t offset,
                        size_t bytes) {
    HN_TRY(in_bounds(device, buffer, offset, bytes));
    return bytes == 0 ? HONE_OK
                      : device->backend->download(device->handle, destination, buffer, offset, bytes);
}

/** Bytes of a dense row (its scales with it), and the rows that a copy has to make: 1 when the tensor is contiguous. */
static int64_t copy_rows(const hone_tensor *tensor, size_t *row_bytes, uint64_t *stride) {
    const size_t size = hone_dtype_size((hone_dtype)tensor->dtype);
    const bool dense = hn_tensor_contiguous(tensor);

    *row_bytes = (size_t)((dense ? tensor->extent[0] : 1) * hn_tensor_row_stride(tensor)) * size;
    *stride = (uint64_t)tensor->row_stride * size;
    return dense ? 1 : tensor->extent[0];
}

hone_status hn_upload_tensor(hone_device *device, const hone_tensor *tensor, const void *source) {
    size_t bytes = 0;
    uint64_t stride = 0;
    const int64_t rows = copy_rows(tensor, &bytes, &stride);

    for (int64_t i = 0; i < rows; i++)
        HN_TRY(hn_upload(device, tensor->buffer, tensor->offset + (uint64_t)i * stride,
                         (const char *)source + (size_t)i * bytes, bytes));
    return HONE_OK;
}

hone_status hn_download_tensor(hone_device *device, const hone_tensor *tensor, void *destination) {
    size_t bytes = 0;
    uint64_t stride = 0;
    const int64_t rows = copy_rows(tensor, &bytes, &stride);

    for (int64_t i = 0; i < rows; i++)
        HN_TRY(hn_download(device, (char *)destination + (size_t)i * bytes, tensor->buffer,
                           tensor->offset + (uint64_t)i * stride, bytes));
    return HONE_OK;
}

hone_status hn_copy(hone_device *device, const hone_tensor *destination, const hone_tensor *source) {
    uint64_t bytes = 0, other = 0;

    if (!hn_tensor_contiguous(destination) || !hn_tensor_contiguous(source) ||
        destination->dtype != source->dtype || !hn_tensor_span(destination, &bytes) ||
        !hn_tensor_span(source, &other) || bytes != other)
        return hn_fail(HONE_ERROR_ARGUMENT, "copy: the tensors differ in size or dtype, or are strided");
    HN_TRY(in_bounds(device, destination->buffer, destination->offset, bytes));
    HN_TRY(in_bounds(device, source->buffer, source->offset, bytes));
    HN_TRY(writable(device, destination->buffer));
    if (bytes == 0)
        return HONE_OK;
    if (destination->buffer == source->buffer && destination->offset < source->offset + bytes &&
        source->offset < destination->offset + bytes)
        return hn_fail(HONE_ERROR_ARGUMENT, "copy: the tensors overlap");
    return device->backend->copy(device->handle, destination->buffer, destination->offset, source->buffer,
                                 source->offset, bytes);
}

hone_status hn_synchronise(hone_device *device) { return device->backend->synchronise(device->handle); }

static hone_status run(hone_device *device, hone_operation operation, const hone_call *call) {
    const hone_operation_function function = device->backend->operation[operation];
    if (function != NULL)
        return function(device->handle, call);
    if (device->allow_fallback)
        return hn_fallback_run(device, operation, call);
    return hn_fail(HONE_ERROR_UNSUPPORTED,
                   "device %s lacks the operation %s; --allow-fallback runs it on the host", device->name,
                   hn_operation_describe(operation)->name);
}

/** Waits before and after, so that the time is the operation's own. */
static hone_status run_timed(hone_device *device, hone_operation operation, const hone_call *call) {
    hn_profile *profile = device->profile;

    HN_TRY(hn_synchronise(device));
    const double began = hn_seconds();
    HN_TRY(run(device, operation, call));
    HN_TRY(hn_synchronise(device));
    profile->seconds[operation] += hn_seconds() - began;
    profile->flops[operation] += hn_operation_flops(operation, call, profile->pairs);
    profile->calls[operation]++;
    return HONE_OK;
}

hone_status hn_run(hone_device *device, hone_operation operation, const hone_call *call) {
    HN_TRY(hn_validate(device, operation, call));
    device->calls++;
    return device->profile == NULL ? run(device, operation, call) : run_timed(device, operation, call);
}

size_t hn_workspace(hone_device *device, hone_operation operation, const hone_call *call) {
    if (device->backend->workspace == NULL || device->backend->operation[operation] == NULL)
        return 0;
    return device->backend->workspace(device->handle, operation, call);
}
