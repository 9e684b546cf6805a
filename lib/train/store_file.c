/* A store's file. It is a cache of the machine that made it: numbers are written as they lie in memory. */
#include <core/memory.h>
#include <core/status.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <train/store.h>

/** Ids between two times that what has been read is let go. */
enum { FORGET = 1 << 18 };

typedef struct header {
    char magic[8];
    uint32_t item_bytes, parts;
} header;

typedef struct counts {
    int64_t ids, items, cut, dropped, rows[HN_MIXTURE_FILES];
    uint32_t mask, zero;
    char digest[40];
    char hash[40]; /**< of all ids, item by item, the items, and the counts before this */
} counts;

static const header begin = {{'H', 'O', 'N', 'E', 'T', 'O', 'K', '1'}, sizeof(hn_example), HN_EXAMPLE_PARTS};

/** Items begin at a multiple of 8 bytes. */
static size_t id_bytes(int64_t ids) { return ((size_t)ids * sizeof(int32_t) + 7) / 8 * 8; }

hone_status hn_store_begin(hn_store *store, const char *path) {
    HN_TRY(hn_writer_create(path, &store->writer));
    HN_TRY(hn_hasher_create(&store->hasher));
    return hn_writer_write(store->writer, &begin, sizeof begin);
}

static void hash_end(hn_hasher *hasher, const hn_example *item, int64_t count, counts *end) {
    hn_hasher_update(hasher, item, (size_t)count * sizeof *item);
    hn_hasher_update(hasher, end, offsetof(counts, hash));
    memset(end->hash, 0, sizeof end->hash);
    hn_hasher_digest(hasher, end->hash);
}

static hone_status write_end(hn_store *store, const hn_examples *examples) {
    static const char zeros[8];
    counts end;

    memset(&end, 0, sizeof end);
    end.ids = store->id_count;
    end.items = store->count;
    end.cut = examples->cut;
    end.dropped = examples->dropped;
    end.mask = examples->mask;
    memcpy(end.rows, examples->rows, sizeof end.rows);
    memcpy(end.digest, examples->digest, sizeof examples->digest);
    hash_end(store->hasher, store->item, store->count, &end);
    HN_TRY(hn_writer_write(store->writer, zeros, id_bytes(end.ids) - (size_t)end.ids * sizeof(int32_t)));
    HN_TRY(hn_writer_write(store->writer, store->item, (size_t)store->count * sizeof *store->item));
    HN_TRY(hn_writer_write(store->writer, &end, sizeof end));
    return hn_writer_commit(store->writer);
}

static void release(hn_store *store) {
    hn_free(store->item);
    hn_writer_destroy(store->writer);
    hn_hasher_destroy(store->hasher);
    *store = (hn_store){.item = NULL};
}

hone_status hn_store_finish(hn_store *store, const char *path, int64_t vocabulary, hn_examples *examples) {
    HN_TRY(write_end(store, examples));
    release(store);
    return hn_store_load(store, path, vocabulary, examples);
}

static hone_status bad(const char *path, const char *what) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: %s", path, what);
}

/** Whether the three parts fill the file, without a sum that could overflow. */
static bool sizes_agree(const counts *end, size_t size) {
    const size_t room = size - sizeof begin - sizeof *end;
    return end->ids >= 0 && end->items >= 0 && (size_t)end->ids <= room / sizeof(int32_t) &&
           (size_t)end->items <= room / sizeof(hn_example) &&
           id_bytes(end->ids) + (size_t)end->items * sizeof(hn_example) == room;
}

/** Its ids lie in the file, behind those of the item before; *next is where the following ones begin. */
static bool item_agrees(const hn_example *item, const counts *end, int64_t *next) {
    int64_t length = 0;

    for (int p = 0; p < HN_EXAMPLE_PARTS; p++) {
        if (item->length[p] < 0)
            return false;
        length += item->length[p];
    }
    if (item->place != *next || length > end->ids - item->place || item->file < 0 ||
        item->file >= HN_MIXTURE_FILES || !(item->preference >= 0.0 && item->preference <= 1.0))
        return false;
    *next += length;
    return true;
}

static bool ids_agree(const int32_t *ids, int64_t count, int64_t vocabulary) {
    for (int64_t i = 0; i < count; i++)
        if (ids[i] < 0 || ids[i] >= vocabulary)
            return false;
    return true;
}

/** One pass over everything. */
static hone_status verify(const hn_examples *examples, const char *path, int64_t vocabulary,
                          const counts *found, hn_hasher *hasher) {
    counts end = *found;
    int64_t next = 0;

    for (int64_t i = 0; i < examples->count; i++) {
        const hn_example *item = &examples->item[i];
        const int32_t *ids = examples->ids + next;
        const int64_t first = next;
        if (!item_agrees(item, &end, &next) || !ids_agree(ids, next - first, vocabulary) ||
            !hn_example_agrees(item, end.mask))
            return bad(path, "a row of it can't be right");
        for (int p = 0; p < HN_EXAMPLE_PARTS; ids += item->length[p++])
            hn_hasher_update(hasher, ids, (size_t)item->length[p] * sizeof *ids);
        if (next / FORGET != first / FORGET)
            hn_map_forget(examples->ids, (size_t)next * sizeof *ids);
    }
    if (next != end.ids)
        return bad(path, "it has tokens of no row");
    for (const char *pad = (const char *)(examples->ids + next); pad < (const char *)examples->item; pad++)
        if (*pad != 0)
            return bad(path, "there is something between tokens and rows");
    hash_end(hasher, examples->item, examples->count, &end);
    return memcmp(&end, found, sizeof end) == 0 ? HONE_OK : bad(path, "its content is not what was written");
}

static hone_status take(const hn_map *map, const char *path, int64_t vocabulary, hn_hasher *hasher,
                        hn_examples *examples) {
    counts end;

    if (map->size < sizeof begin + sizeof end || memcmp(map->data, &begin, sizeof begin) != 0)
        return bad(path, "it is no file of tokens that this version writes");
    memcpy(&end, map->data + map->size - sizeof end, sizeof end);
    if (!sizes_agree(&end, map->size) || memchr(end.digest, '\0', sizeof examples->digest) == NULL)
        return bad(path, "its size is not what it says");
    const unsigned char *ids = map->data + sizeof begin;
    examples->ids = (const int32_t *)(const void *)ids;
    examples->item = (const hn_example *)(const void *)(ids + id_bytes(end.ids));
    examples->count = end.items;
    HN_TRY(verify(examples, path, vocabulary, &end, hasher));
    examples->cut = end.cut;
    examples->dropped = end.dropped;
    examples->mask = end.mask;
    memcpy(examples->rows, end.rows, sizeof end.rows);
    memcpy(examples->digest, end.digest, sizeof examples->digest);
    hn_map_forget(map->data, map->size);
    return HONE_OK;
}

hone_status hn_store_load(hn_store *store, const char *path, int64_t vocabulary, hn_examples *examples) {
    hn_hasher *hasher = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&hasher));
    HN_GO(hn_map_open(path, &store->map));
    HN_GO(take(&store->map, path, vocabulary, hasher, examples));
done:
    hn_hasher_destroy(hasher);
    if (status != HONE_OK)
        hn_map_close(&store->map);
    return status;
}
