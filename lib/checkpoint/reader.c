#include <checkpoint/checkpoint.h>
#include <checkpoint/format.h>
#include <checkpoint/planes.h>
#include <core/file.h>
#include <core/hash.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

typedef struct entry {
    hn_checkpoint_chunk chunk; /**< name borrowed from the index */
    uint64_t offset, hash;
    const json_t *frames;
} entry;

struct hn_checkpoint {
    char *path;
    hn_map map;
    size_t data_end; /**< frames lie before this byte */
    json_t *index;
    entry *item;
    size_t count;
    unsigned char *block;
};

/** A file that can't be what it says: one message form for all of them. */
static hone_status damaged(const hn_checkpoint *checkpoint, const char *what) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: %s: the checkpoint is damaged or cut", checkpoint->path, what);
}

static hone_status check_header(const hn_checkpoint *checkpoint) {
    const unsigned char *data = checkpoint->map.data;
    if (checkpoint->map.size < HN_CHECKPOINT_HEADER || memcmp(data, HN_CHECKPOINT_MAGIC, 8) != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: not a hone checkpoint", checkpoint->path);
    if (data[8] != HN_CHECKPOINT_VERSION || data[9] != 0 || data[10] != 0 || data[11] != 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: checkpoint version %d, this hone reads version %d",
                       checkpoint->path, data[8], HN_CHECKPOINT_VERSION);
    if (checkpoint->map.size < HN_CHECKPOINT_HEADER + HN_CHECKPOINT_FOOTER)
        return damaged(checkpoint, "the footer is missing");
    if (memcmp(data + 12, "\0\0\0", 4) != 0)
        return damaged(checkpoint, "the header's reserved bytes are not zero");
    return HONE_OK;
}

/** Decompresses the index, whose size is bounded before anything is allocated. */
static hone_status read_index(hn_checkpoint *checkpoint) {
    const unsigned char *footer = checkpoint->map.data + checkpoint->map.size - HN_CHECKPOINT_FOOTER;
    const uint64_t limit = checkpoint->map.size - HN_CHECKPOINT_FOOTER;
    const uint64_t offset = hn_get64(footer), bytes = hn_get64(footer + 8);
    char *text = NULL;
    hone_status status = HONE_OK;

    if (memcmp(footer + 24, HN_CHECKPOINT_END, 8) != 0)
        return damaged(checkpoint, "the footer is missing");
    if (offset < HN_CHECKPOINT_HEADER || offset > limit || bytes != limit - offset)
        return damaged(checkpoint, "the footer points outside the file");
    const unsigned char *frame = checkpoint->map.data + offset;
    if (hn_hash64(frame, (size_t)bytes) != hn_get64(footer + 16))
        return damaged(checkpoint, "the index has another hash than the footer says");
    const unsigned long long raw = ZSTD_getFrameContentSize(frame, (size_t)bytes);
    if (raw == ZSTD_CONTENTSIZE_UNKNOWN || raw == ZSTD_CONTENTSIZE_ERROR || raw > HN_CHECKPOINT_INDEX_LIMIT)
        return damaged(checkpoint, "the index has no valid size");
    HN_GO(hn_alloc(&text, (size_t)raw + 1, 1, "checkpoint index"));
    if (ZSTD_decompress(text, (size_t)raw, frame, (size_t)bytes) != raw) {
        status = damaged(checkpoint, "the index can't be decompressed");
        goto done;
    }
    checkpoint->data_end = (size_t)offset;
    HN_GO(hn_json_parse(text, (size_t)raw, checkpoint->path, &checkpoint->index));
done:
    hn_free(text);
    return status;
}

/** Frames are as many as the raw bytes ask for, and lie within the data. */
static hone_status check_frames(const hn_checkpoint *checkpoint, entry *item) {
    uint64_t end = item->offset;

    if (!json_is_array(item->frames) ||
        json_array_size(item->frames) != hn_checkpoint_frames(item->chunk.bytes))
        return damaged(checkpoint, "a chunk has a wrong number of frames");
    for (size_t i = 0; i < json_array_size(item->frames); i++) {
        const json_int_t stored = json_integer_value(json_array_get(item->frames, i));
        if (stored <= 0 || end > checkpoint->data_end || (uint64_t)stored > checkpoint->data_end - end)
            return damaged(checkpoint, "a frame lies outside the file");
        end += (uint64_t)stored;
    }
    item->chunk.stored_bytes = (size_t)(end - item->offset);
    return HONE_OK;
}

static hone_status parse_entry(const hn_checkpoint *checkpoint, const json_t *json, entry *item) {
    const char *hash = NULL;
    int64_t dtype = 0, bytes = 0, offset = 0;
    char *end = NULL;

    HN_TRY(hn_json_string(json, "name", checkpoint->path, &item->chunk.name));
    HN_TRY(hn_json_integer(json, "dtype", checkpoint->path, &dtype));
    HN_TRY(hn_json_integer(json, "bytes", checkpoint->path, &bytes));
    HN_TRY(hn_json_integer(json, "offset", checkpoint->path, &offset));
    HN_TRY(hn_json_string(json, "xxh3", checkpoint->path, &hash));
    if (dtype < 0 || dtype >= HONE_DTYPE_COUNT || bytes < 0 || offset < HN_CHECKPOINT_HEADER)
        return damaged(checkpoint, "a chunk's entry is out of range");
    item->chunk.dtype = (hone_dtype)dtype;
    item->chunk.bytes = (size_t)bytes;
    item->offset = (uint64_t)offset;
    item->hash = strtoull(hash, &end, 16);
    if (strlen(hash) != 16 || *end != '\0')
        return damaged(checkpoint, "a chunk's hash is malformed");
    item->frames = json_object_get(json, "frames");
    return check_frames(checkpoint, item);
}

static hone_status parse_index(hn_checkpoint *checkpoint) {
    const json_t *chunks = json_object_get(checkpoint->index, "chunks");
    int64_t block = 0;

    HN_TRY(hn_json_integer(checkpoint->index, "block", checkpoint->path, &block));
    if (block != HN_CHECKPOINT_BLOCK || !json_is_array(chunks) ||
        json_array_size(chunks) > HN_CHECKPOINT_CHUNK_LIMIT)
        return damaged(checkpoint, "the index is malformed");
    const size_t count = json_array_size(chunks);
    HN_TRY(hn_alloc(&checkpoint->item, count, sizeof *checkpoint->item, "checkpoint index"));
    for (size_t i = 0; i < count; i++) {
        HN_TRY(parse_entry(checkpoint, json_array_get(chunks, i), &checkpoint->item[i]));
        checkpoint->count = i + 1;
    }
    return HONE_OK;
}

hone_status hn_checkpoint_open(const char *path, hn_checkpoint **out) {
    hn_checkpoint *checkpoint = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&checkpoint, 1, sizeof *checkpoint, "checkpoint"));
    HN_GO(hn_strdup(&checkpoint->path, path));
    HN_GO(hn_map_open(path, &checkpoint->map));
    HN_GO(check_header(checkpoint));
    HN_GO(read_index(checkpoint));
    HN_GO(parse_index(checkpoint));
    HN_GO(hn_alloc(&checkpoint->block, HN_CHECKPOINT_BLOCK, 1, "checkpoint block"));
    *out = checkpoint;
    checkpoint = NULL;
