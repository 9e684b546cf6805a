#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <train/store.h>

static hone_status add_ids(hn_store *store, const int32_t *ids, size_t count) {
    if (store->writer != NULL) {
        hn_hasher_update(store->hasher, ids, count * sizeof *ids);
        return hn_writer_write(store->writer, ids, count * sizeof *ids);
    }
    HN_TRY(hn_reserve(&store->ids, &store->id_capacity, (size_t)store->id_count + count, sizeof *ids,
                      "tokens of the data, which --stream keeps in a file"));
    if (count > 0)
        memcpy(store->ids + store->id_count, ids, count * sizeof *ids);
    return HONE_OK;
}

hone_status hn_store_add(hn_store *store, hn_example *item, const hone_ids *const *part) {
    item->place = store->id_count;
    for (int p = 0; p < HN_EXAMPLE_PARTS; p++) {
        HN_TRY(add_ids(store, part[p]->data, (size_t)item->length[p]));
        store->id_count += item->length[p];
    }
    HN_TRY(
        hn_reserve(&store->item, &store->item_capacity, (size_t)store->count + 1, sizeof *item, "examples"));
    store->item[store->count++] = *item;
    return HONE_OK;
}

void hn_store_expose(const hn_store *store, hn_examples *examples) {
    examples->item = store->item;
    examples->ids = store->ids;
    examples->count = store->count;
}

void hn_store_destroy(hn_store *store) {
    if (store == NULL)
        return;
    hn_free(store->item);
    hn_free(store->ids);
    hn_map_close(&store->map);
    hn_writer_destroy(store->writer);
    hn_hasher_destroy(store->hasher);
    hn_free(store);
}
