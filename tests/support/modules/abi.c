/** Built for another version of the contract. */
#include "body.h"

static hone_status count_devices(const hone_host *host, int *count) {
    (void)host;
    *count = 1;
    return leave_mark("count");
}

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI + 1,
    .size = sizeof(hone_backend_manifest),
    .name = "abi",
    .backend = &table,
};
