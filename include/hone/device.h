/**
 * Devices: what can compute, listed and opened by name.
 *
 * One backend is built in; others are modules, files hone-NAME.so looked for in HONE_BACKEND_PATH
 * (ignored by privileged processes), the library's own `hone` folder, the executable's
 * ../<libdir>/hone and the configured path; never the current directory. What can't be loaded is
 * listed with its reason.
 */
#ifndef HONE_DEVICE_H
#define HONE_DEVICE_H

#include <hone/export.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

typedef struct hone_device hone_device;

typedef struct hone_device_options {
    int threads;        /**< of the host pool; 0: the processors this process may run on */
    const char *isa;    /**< instruction set override ("scalar", "avx2", ...), NULL: the best found */
    const char *matmul; /**< matrix product provider override, NULL: the constant table's */
    const char *
        dtype; /**< of the factors of matrix products: "f32" or NULL, or "bf16" (rounded to it, summed in f32;
                            where the hardware lacks that, products stay in f32) */
    bool allow_fallback; /**< run operations that the backend lacks on the built-in one, with a warning of the
                            cost */
} hone_device_options;

/** `name` is NAME or NAME:INDEX; NULL means the built-in backend. `options` may be NULL. Close after
 * everything on it. */
HONE_API HONE_MUST_USE hone_status hone_device_open(const char *name, const hone_device_options *options,
                                                    hone_device **device);
HONE_API void hone_device_close(hone_device *device);
/** NAME:INDEX. Borrowed. */
HONE_API const char *hone_device_name(const hone_device *device);
/** Hardware, chosen instruction set and libraries, for people. Borrowed. */
HONE_API const char *hone_device_detail(const hone_device *device);
/** One line with everything that bits depend on. Borrowed. */
HONE_API const char *hone_device_numerics(const hone_device *device);
HONE_API int hone_device_threads(const hone_device *device);
/** Bytes held in buffers now, and the most ever held. */
HONE_API uint64_t hone_device_bytes(const hone_device *device);
HONE_API uint64_t hone_device_peak_bytes(const hone_device *device);

/** A line of the list: a device that can be opened (reason NULL), or a module or backend that can't (reason
 * says why). */
typedef struct hone_device_entry {
    char *name;    /**< NAME:INDEX, or NAME when there is no device */
    char *path;    /**< of the module; "built in" */
    char *detail;  /**< NULL when it can't be used */
    char *choices; /**< what serves which matrix products, a line each; NULL when it can't be used */
    char *reason;  /**< NULL when it can be used */
    uint64_t memory_bytes;
    int units;
} hone_device_entry;

HONE_API HONE_MUST_USE hone_status hone_devices_list(hone_device_entry **entries, size_t *count);
HONE_API void hone_devices_free(hone_device_entry *entries, size_t count);

HONE_END

#endif
