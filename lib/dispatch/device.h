/** What the files of this folder share: a device, its buffers, the backends that were found. */
#ifndef HN_DISPATCH_DEVICE_H
#define HN_DISPATCH_DEVICE_H

#include <core/threads.h>
#include <dispatch/dispatch.h>

/** Bytes of each buffer by handle: open addressing, so that every tensor can be checked against its buffer. */
typedef struct hn_buffers {
    uint64_t *handle; /**< 0: free; UINT64_MAX is never a handle: removed */
    size_t *bytes;
    bool *imported;     /**< the host's own memory, never written */
    size_t slots, used; /**< used counts removed ones too */
} hn_buffers;

HONE_MUST_USE hone_status hn_buffers_add(hn_buffers *buffers, uint64_t handle, size_t bytes);
/** False when the handle is not there. */
bool hn_buffers_find(const hn_buffers *buffers, uint64_t handle, size_t *bytes);
/** Whether it is there and imported; marks it so. */
bool hn_buffers_imported(const hn_buffers *buffers, uint64_t handle);
void hn_buffers_mark_imported(hn_buffers *buffers, uint64_t handle);
bool hn_buffers_remove(hn_buffers *buffers, uint64_t handle, size_t *bytes);
void hn_buffers_clear(hn_buffers *buffers);

struct hone_device {
    const hone_backend *backend;
    hone_backend_device *handle;
    hone_host host;
    hn_pool *pool;
    char *isa, *matmul, *products; /**< options, NULL when not given */
    char *name;
    hone_device_properties properties;
    hn_buffers buffers;
    uint64_t bytes, peak;
    uint64_t host_bytes; /**< that the backend has taken from the host's allocator */
    int64_t calls;
    bool allow_fallback;
    hone_device *fallback; /**< the built-in backend, opened when first needed */
    uint8_t warned[HONE_OP_COUNT];
    struct hn_profile *profile; /**< NULL: nothing is timed */
};

/** A backend that was found, usable or not. */
typedef struct hn_module {
    char *name, *path, *reason; /**< reason NULL: usable */
    const hone_backend *backend;
} hn_module;

/** The backends, built-in ones first, found once per process. */
HONE_MUST_USE hone_status hn_modules(const hn_module **modules, size_t *count);

/** Loads a module file: HONE_OK and *backend, or the recorded reason. Nothing of it runs but its constructors, and of
 *  these only when its headers are whole. */
HONE_MUST_USE hone_status hn_module_load(const char *path, const char *name, const hone_backend **backend);
/** Magic, sizes, version and name. */
HONE_MUST_USE hone_status hn_manifest_check(const hone_backend_manifest *manifest, const char *name);

/** The table of host services for `device`. */
void hn_host_fill(hone_device *device);

/** Runs an operation that the backend lacks on the built-in one, through copies. */
HONE_MUST_USE hone_status hn_fallback_run(hone_device *device, hone_operation operation,
                                          const hone_call *call);

#endif