done:
    hn_checkpoint_destroy(checkpoint);
    return status;
}

void hn_checkpoint_destroy(hn_checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    json_decref(checkpoint->index);
    hn_map_close(&checkpoint->map);
    hn_free(checkpoint->item);
    hn_free(checkpoint->block);
    hn_free(checkpoint->path);
    hn_free(checkpoint);
}

size_t hn_checkpoint_count(const hn_checkpoint *checkpoint) { return checkpoint->count; }

const hn_checkpoint_chunk *hn_checkpoint_item(const hn_checkpoint *checkpoint, size_t index) {
    return index < checkpoint->count ? &checkpoint->item[index].chunk : NULL;
}

static const entry *find(const hn_checkpoint *checkpoint, const char *name) {
    for (size_t i = 0; i < checkpoint->count; i++)
        if (strcmp(checkpoint->item[i].chunk.name, name) == 0)
            return &checkpoint->item[i];
    return NULL;
}

const hn_checkpoint_chunk *hn_checkpoint_find(const hn_checkpoint *checkpoint, const char *name) {
    const entry *item = find(checkpoint, name);
    return item != NULL ? &item->chunk : NULL;
}

static hone_status read_entry(hn_checkpoint *checkpoint, const entry *item, unsigned char *data) {
    const size_t element = hone_dtype_size(item->chunk.dtype);
    const unsigned char *frame = checkpoint->map.data + item->offset;
    size_t at = 0;

    for (size_t i = 0; i < json_array_size(item->frames); i++) {
        const size_t stored = (size_t)json_integer_value(json_array_get(item->frames, i));
        const size_t left = item->chunk.bytes - at,
                     raw = left < HN_CHECKPOINT_BLOCK ? left : HN_CHECKPOINT_BLOCK;
        unsigned char *target = element > 1 ? checkpoint->block : data + at;
        if (ZSTD_decompress(target, raw, frame, stored) != raw)
            return hn_fail(HONE_ERROR_FORMAT,
                           "%s: chunk \"%s\" can't be decompressed: the checkpoint is damaged",
                           checkpoint->path, item->chunk.name);
        if (element > 1)
            hn_planes_join(checkpoint->block, data + at, raw, element);
        frame += stored;
        at += raw;
    }
    if (hn_hash64(data, item->chunk.bytes) != item->hash)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: chunk \"%s\" has another hash than the index says: the checkpoint is damaged",
                       checkpoint->path, item->chunk.name);
    return HONE_OK;
}

hone_status hn_checkpoint_read(hn_checkpoint *checkpoint, const char *name, void *data, size_t bytes) {
    const entry *item = find(checkpoint, name);

    if (item == NULL)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: chunk \"%s\" is missing: the checkpoint belongs to another run or version",
                       checkpoint->path, name);
    if (item->chunk.bytes != bytes)
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: chunk \"%s\" has %zu bytes, %zu are wanted: the checkpoint belongs to another model",
            checkpoint->path, name, item->chunk.bytes, bytes);
    return read_entry(checkpoint, item, data);
}
