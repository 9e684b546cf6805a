/** In order, but the hardware is absent. */
#include "body.h"

static hone_status count_devices(const hone_host *host, int *count) {
    (void)host;
    *count = 0;
    return HONE_OK;
}

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "empty",
    .backend = &table,
};
