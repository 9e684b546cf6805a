#include <core/status.h>
#include <dispatch/device.h>
#include <stdlib.h>
#include <string.h>

static hone_status fail(void *context, hone_status status, const char *format, ...) HONE_PRINTF(3, 4);
static hone_status fail(void *context, hone_status status, const char *format, ...) {
    va_list arguments;
    (void)context;
    va_start(arguments, format);
    (void)hn_fail_v(status, format, arguments);
    va_end(arguments);
    return status;
}

static void *allocate(void *context, size_t bytes, size_t alignment) {
    void *memory = NULL;
    if (posix_memalign(&memory, alignment < sizeof(void *) ? sizeof(void *) : alignment,
                       bytes > 0 ? bytes : 1) != 0)
        return NULL;
    ((hone_device *)context)->host_bytes += bytes;
    return memory;
}

static void release(void *context, void *memory, size_t bytes) {
    if (memory != NULL)
        ((hone_device *)context)->host_bytes -= bytes;
    free(memory);
}

uint64_t hn_device_host_bytes(const hone_device *device) { return device->host_bytes; }

static void parallel(void *context, int64_t count, void (*body)(void *argument, int64_t index, int thread),
                     void *argument) {
    hn_pool_run(((hone_device *)context)->pool, count, body, argument);
}

static int threads(void *context) { return hn_pool_threads(((hone_device *)context)->pool); }

static const char *option(void *context, const char *name) {
    const hone_device *device = context;
    if (strcmp(name, "isa") == 0)
        return device->isa;
    if (strcmp(name, "matmul") == 0)
        return device->matmul;
    if (strcmp(name, "products") == 0)
        return device->products;
    return NULL;
}

void hn_host_fill(hone_device *device) {
    device->host = (hone_host){.abi = HONE_BACKEND_ABI,
                               .size = sizeof(hone_host),
                               .context = device,
                               .fail = fail,
                               .allocate = allocate,
                               .release = release,
                               .parallel = parallel,
                               .threads = threads,
                               .option = option};
}
