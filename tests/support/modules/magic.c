/** A manifest that is something else. */
#include "body.h"

static hone_status count_devices(const hone_host *host, int *count) {
    (void)host;
    *count = 1;
    return leave_mark("count");
}

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC + 1,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "magic",
    .backend = &table,
};
