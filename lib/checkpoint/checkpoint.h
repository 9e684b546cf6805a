/**
 * A checkpoint file: named chunks, each one or more independent zstd frames with the bytes of floats split in
 * planes, XXH3 of each chunk's raw bytes, index last, written under a temporary name, synced and renamed.
 *
 *   "HONECKPT" version u32 reserved u32 | frames ... | index (JSON, zstd frame) | index offset u64, index
 * bytes u64, XXH3 of the index u64, "HONEEND1"
 *
 * Little-endian. A file is used only after its footer, index and every chunk asked for have been verified.
 */
#ifndef HN_CHECKPOINT_CHECKPOINT_H
#define HN_CHECKPOINT_CHECKPOINT_H

#include <hone/dtype.h>
#include <hone/status.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hn_checkpoint_writer hn_checkpoint_writer;
/** What a writer holds while it compresses, in bytes: asked of the compressor itself, with one block of zeros. */
HONE_MUST_USE hone_status hn_checkpoint_writer_measure(uint64_t *bytes);
HONE_MUST_USE hone_status hn_checkpoint_writer_create(const char *path, hn_checkpoint_writer **writer);
/** `dtype` decides the planes (U8: none). The name is unique within the file. */
HONE_MUST_USE hone_status hn_checkpoint_add(hn_checkpoint_writer *writer, const char *name, hone_dtype dtype,
                                            const void *data, size_t bytes);
HONE_MUST_USE hone_status hn_checkpoint_commit(hn_checkpoint_writer *writer);
/** Without commit: removes the temporary file. */
void hn_checkpoint_writer_destroy(hn_checkpoint_writer *writer);

typedef struct hn_checkpoint hn_checkpoint;
typedef struct hn_checkpoint_chunk {
    const char *name;
    hone_dtype dtype;
    size_t bytes;        /**< raw */
    size_t stored_bytes; /**< compressed */
} hn_checkpoint_chunk;
/** Verifies header, footer and index. */
HONE_MUST_USE hone_status hn_checkpoint_open(const char *path, hn_checkpoint **checkpoint);
void hn_checkpoint_destroy(hn_checkpoint *checkpoint);
size_t hn_checkpoint_count(const hn_checkpoint *checkpoint);
const hn_checkpoint_chunk *hn_checkpoint_item(const hn_checkpoint *checkpoint, size_t index);
const hn_checkpoint_chunk *hn_checkpoint_find(const hn_checkpoint *checkpoint, const char *name);
/** Decompresses and verifies into `data` of exactly the chunk's raw bytes; HONE_ERROR_FORMAT names file,
 * chunk and reason. */
HONE_MUST_USE hone_status hn_checkpoint_read(hn_checkpoint *checkpoint, const char *name, void *data,
                                             size_t bytes);
#endif
