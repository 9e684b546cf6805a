#include <checkpoint/checkpoint.h>
#include <checkpoint/format.h>
#include <checkpoint/planes.h>
#include <core/file.h>
#include <core/hash.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct hn_checkpoint_writer {
    hn_writer *file;
    ZSTD_CCtx *zstd;
    json_t *names;  /**< of the chunks so far, to refuse a second one */
    json_t *chunks; /**< the index's list */
    unsigned char *planes, *frame;
    size_t frame_size;
};

static hone_status zstd_failed(size_t code) {
    return hn_fail(HONE_ERROR_MEMORY, "zstd: %s", ZSTD_getErrorName(code));
}

/** Level 1: the planes that compress at all do so at any level. Workers >= 1 always: zstd's bytes with
 * workers do not depend on how many, but differ from those without any. */
static hone_status set_up(hn_checkpoint_writer *writer) {
    writer->zstd = ZSTD_createCCtx();
    writer->chunks = json_array();
    writer->names = json_object();
    if (writer->zstd == NULL || writer->chunks == NULL || writer->names == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a checkpoint writer");
    const size_t a = ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, 1);
    const size_t b = ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1);
    const size_t c = ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_nbWorkers, 1);
    if (ZSTD_isError(a) || ZSTD_isError(b) || ZSTD_isError(c))
        return zstd_failed(ZSTD_isError(a) ? a : ZSTD_isError(b) ? b : c);
    writer->frame_size = ZSTD_compressBound(HN_CHECKPOINT_BLOCK);
    HN_TRY(hn_alloc(&writer->planes, HN_CHECKPOINT_BLOCK, 1, "checkpoint block"));
    return hn_alloc(&writer->frame, writer->frame_size, 1, "checkpoint frame");
}

hone_status hn_checkpoint_writer_create(const char *path, hn_checkpoint_writer **out) {
    hn_checkpoint_writer *writer = NULL;
    unsigned char header[HN_CHECKPOINT_HEADER] = HN_CHECKPOINT_MAGIC;
    hone_status status = HONE_OK;

    *out = NULL;
    header[8] = HN_CHECKPOINT_VERSION;
    HN_GO(hn_alloc(&writer, 1, sizeof *writer, "checkpoint writer"));
    HN_GO(set_up(writer));
    HN_GO(hn_writer_create(path, &writer->file));
    HN_GO(hn_writer_write(writer->file, header, sizeof header));
    *out = writer;
    writer = NULL;
done:
    hn_checkpoint_writer_destroy(writer);
    return status;
}

void hn_checkpoint_writer_destroy(hn_checkpoint_writer *writer) {
    if (writer == NULL)
        return;
    hn_writer_destroy(writer->file);
    ZSTD_freeCCtx(writer->zstd);
    json_decref(writer->names);
    json_decref(writer->chunks);
    hn_free(writer->planes);
    hn_free(writer->frame);
    hn_free(writer);
}

hone_status hn_checkpoint_writer_measure(uint64_t *bytes) {
    hn_checkpoint_writer *writer = NULL;
    hone_status status = HONE_OK;

    *bytes = 0;
    HN_GO(hn_alloc(&writer, 1, sizeof *writer, "checkpoint writer"));
    HN_GO(set_up(writer));
    const size_t stored =
        ZSTD_compress2(writer->zstd, writer->frame, writer->frame_size, writer->planes, HN_CHECKPOINT_BLOCK);
    if (ZSTD_isError(stored))
        HN_GO(zstd_failed(stored));
    *bytes = HN_CHECKPOINT_BLOCK + writer->frame_size + ZSTD_sizeof_CCtx(writer->zstd);
done:
    hn_checkpoint_writer_destroy(writer);
    return status;
}

static hone_status write_frame(hn_checkpoint_writer *writer, const void *data, size_t bytes, json_t *frames) {
    const size_t stored = ZSTD_compress2(writer->zstd, writer->frame, writer->frame_size, data, bytes);
    if (ZSTD_isError(stored))
        return zstd_failed(stored);
    if (json_array_append_new(frames, json_integer((json_int_t)stored)) != 0)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a checkpoint index");
    return hn_writer_write(writer->file, writer->frame, stored);
}

static hone_status write_blocks(hn_checkpoint_writer *writer, hone_dtype dtype, const unsigned char *data,
                                size_t bytes, json_t *frames) {
    const size_t element = hone_dtype_size(dtype);
    for (size_t i = 0; i < bytes; i += HN_CHECKPOINT_BLOCK) {
        const size_t n = bytes - i < HN_CHECKPOINT_BLOCK ? bytes - i : HN_CHECKPOINT_BLOCK;
        if (element > 1)
            hn_planes_split(data + i, writer->planes, n, element);
        HN_TRY(write_frame(writer, element > 1 ? writer->planes : data + i, n, frames));
    }
    return HONE_OK;
}

hone_status hn_checkpoint_add(hn_checkpoint_writer *writer, const char *name, hone_dtype dtype,
                              const void *data, size_t bytes) {
    char hash[17];
    json_t *frames = json_array();
    const uint64_t offset = hn_writer_position(writer->file);

    if (json_object_get(writer->names, name) != NULL) {
        json_decref(frames);
        return hn_fail(HONE_ERROR_ARGUMENT, "checkpoint: chunk \"%s\" is there already", name);
    }
    const hone_status status = write_blocks(writer, dtype, data, bytes, frames);
    if (status != HONE_OK) {
        json_decref(frames);
        return status;
    }
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hn_hash64(data, bytes));
    json_t *chunk =
        json_pack("{s:s,s:i,s:I,s:I,s:s,s:o}", "name", name, "dtype", (int)dtype, "bytes", (json_int_t)bytes,
                  "offset", (json_int_t)offset, "xxh3", hash, "frames", frames);
    if (chunk == NULL || json_array_append_new(writer->chunks, chunk) != 0 ||
        json_object_set_new(writer->names, name, json_true()) != 0)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a checkpoint index");
    return HONE_OK;
}

/** The index as one zstd frame, then the footer that says where it is. */
static hone_status write_index(hn_checkpoint_writer *writer, const char *text, size_t length) {
    unsigned char footer[HN_CHECKPOINT_FOOTER], *frame = NULL;
    const size_t room = ZSTD_compressBound(length);
    const uint64_t offset = hn_writer_position(writer->file);
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&frame, room, 1, "checkpoint index"));
    const size_t stored = ZSTD_compress2(writer->zstd, frame, room, text, length);
    if (ZSTD_isError(stored)) {
        status = zstd_failed(stored);
        goto done;
    }
    HN_GO(hn_writer_write(writer->file, frame, stored));
    hn_put64(footer, offset);
    hn_put64(footer + 8, stored);
    hn_put64(footer + 16, hn_hash64(frame, stored));
    memcpy(footer + 24, HN_CHECKPOINT_END, 8);
    HN_GO(hn_writer_write(writer->file, footer, sizeof footer));
done:
    hn_free(frame);
    return status;
}

hone_status hn_checkpoint_commit(hn_checkpoint_writer *writer) {
    json_t *root = json_pack("{s:i,s:O}", "block", (int)HN_CHECKPOINT_BLOCK, "chunks", writer->chunks);
    char *text = root != NULL ? json_dumps(root, JSON_COMPACT) : NULL;
    hone_status status = HONE_OK;

    if (text == NULL) {
        status = hn_fail(HONE_ERROR_MEMORY, "no memory for a checkpoint index");
        goto done;
    }
    HN_GO(write_index(writer, text, strlen(text)));
    HN_GO(hn_writer_commit(writer->file));
done:
    free(text);
    json_decref(root);
    return status;
}
