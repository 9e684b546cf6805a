#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** "NAME:INDEX" or "NAME" apart; the index is 0 when absent. */
static hone_status parse_name(const char *text, char name[32], int *index) {
    const size_t length = strcspn(text, ":");
    char *end = NULL;

    *index = 0;
    if (length == 0 || length >= 32)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "device \"%s\": a device is NAME or NAME:INDEX; `hone devices` lists them", text);
    memcpy(name, text, length);
    name[length] = '\0';
    if (text[length] == '\0')
        return HONE_OK;
    const long number = strtol(text + length + 1, &end, 10);
    if (end == text + length + 1 || *end != '\0' || number < 0 || number > 65535)
        return hn_fail(HONE_ERROR_ARGUMENT, "device \"%s\": the index is not a number", text);
    *index = (int)number;
    return HONE_OK;
}

/** The usable backend of this name (NULL: the first, which is built in); the reason of an unusable one when there
 *  is no other. */
static hone_status find_backend(const char *name, const hone_backend **backend, const char **found) {
    const hn_module *modules = NULL;
    const char *reason = NULL;
    size_t count = 0;

    HN_TRY(hn_modules(&modules, &count));
    if (name == NULL && count > 0)
        name = modules[0].name;
    for (size_t i = 0; i < count; i++) {
        if (name != NULL && strcmp(modules[i].name, name) != 0)
            continue;
        if (modules[i].reason == NULL) {
            *backend = modules[i].backend;
            *found = modules[i].name;
            return HONE_OK;
        }
        reason = reason != NULL ? reason : modules[i].reason;
    }
    if (reason != NULL)
        return hn_fail(HONE_ERROR_DEVICE, "device \"%s\" can't be used: %s", name, reason);
    return hn_fail(HONE_ERROR_NOT_FOUND, "there is no device \"%s\"; `hone devices` lists what there is",
                   name != NULL ? name : "(default)");
}

static hone_status set_options(hone_device *device, const hone_device_options *options) {
    if (options == NULL)
        return hn_pool_create(0, &device->pool);
    if (options->threads < 0 || options->threads > 1024)
        return hn_fail(HONE_ERROR_ARGUMENT, "threads is %d, must be 0 (all processors) to 1024",
                       options->threads);
    if (options->isa != NULL)
        HN_TRY(hn_strdup(&device->isa, options->isa));
    if (options->matmul != NULL)
        HN_TRY(hn_strdup(&device->matmul, options->matmul));
    if (options->dtype != NULL)
        HN_TRY(hn_strdup(&device->products, options->dtype));
    device->allow_fallback = options->allow_fallback;
    return hn_pool_create(options->threads, &device->pool);
}

static hone_status open_backend(hone_device *device, int index) {
    int count = 0;

    HN_TRY(device->backend->count(&device->host, &count));
    if (index >= count)
        return hn_fail(HONE_ERROR_NOT_FOUND,
                       "device %s: there %s %d, numbered from 0: `hone devices` lists what there is",
                       device->name, count == 1 ? "is" : "are", count);
    HN_TRY(device->backend->open(&device->host, index, &device->handle));
    HN_TRY(device->backend->properties(device->handle, &device->properties));
    device->properties.name[sizeof device->properties.name - 1] = '\0';
    device->properties.detail[sizeof device->properties.detail - 1] = '\0';
    device->properties.choices[sizeof device->properties.choices - 1] = '\0';
    device->properties.numerics[sizeof device->properties.numerics - 1] = '\0';
    return HONE_OK;
}

hone_status hone_device_open(const char *name, const hone_device_options *options, hone_device **out) {
    hone_device *device = NULL;
    char backend_name[32];
    const char *found = NULL;
    int index = 0;
    hone_status status = HONE_OK;

    *out = NULL;
    if (name != NULL)
        HN_TRY(parse_name(name, backend_name, &index));
    HN_GO(hn_alloc(&device, 1, sizeof *device, "device"));
    HN_GO(find_backend(name != NULL ? backend_name : NULL, &device->backend, &found));
    HN_GO(hn_format(&device->name, "%s:%d", found, index));
    HN_GO(set_options(device, options));
    hn_host_fill(device);
    HN_GO(open_backend(device, index));
    *out = device;
    device = NULL;
done:
    hone_device_close(device);
    return status;
}

void hone_device_close(hone_device *device) {
    if (device == NULL)
        return;
    hone_device_close(device->fallback);
    if (device->handle != NULL)
        device->backend->close(device->handle);
    hn_buffers_clear(&device->buffers);
    hn_pool_destroy(device->pool);
    hn_free(device->isa);
    hn_free(device->matmul);
    hn_free(device->products);
    hn_free(device->name);
    hn_free(device);
}

const char *hone_device_name(const hone_device *device) { return device->name; }

const char *hone_device_detail(const hone_device *device) { return device->properties.detail; }

const char *hone_device_numerics(const hone_device *device) { return device->properties.numerics; }

int hone_device_threads(const hone_device *device) { return hn_pool_threads(device->pool); }

uint64_t hone_device_bytes(const hone_device *device) { return device->bytes; }

uint64_t hone_device_peak_bytes(const hone_device *device) { return device->peak; }

bool hn_device_computes(const hone_device *device, hone_dtype dtype) {
    return (device->properties.compute_dtypes >> dtype & 1u) != 0;
}

hone_dtype hn_device_compute(const hone_device *device) {
    return hn_device_computes(device, HONE_F32) ? HONE_F32 : HONE_F64;
}

int64_t hn_device_calls(const hone_device *device) { return device->calls; }

bool hn_device_stores(const hone_device *device, hone_dtype dtype) {
    return (device->properties.weight_dtypes >> dtype & 1u) != 0;
}
