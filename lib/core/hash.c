#include "core/hash.h"

#include "core/memory.h"
#include "core/status.h"

#include <stdio.h>
#include <string.h>
#include <xxhash.h>

struct hn_hasher {
    XXH3_state_t *state;
};

uint64_t hn_hash64(const void *data, size_t bytes) { return XXH3_64bits(data, bytes); }

hone_status hn_hasher_create(hn_hasher **hasher) {
    HN_TRY(hn_alloc(hasher, 1, sizeof **hasher, "a hash"));
    (*hasher)->state = XXH3_createState(); /* the library aligns it for vectors */
    if (!(*hasher)->state || XXH3_128bits_reset((*hasher)->state) != XXH_OK) {
        hn_hasher_destroy(*hasher);
        *hasher = NULL;
        return hn_fail(HONE_ERROR_MEMORY, "out of memory: a hash");
    }
    return HONE_OK;
}

void hn_hasher_destroy(hn_hasher *hasher) {
    if (hasher)
        XXH3_freeState(hasher->state);
    hn_free(hasher);
}

void hn_hasher_update(hn_hasher *hasher, const void *data, size_t bytes) {
    unsigned char frame[8];
    for (int i = 0; i < 8; i++)
        frame[i] = (unsigned char)((uint64_t)bytes >> (8 * i) & 0xff);
    XXH3_128bits_update(hasher->state, frame, sizeof frame);
    if (bytes > 0)
        XXH3_128bits_update(hasher->state, data, bytes);
}

void hn_hasher_text(hn_hasher *hasher, const char *text) { hn_hasher_update(hasher, text, strlen(text)); }

void hn_hasher_digest(const hn_hasher *hasher, char digest[33]) {
    XXH128_hash_t hash = XXH3_128bits_digest(hasher->state);
    (void)snprintf(digest, 33, "%016llx%016llx", (unsigned long long)hash.high64,
                   (unsigned long long)hash.low64);
}
