#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/safetensors.h>
#include <stdlib.h>
#include <string.h>

/** The format's own limit on the header, and ours on what it may list. */
enum { HEADER_LIMIT = 100000000, TENSOR_LIMIT = 1000000, SHARD_LIMIT = 1024 };

struct hn_safetensors {
    hn_map *map;
    size_t maps;
    hn_safetensor *item;
    size_t count, capacity; /**< sorted by name */
};

static const struct {
    const char *name;
    hone_dtype dtype;
    size_t size;
} dtypes[] = {{"F64", HONE_F64, 8},
              {"F32", HONE_F32, 4},
              {"F16", HONE_F16, 2},
              {"BF16", HONE_BF16, 2},
              {"I32", HONE_I32, 4},
              {"U8", HONE_U8, 1},
              {"I64", HONE_DTYPE_COUNT, 8},
              {"U64", HONE_DTYPE_COUNT, 8},
              {"U32", HONE_DTYPE_COUNT, 4},
              {"I16", HONE_DTYPE_COUNT, 2},
              {"U16", HONE_DTYPE_COUNT, 2},
              {"I8", HONE_DTYPE_COUNT, 1},
              {"BOOL", HONE_DTYPE_COUNT, 1},
              {"F8_E4M3", HONE_DTYPE_COUNT, 1},
              {"F8_E5M2", HONE_DTYPE_COUNT, 1}};

static hone_status parse_dtype(const json_t *entry, const char *path, hn_safetensor *tensor, size_t *size) {
    const char *name = NULL;
    const hone_status status = hn_json_string(entry, "dtype", path, &name);
    if (status != HONE_OK)
        return hn_fail(status, "%s: tensor %s has no \"dtype\" string", path, tensor->name);
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i].name, name) == 0) {
            tensor->dtype = dtypes[i].dtype;
            *size = dtypes[i].size;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_UNSUPPORTED,
                   "%s: tensor %s has the unknown dtype \"%s\": hone reads F32, F16, BF16 and F64", path,
                   tensor->name, name);
}

/** Extents, and the bytes they make of elements of `size`. */
static hone_status parse_shape(const json_t *entry, const char *path, hn_safetensor *tensor, size_t size) {
    const json_t *shape = json_object_get(entry, "shape");
    size_t bytes = size;

    if (!json_is_array(shape) || json_array_size(shape) > HN_SAFETENSORS_MAX_RANK)
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s: \"shape\" must be a list of at most %d extents",
                       path, tensor->name, HN_SAFETENSORS_MAX_RANK);
    tensor->rank = (int)json_array_size(shape);
    for (int d = 0; d < tensor->rank; d++) {
        const json_t *extent = json_array_get(shape, (size_t)d);
        if (!json_is_integer(extent) || json_integer_value(extent) < 0)
            return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s: extent %d is not a whole number >= 0", path,
                           tensor->name, d);
        tensor->extent[d] = json_integer_value(extent);
        if (!hn_mul_size(bytes, (size_t)tensor->extent[d], &bytes))
            return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s: its size overflows", path, tensor->name);
    }
    tensor->bytes = bytes;
    return HONE_OK;
}

static hone_status parse_place(const json_t *entry, const char *path, hn_safetensor *tensor,
                               const unsigned char *data, size_t available) {
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);

    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s: \"data_offsets\" must be two whole numbers", path,
                       tensor->name);
    const json_int_t begin = json_integer_value(first), end = json_integer_value(last);
    if (begin < 0 || end < begin || (uint64_t)end > available || (uint64_t)(end - begin) != tensor->bytes)
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: tensor %s: offsets %lld..%lld do not hold its %zu bytes within %zu of data: "
                       "damaged or cut",
                       path, tensor->name, (long long)begin, (long long)end, tensor->bytes, available);
    tensor->data = data + begin;
    return HONE_OK;
}

static hone_status add_tensor(hn_safetensors *file, const char *path, const char *name, const json_t *entry,
                              const unsigned char *data, size_t available) {
    size_t size = 0;

    if (file->count >= TENSOR_LIMIT)
        return hn_fail(HONE_ERROR_FORMAT, "%s: more than %d tensors", path, TENSOR_LIMIT);
    if (!json_is_object(entry))
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s: its entry is not an object", path, name);
    HN_TRY(hn_reserve(&file->item, &file->capacity, file->count + 1, sizeof *file->item, "tensors"));
    hn_safetensor *tensor = &file->item[file->count];
    memset(tensor, 0, sizeof *tensor);
    HN_TRY(hn_strdup(&tensor->name, name));
    file->count++;
    HN_TRY(parse_dtype(entry, path, tensor, &size));
    HN_TRY(parse_shape(entry, path, tensor, size));
    return parse_place(entry, path, tensor, data, available);
}

