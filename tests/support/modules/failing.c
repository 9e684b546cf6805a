/** In order, but its driver fails. */
#include "body.h"

static hone_status count_devices(const hone_host *host, int *count) {
    *count = 0;
    return host->fail(host->context, HONE_ERROR_DEVICE, "the driver is too old: %d, 7 is needed", 3);
}

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "failing",
    .backend = &table,
};
