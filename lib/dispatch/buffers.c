#include <core/memory.h>
#include <core/status.h>
#include <dispatch/device.h>
#include <string.h>

static const uint64_t removed = UINT64_MAX;

/** Fibonacci hashing: handles may be small numbers or look like addresses. */
static size_t slot_of(const hn_buffers *buffers, uint64_t handle) {
    return (size_t)(handle * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (buffers->slots - 1);
}

static size_t find_slot(const hn_buffers *buffers, uint64_t handle) {
    size_t slot = slot_of(buffers, handle);
    while (buffers->handle[slot] != handle && buffers->handle[slot] != 0)
        slot = (slot + 1) & (buffers->slots - 1);
    return slot;
}

static size_t count_live(const hn_buffers *buffers) {
    size_t live = 0;
    for (size_t i = 0; i < buffers->slots; i++)
        live += buffers->handle[i] != 0 && buffers->handle[i] != removed;
    return live;
}

/** Room for one more at a load of at most a half. Removed places are swept out on the way, and the size follows
 *  what is alive: buffers that come and go do not make the table grow. */
static hone_status grow(hn_buffers *buffers) {
    hn_buffers larger = {.slots = 64};

    if (buffers->slots > 0 && 2 * (buffers->used + 1) <= buffers->slots)
        return HONE_OK;
    for (const size_t live = count_live(buffers); larger.slots < 4 * (live + 1);)
        larger.slots *= 2;
    HN_TRY(hn_alloc(&larger.handle, larger.slots, sizeof *larger.handle, "buffer table"));
    hone_status status = hn_alloc(&larger.bytes, larger.slots, sizeof *larger.bytes, "buffer table");
    if (status == HONE_OK)
        status = hn_alloc(&larger.imported, larger.slots, sizeof *larger.imported, "buffer table");
    if (status != HONE_OK) {
        hn_buffers_clear(&larger);
        return status;
    }
    for (size_t i = 0; i < buffers->slots; i++) {
        if (buffers->handle[i] == 0 || buffers->handle[i] == removed)
            continue;
        const size_t slot = find_slot(&larger, buffers->handle[i]);
        larger.handle[slot] = buffers->handle[i];
        larger.bytes[slot] = buffers->bytes[i];
        larger.imported[slot] = buffers->imported[i];
        larger.used++;
    }
    hn_buffers_clear(buffers);
    *buffers = larger;
    return HONE_OK;
}

hone_status hn_buffers_add(hn_buffers *buffers, uint64_t handle, size_t bytes) {
    HN_TRY(grow(buffers));
    const size_t slot = find_slot(buffers, handle);
    if (handle == 0 || handle == removed || buffers->handle[slot] == handle)
        return hn_fail(HONE_ERROR_DEVICE, "the backend gave out buffer handle %llu, which it must not",
                       (unsigned long long)handle);
    buffers->handle[slot] = handle;
    buffers->bytes[slot] = bytes;
    buffers->imported[slot] = false;
    buffers->used++;
    return HONE_OK;
}

bool hn_buffers_find(const hn_buffers *buffers, uint64_t handle, size_t *bytes) {
    if (buffers->slots == 0 || handle == 0 || handle == removed)
        return false;
    const size_t slot = find_slot(buffers, handle);
    if (buffers->handle[slot] != handle)
        return false;
    *bytes = buffers->bytes[slot];
    return true;
}

bool hn_buffers_imported(const hn_buffers *buffers, uint64_t handle) {
    size_t bytes = 0;
    return hn_buffers_find(buffers, handle, &bytes) && buffers->imported[find_slot(buffers, handle)];
}

void hn_buffers_mark_imported(hn_buffers *buffers, uint64_t handle) {
    size_t bytes = 0;
    if (hn_buffers_find(buffers, handle, &bytes))
        buffers->imported[find_slot(buffers, handle)] = true;
}

bool hn_buffers_remove(hn_buffers *buffers, uint64_t handle, size_t *bytes) {
    if (!hn_buffers_find(buffers, handle, bytes))
        return false;
    buffers->handle[find_slot(buffers, handle)] = removed;
    return true;
}

void hn_buffers_clear(hn_buffers *buffers) {
    hn_free(buffers->handle);
    hn_free(buffers->bytes);
    hn_free(buffers->imported);
    memset(buffers, 0, sizeof *buffers);
}