static int by_place(const void *a, const void *b) {
    const hn_safetensor *const *x = a, *const *y = b;
    if ((*x)->data != (*y)->data)
        return (*x)->data < (*y)->data ? -1 : 1;
    return ((*x)->bytes > (*y)->bytes) - ((*x)->bytes < (*y)->bytes);
}

/** Tensors of one map must tile its data exactly: no overlap, no hole. */
static hone_status check_tiling(const hn_safetensors *file, size_t first, const char *path,
                                const unsigned char *data, size_t available) {
    const size_t count = file->count - first;
    const hn_safetensor **order = NULL;
    hone_status status = HONE_OK;
    const unsigned char *next = data;

    HN_GO(hn_alloc(&order, count, sizeof *order, "tensor order"));
    for (size_t i = 0; i < count; i++)
        order[i] = &file->item[first + i];
    qsort(order, count, sizeof *order, by_place);
    for (size_t i = 0; i < count; i++) {
        if (order[i]->data != next) {
            status = hn_fail(HONE_ERROR_FORMAT,
                             "%s: tensor %s overlaps another one or leaves a hole at byte %zu of the data",
                             path, order[i]->name, (size_t)(order[i]->data - data));
            goto done;
        }
        next += order[i]->bytes;
    }
    if ((size_t)(next - data) != available)
        status = hn_fail(HONE_ERROR_FORMAT, "%s: %zu bytes after the last tensor belong to none", path,
                         available - (size_t)(next - data));
done:
    hn_free(order);
    return status;
}

static hone_status parse_header(hn_safetensors *file, const char *path, const hn_map *map) {
    uint64_t length = 0;
    json_t *header = NULL;
    const char *name = NULL;
    json_t *entry = NULL;
    hone_status status = HONE_OK;
    const size_t first = file->count;

    if (map->size < 8)
        return hn_fail(HONE_ERROR_FORMAT, "%s: %zu bytes are too few for a safetensors file", path,
                       map->size);
    for (int i = 7; i >= 0; i--)
        length = length << 8 | map->data[i];
    if (length > HEADER_LIMIT || length > map->size - 8)
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: a header of %llu bytes does not fit the file's %zu: not a safetensors file, or cut", path,
            (unsigned long long)length, map->size);
    const unsigned char *data = map->data + 8 + length;
    const size_t available = map->size - 8 - (size_t)length;

    HN_GO(hn_json_parse((const char *)map->data + 8, (size_t)length, path, &header));
    if (!json_is_object(header)) {
        status = hn_fail(HONE_ERROR_FORMAT, "%s: the header is not a JSON object", path);
        goto done;
    }
    json_object_foreach(header, name, entry) if (strcmp(name, "__metadata__") != 0)
        HN_GO(add_tensor(file, path, name, entry, data, available));
    HN_GO(check_tiling(file, first, path, data, available));
done:
    json_decref(header);
    return status;
}

static hone_status add_file(hn_safetensors *file, const char *path) {
    HN_TRY(hn_realloc(&file->map, file->maps + 1, sizeof *file->map, "maps"));
    HN_TRY(hn_map_open(path, &file->map[file->maps]));
    file->maps++;
    return parse_header(file, path, &file->map[file->maps - 1]);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const hn_safetensor *)a)->name, ((const hn_safetensor *)b)->name);
}

/** Sorted by name, so that find is a binary search and a name in two shards shows. */
static hone_status index_names(hn_safetensors *file, const char *path) {
    if (file->count > 0)
        qsort(file->item, file->count, sizeof *file->item, by_name);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->item[i - 1].name, file->item[i].name) == 0)
            return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s is there twice", path, file->item[i].name);
    return HONE_OK;
}

hone_status hn_safetensors_open(const char *path, hn_safetensors **out) {
    hn_safetensors *file = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&file, 1, sizeof *file, "safetensors file"));
    HN_GO(add_file(file, path));
    HN_GO(index_names(file, path));
    *out = file;
    file = NULL;
