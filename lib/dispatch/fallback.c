#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <string.h>
#include <tensor/tensor.h>

/** The built-in backend as a device of its own, with as many threads. */
static hone_status open_fallback(hone_device *device) {
    const hone_device_options options = {.threads = hn_pool_threads(device->pool)};

    if (device->fallback != NULL)
        return HONE_OK;
    return hone_device_open(NULL, &options, &device->fallback);
}

/** The operand on the host, dense whatever its stride: what lies between its rows belongs to others, and is not
 *  written back. Outputs are copied too: an operation may leave rows as they are. */
static hone_status mirror(hone_device *device, const hone_tensor *operand, hone_tensor *copy, void **bytes,
                          size_t *span) {
    uint64_t size = 0;

    *copy = hn_tensor_shape(*operand, operand->rank, operand->extent);
    copy->buffer = 0;
    copy->offset = 0;
    if (!hn_tensor_span(copy, &size))
        return hn_fail(HONE_ERROR_ARGUMENT, "fallback: an operand's size overflows");
    *span = size;
    HN_TRY(hn_alloc(bytes, size, 1, "fallback copy"));
    HN_TRY(hn_buffer_create(device->fallback, size, &copy->buffer));
    HN_TRY(hn_download_tensor(device, operand, *bytes));
    return hn_upload(device->fallback, copy->buffer, 0, *bytes, size);
}

static hone_status run_mirrored(hone_device *device, hone_operation operation, const hone_call *call,
                                hone_tensor *copy) {
    hone_call other = *call;
    hone_status status = HONE_OK;

    other.operand = copy;
    other.workspace = hn_tensor_absent();
    const size_t workspace = hn_workspace(device->fallback, operation, &other);
    if (workspace > 0) {
        uint64_t buffer = 0;
        HN_TRY(hn_buffer_create(device->fallback, workspace, &buffer));
        other.workspace = hn_tensor_1(buffer, 0, HONE_U8, (int64_t)workspace);
    }
    status = hn_run(device->fallback, operation, &other);
    hn_buffer_destroy(device->fallback, other.workspace.buffer);
    return status;
}

static void warn_once(hone_device *device, hone_operation operation, size_t bytes) {
    if (device->warned[operation])
        return;
    device->warned[operation] = 1;
    hn_log(HONE_LOG_WARNING,
           "device %s lacks %s: each call runs on the host and copies %zu bytes there and back", device->name,
           hn_operation_describe(operation)->name, bytes);
}

/** In-place operands become one mirror, so that they stay in place: validation lets through no other overlap with
 *  an output. */
static int same_as_before(const hone_call *call, int i) {
    for (int j = 0; j < i; j++)
        if (hn_tensor_present(&call->operand[i]) &&
            hn_tensor_same_place(&call->operand[j], &call->operand[i]))
            return j;
    return -1;
}

hone_status hn_fallback_run(hone_device *device, hone_operation operation, const hone_call *call) {
    const hn_operation_info *info = hn_operation_describe(operation);
    hone_tensor copy[HONE_MAX_OPERANDS] = {{0}};
    void *bytes[HONE_MAX_OPERANDS] = {NULL};
    size_t span[HONE_MAX_OPERANDS] = {0}, total = 0;
    hone_status status = HONE_OK;

    HN_GO(open_fallback(device));
    for (int i = 0; i < info->operands; i++) {
        const int before = same_as_before(call, i);
        if (before >= 0)
            copy[i] = copy[before];
        else if (hn_tensor_present(&call->operand[i]))
            HN_GO(mirror(device, &call->operand[i], &copy[i], &bytes[i], &span[i]));
        total += span[i];
    }
    warn_once(device, operation, total);
    HN_GO(run_mirrored(device, operation, call, copy));
    for (int i = 0; i < info->operands; i++) {
        const int before = same_as_before(call, i), at = before >= 0 ? before : i;
        if (!hn_tensor_present(&call->operand[i]) || info->operand[i].direction == HN_IN)
            continue;
        HN_GO(hn_download(device->fallback, bytes[at], copy[at].buffer, 0, span[at]));
        HN_GO(hn_upload_tensor(device, &call->operand[i], bytes[at]));
    }
done:
    for (int i = 0; i < info->operands; i++)
        if (bytes[i] != NULL) {
            hn_buffer_destroy(device->fallback, copy[i].buffer);
            hn_free(bytes[i]);
        }
    return status;
}
