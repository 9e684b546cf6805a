/**
 * The functions of modules that must be refused: each leaves a mark when it runs, a file at the path in the
 * environment variable HONE_TEST_MARK, so that a test can tell that none of them did.
 */
#ifndef MODULES_BODY_H
#define MODULES_BODY_H

#include <hone/backend.h>

#include <stdio.h>
#include <stdlib.h>

static hone_status leave_mark(const char *function) {
    const char *path = getenv("HONE_TEST_MARK");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (file != NULL) {
        (void)fprintf(file, "%s\n", function);
        (void)fclose(file);
    }
    return HONE_ERROR_DEVICE;
}

static hone_status marked_open(const hone_host *host, int index, hone_backend_device **device) {
    (void)host;
    (void)index;
    *device = NULL;
    return leave_mark("open");
}

static void marked_close(hone_backend_device *device) {
    (void)device;
    (void)leave_mark("close");
}

static hone_status marked_properties(hone_backend_device *device, hone_device_properties *properties) {
    (void)device;
    (void)properties;
    return leave_mark("properties");
}

/** A module says how it counts; the rest is the same for all. */
static hone_status count_devices(const hone_host *host, int *count);

#ifndef TABLE_SIZE
#define TABLE_SIZE sizeof(hone_backend)
#endif
static const hone_backend table = {
    .abi = HONE_BACKEND_ABI,
    .size = TABLE_SIZE,
    .count = count_devices,
    .open = marked_open,
    .close = marked_close,
    .properties = marked_properties,
};

#endif
