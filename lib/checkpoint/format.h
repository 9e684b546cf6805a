/** What the writer and the reader of checkpoint files must agree on. */
#ifndef HN_CHECKPOINT_FORMAT_H
#define HN_CHECKPOINT_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#define HN_CHECKPOINT_MAGIC "HONECKPT"
#define HN_CHECKPOINT_END "HONEEND1"
enum {
    HN_CHECKPOINT_VERSION = 1,
    HN_CHECKPOINT_HEADER = 16,           /**< magic, version u32, reserved u32 */
    HN_CHECKPOINT_FOOTER = 32,           /**< index offset, bytes, XXH3: u64 each; end magic */
    HN_CHECKPOINT_BLOCK = 1 << 22,       /**< raw bytes of one frame */
    HN_CHECKPOINT_INDEX_LIMIT = 1 << 26, /**< raw bytes of the index */
    HN_CHECKPOINT_CHUNK_LIMIT = 1 << 20
};

static inline void hn_put64(unsigned char *at, uint64_t value) {
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

static inline uint64_t hn_get64(const unsigned char *at) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

/** Frames of a chunk of `bytes`. */
static inline size_t hn_checkpoint_frames(size_t bytes) {
    return bytes / HN_CHECKPOINT_BLOCK + (bytes % HN_CHECKPOINT_BLOCK != 0);
}

#endif