done:
    hn_safetensors_destroy(file);
    return status;
}

/** Shard names are file names in the folder itself: an index must not lead elsewhere. */
static hone_status add_shard(hn_safetensors *file, const char *folder, const char *index, const char *shard) {
    char *path = NULL;
    hone_status status = HONE_OK;

    if (shard[0] == '\0' || shard[0] == '.' || strchr(shard, '/') != NULL)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" is not a plain file name", index, shard);
    if (file->maps >= SHARD_LIMIT)
        return hn_fail(HONE_ERROR_FORMAT, "%s: more than %d shards", index, SHARD_LIMIT);
    HN_GO(hn_path_join(folder, shard, &path));
    HN_GO(add_file(file, path));
done:
    hn_free(path);
    return status;
}

static hone_status add_shards(hn_safetensors *file, const char *folder, const char *index) {
    json_t *root = NULL, *seen = json_object(), *value = NULL;
    const char *name = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_read(index, &root));
    const json_t *map = json_object_get(root, "weight_map");
    if (!json_is_object(map) || seen == NULL) {
        status = hn_fail(HONE_ERROR_FORMAT, "%s: \"weight_map\" is missing", index);
        goto done;
    }
    json_object_foreach((json_t *)map, name, value) {
        const char *shard = json_string_value(value);
        if (shard == NULL) {
            status = hn_fail(HONE_ERROR_FORMAT, "%s: the shard of %s is not a string", index, name);
            goto done;
        }
        if (json_object_get(seen, shard) != NULL)
            continue;
        json_object_set_new(seen, shard, json_true());
        HN_GO(add_shard(file, folder, index, shard));
    }
done:
    json_decref(seen);
    json_decref(root);
    return status;
}

/** Names are sorted: everything that the index promises is there. */
static hone_status check_index(const hn_safetensors *file, const char *index) {
    json_t *root = NULL, *shard = NULL;
    const char *name = NULL;
    hone_status status = HONE_OK;

    HN_TRY(hn_json_read(index, &root));
    json_object_foreach(json_object_get(root, "weight_map"), name,
                        shard) if (status == HONE_OK && hn_safetensors_find(file, name) == NULL) status =
        hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s is in none of the shards", index, name);
    json_decref(root);
    return status;
}

hone_status hn_safetensors_open_folder(const char *folder, const char *name, hn_safetensors **out) {
    hn_safetensors *file = NULL;
    char *single = NULL, *index = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_format(&single, "%s/%s.safetensors", folder, name));
    HN_GO(hn_format(&index, "%s/%s.safetensors.index.json", folder, name));
    HN_GO(hn_alloc(&file, 1, sizeof *file, "safetensors file"));
    const bool sharded = !hn_file_exists(single) && hn_file_exists(index);
    HN_GO(sharded ? add_shards(file, folder, index) : add_file(file, single));
    HN_GO(index_names(file, folder));
    if (sharded)
        HN_GO(check_index(file, index));
    *out = file;
    file = NULL;
done:
    if (status == HONE_ERROR_FORMAT)
        status = hn_fail_advise(status, "get the file again");
    hn_safetensors_destroy(file);
    hn_free(index);
    hn_free(single);
    return status;
}

void hn_safetensors_destroy(hn_safetensors *file) {
    if (file == NULL)
        return;
    for (size_t i = 0; i < file->count; i++)
        hn_free(file->item[i].name);
    for (size_t i = 0; i < file->maps; i++)
        hn_map_close(&file->map[i]);
    hn_free(file->item);
    hn_free(file->map);
    hn_free(file);
}

bool hn_safetensors_map(const hn_safetensors *file, size_t index, const unsigned char **data, size_t *bytes) {
    if (index >= file->maps)
        return false;
    *data = file->map[index].data;
    *bytes = file->map[index].size;
    return true;
}

size_t hn_safetensors_count(const hn_safetensors *file) { return file->count; }

const hn_safetensor *hn_safetensors_item(const hn_safetensors *file, size_t index) {
    return index < file->count ? &file->item[index] : NULL;
}

const hn_safetensor *hn_safetensors_find(const hn_safetensors *file, const char *name) {
    const hn_safetensor key = {.name = (char *)(uintptr_t)name};
    if (file->count == 0)
        return NULL;
    return bsearch(&key, file->item, file->count, sizeof *file->item, by_name);
}
