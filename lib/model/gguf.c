#include <core/memory.h>
#include <core/status.h>
#include <model/gguf.h>
#include <stdlib.h>
#include <string.h>

/** Limits on what a header may claim; the file's length bounds everything else. */
enum {
    TENSOR_LIMIT = 1 << 20,
    KEY_LIMIT = 1 << 16,
    NAME_LIMIT = 1 << 16,
    ALIGNMENT_LIMIT = 1 << 16,
    BLOCK = 32
};

/** Metadata value types of the format. */
enum { U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 };

typedef struct pair {
    char *key;
    uint32_t type; /**< of the value; of an array's elements */
    bool array;
    uint64_t count;            /**< elements; 1 for a scalar */
    const unsigned char *data; /**< first element */
} pair;

struct hn_gguf {
    char *path;
    hn_map map;
    pair *pair;
    size_t pairs;
    hn_gguf_tensor *tensor;
    size_t tensors;
};

/** Reads forward through the map and fails at its end, once and for all. */
typedef struct cursor {
    const hn_gguf *file;
    size_t at;
    bool failed;
} cursor;

static const unsigned char *take(cursor *c, uint64_t bytes) {
    static const unsigned char zero[8];
    if (c->failed || bytes > c->file->map.size - c->at) {
        c->failed = true;
        return zero;
    }
    const unsigned char *data = c->file->map.data + c->at;
    c->at += (size_t)bytes;
    return data;
}

static uint64_t little(const unsigned char *data, int bytes) {
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | data[i];
    return value;
}

static uint32_t take32(cursor *c) { return (uint32_t)little(take(c, 4), 4); }

static uint64_t take64(cursor *c) { return little(take(c, 8), 8); }

static hone_status cut(const hn_gguf *file, const char *what) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: %s: the GGUF file is damaged or cut", file->path, what);
}

static hone_status take_name(cursor *c, char **name) {
    const uint64_t length = take64(c);
    if (length > NAME_LIMIT)
        return cut(c->file, "a name is longer than 64 KiB");
    const unsigned char *text = take(c, length);
    if (c->failed)
        return cut(c->file, "the header ends within a name");
    if (memchr(text, 0, (size_t)length) != NULL)
        return cut(c->file, "a name holds a zero byte");
    return hn_strndup(name, (const char *)text, (size_t)length);
}

static int scalar_size(uint32_t type) {
    static const int sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    return type < sizeof sizes / sizeof sizes[0] ? sizes[type] : 0;
}

/** Steps over the elements of a value, so that their place in the file is known to exist. */
static hone_status skip_value(cursor *c, pair *value) {
    const int size = scalar_size(value->type);

    value->data = c->file->map.data + c->at;
    if (size > 0) {
        if (value->count > c->file->map.size / (uint64_t)size)
            return cut(c->file, "a metadata array is longer than the file");
        take(c, value->count * (uint64_t)size);
    } else if (value->type == STRING) {
        for (uint64_t i = 0; i < value->count && !c->failed; i++)
            take(c, take64(c));
    } else
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: metadata %s has the unknown type %u: get the file again, or a newer hone",
                       c->file->path, value->key, value->type);
    return c->failed ? cut(c->file, "the metadata ends early") : HONE_OK;
}

static hone_status take_pair(cursor *c, pair *value) {
    HN_TRY(take_name(c, &value->key));
    value->type = take32(c);
    value->count = 1;
    if (value->type == ARRAY) {
        value->array = true;
        value->type = take32(c);
        value->count = take64(c);
    }
    return skip_value(c, value);
}

bool hn_gguf_readable(uint32_t type) {
    return type == HN_GGUF_F32 || type == HN_GGUF_F16 || type == HN_GGUF_BF16 || type == HN_GGUF_Q4_0 ||
           type == HN_GGUF_Q4_1 || type == HN_GGUF_Q8_0;
}

/** Bytes of BLOCK elements. */
static size_t block_bytes(uint32_t type) {
    switch (type) {
    case HN_GGUF_F32:
        return 4 * BLOCK;
    case HN_GGUF_F16:
    case HN_GGUF_BF16:
        return 2 * BLOCK;
    case HN_GGUF_Q4_0:
        return 2 + BLOCK / 2;
    case HN_GGUF_Q4_1:
        return 4 + BLOCK / 2;
    case HN_GGUF_Q8_0:
        return 2 + BLOCK;
    default:
        return 0;
    }
}

static hone_status take_extents(cursor *c, hn_gguf_tensor *tensor) {
    const uint32_t rank = take32(c);

    if (rank < 1 || rank > 4)
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s has %u dimensions", c->file->path, tensor->name,
                       rank);
    tensor->rank = (int)rank;
    tensor->elements = 1;
    for (int d = tensor->rank - 1; d >= 0; d--) {
        const uint64_t extent = take64(c);
        if (extent > INT64_MAX || !hn_mul_i64(tensor->elements, (int64_t)extent, &tensor->elements))
            return hn_fail(HONE_ERROR_FORMAT, "%s: the size of tensor %s overflows", c->file->path,
                           tensor->name);
        tensor->extent[d] = (int64_t)extent;
    }
    return HONE_OK;
}

/** Until the data's start is known, `bytes` holds the offset. */
static hone_status take_tensor(cursor *c, hn_gguf_tensor *tensor) {
    HN_TRY(take_name(c, &tensor->name));
    HN_TRY(take_extents(c, tensor));
    tensor->type = take32(c);
    tensor->bytes = (size_t)take64(c);
    return c->failed ? cut(c->file, "the list of tensors ends early") : HONE_OK;
}

static hone_status place_tensor(const hn_gguf *file, hn_gguf_tensor *tensor, size_t start, size_t alignment) {
    const size_t offset = tensor->bytes;
    const uint64_t elements = (uint64_t)tensor->elements;
    size_t bytes = 0;

    if (!hn_gguf_readable(tensor->type))
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: tensor %s has GGUF type %u; hone reads F32, F16, BF16, Q8_0, Q4_0 and Q4_1",
                       file->path, tensor->name, tensor->type);
    const bool blocks = block_bytes(tensor->type) % BLOCK != 0 || tensor->type == HN_GGUF_Q8_0;
    if (blocks && tensor->extent[tensor->rank - 1] % BLOCK != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: rows of tensor %s are not a multiple of %d", file->path,
                       tensor->name, BLOCK);
    const bool fits = blocks ? hn_mul_size((size_t)(elements / BLOCK), block_bytes(tensor->type), &bytes)
                             : hn_mul_size((size_t)elements, block_bytes(tensor->type) / BLOCK, &bytes);
    if (!fits || offset % alignment != 0 || offset > file->map.size - start ||
        bytes > file->map.size - start - offset)
        return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s lies outside the file, which is damaged or cut",
                       file->path, tensor->name);
    tensor->data = file->map.data + start + offset;
    tensor->bytes = bytes;
    return HONE_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const hn_gguf_tensor *)a)->name, ((const hn_gguf_tensor *)b)->name);
}

static hone_status place_tensors(hn_gguf *file, size_t header) {
    int64_t alignment = 32;

    HN_TRY(hn_gguf_integer_or(file, "general.alignment", 32, &alignment));
    if (alignment < 1 || alignment > ALIGNMENT_LIMIT || (alignment & (alignment - 1)) != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: general.alignment is %lld, must be a power of 2 up to %lld",
                       file->path, (long long)alignment, (long long)ALIGNMENT_LIMIT);
    const size_t start = (header + (size_t)alignment - 1) & ~((size_t)alignment - 1);
    if (start > file->map.size)
        return cut(file, "there is no tensor data");
    for (size_t i = 0; i < file->tensors; i++)
        HN_TRY(place_tensor(file, &file->tensor[i], start, (size_t)alignment));
    qsort(file->tensor, file->tensors, sizeof *file->tensor, by_name);
    for (size_t i = 1; i < file->tensors; i++)
        if (strcmp(file->tensor[i - 1].name, file->tensor[i].name) == 0)
            return hn_fail(HONE_ERROR_FORMAT, "%s: tensor %s is there twice", file->path,
                           file->tensor[i].name);
    return HONE_OK;
}

static hone_status parse(hn_gguf *file) {
    cursor c = {.file = file};
    const unsigned char *magic = take(&c, 4);

    if (c.failed || memcmp(magic, "GGUF", 4) != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: not a GGUF file", file->path);
    const uint32_t version = take32(&c);
    if (version != 2 && version != 3)
        return hn_fail(HONE_ERROR_UNSUPPORTED, "%s: GGUF version %u; hone reads 2 and 3", file->path,
                       version);
    const uint64_t tensors = take64(&c), pairs = take64(&c);
    /* A pair takes at least 13 bytes, a tensor 24: the file's length bounds what is allocated. */
    if (c.failed || tensors > TENSOR_LIMIT || pairs > KEY_LIMIT || pairs > file->map.size / 13 ||
        tensors > file->map.size / 24)
        return cut(file, "the header claims more entries than the file can hold");
    HN_TRY(hn_alloc(&file->pair, (size_t)pairs + 1, sizeof *file->pair, "GGUF metadata"));
    HN_TRY(hn_alloc(&file->tensor, (size_t)tensors + 1, sizeof *file->tensor, "GGUF tensors"));
    for (; file->pairs < pairs; file->pairs++)
        HN_TRY(take_pair(&c, &file->pair[file->pairs]));
    for (; file->tensors < tensors; file->tensors++)
        HN_TRY(take_tensor(&c, &file->tensor[file->tensors]));
    return place_tensors(file, c.at);
}

hone_status hn_gguf_open(const char *path, hn_gguf **out) {
    hn_gguf *file = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&file, 1, sizeof *file, "GGUF file"));
    HN_GO(hn_strdup(&file->path, path));
    HN_GO(hn_map_open(path, &file->map));
    HN_GO(parse(file));
    *out = file;
    file = NULL;
done:
    if (status == HONE_ERROR_FORMAT)
        status = hn_fail_advise(status, "get the file again");
    hn_gguf_destroy(file);
    return status;
}

void hn_gguf_destroy(hn_gguf *file) {
    if (file == NULL)
        return;
    /* One past the count: an entry that failed half-way may hold its name already. */
    for (size_t i = 0; file->pair != NULL && i <= file->pairs; i++)
        hn_free(file->pair[i].key);
    for (size_t i = 0; file->tensor != NULL && i <= file->tensors; i++)
        hn_free(file->tensor[i].name);
    hn_free(file->pair);
    hn_free(file->tensor);
    hn_map_close(&file->map);
    hn_free(file->path);
    hn_free(file);
}

const char *hn_gguf_path(const hn_gguf *file) { return file->path; }

size_t hn_gguf_tensors(const hn_gguf *file) { return file->tensors; }

const hn_gguf_tensor *hn_gguf_tensor_at(const hn_gguf *file, size_t index) {
    return index < file->tensors ? &file->tensor[index] : NULL;
}

const hn_gguf_tensor *hn_gguf_find(const hn_gguf *file, const char *name) {
    const hn_gguf_tensor key = {.name = (char *)(uintptr_t)name};
    return file->tensors == 0 ? NULL
                              : bsearch(&key, file->tensor, file->tensors, sizeof *file->tensor, by_name);
}

static const pair *find_pair(const hn_gguf *file, const char *key) {
    for (size_t i = 0; i < file->pairs; i++)
        if (strcmp(file->pair[i].key, key) == 0)
            return &file->pair[i];
    return NULL;
}

static hone_status missing(const hn_gguf *file, const char *key, const char *kind) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: metadata %s is missing or is not %s", file->path, key, kind);
}

/** Element i of a pair of whole numbers. */
static bool integer_at(const pair *value, uint64_t i, int64_t *out) {
    const int size = scalar_size(value->type);
    if (size == 0 || value->type == F32 || value->type == F64)
        return false;
    const uint64_t raw = little(value->data + i * (uint64_t)size, size);
    switch (value->type) {
    case I8:
        *out = (int8_t)raw;
        return true;
    case I16:
        *out = (int16_t)raw;
        return true;
    case I32:
        *out = (int32_t)raw;
        return true;
    case U64:
        *out = (int64_t)raw;
        return raw <= INT64_MAX;
    default:
        *out = (int64_t)raw;
        return true;
    }
}

hone_status hn_gguf_integer(const hn_gguf *file, const char *key, int64_t *value) {
    const pair *found = find_pair(file, key);
    if (found == NULL || found->array || !integer_at(found, 0, value))
        return missing(file, key, "a whole number");
    return HONE_OK;
}

hone_status hn_gguf_integer_or(const hn_gguf *file, const char *key, int64_t fallback, int64_t *value) {
    *value = fallback;
    return find_pair(file, key) == NULL ? HONE_OK : hn_gguf_integer(file, key, value);
}

hone_status hn_gguf_real_or(const hn_gguf *file, const char *key, double fallback, double *value) {
    const pair *found = find_pair(file, key);
    float single = 0.0f;

    *value = fallback;
    if (found == NULL)
        return HONE_OK;
    if (found->array || (found->type != F32 && found->type != F64))
        return missing(file, key, "a number");
    if (found->type == F64)
        memcpy(value, found->data, sizeof *value);
    else {
        memcpy(&single, found->data, sizeof single);
        *value = (double)single;
    }
    return HONE_OK;
}

hone_status hn_gguf_string(const hn_gguf *file, const char *key, char **value) {
    const pair *found = find_pair(file, key);
    if (found == NULL || found->array || found->type != STRING)
        return missing(file, key, "a string");
    return hn_strndup(value, (const char *)found->data + 8, (size_t)little(found->data, 8));
}

hone_status hn_gguf_string_or_null(const hn_gguf *file, const char *key, char **value) {
    *value = NULL;
    return find_pair(file, key) == NULL ? HONE_OK : hn_gguf_string(file, key, value);
}

hone_status hn_gguf_strings(const hn_gguf *file, const char *key, char ***values, size_t *count) {
    const pair *found = find_pair(file, key);

    *values = NULL;
    *count = 0;
    if (found == NULL)
        return HONE_OK;
    if (!found->array || found->type != STRING)
        return missing(file, key, "a list of strings");
    HN_TRY(hn_alloc(values, (size_t)found->count, sizeof **values, key));
    const unsigned char *at = found->data;
    for (; *count < found->count; (*count)++) {
        const size_t length = (size_t)little(at, 8);
        HN_TRY(hn_strndup(&(*values)[*count], (const char *)at + 8, length));
        at += 8 + length;
    }
    return HONE_OK;
}

hone_status hn_gguf_integers(const hn_gguf *file, const char *key, int32_t **values, size_t *count) {
    const pair *found = find_pair(file, key);

    *values = NULL;
    *count = 0;
    if (found == NULL)
        return HONE_OK;
    if (!found->array)
        return missing(file, key, "a list of whole numbers");
    HN_TRY(hn_alloc(values, (size_t)found->count, sizeof **values, key));
    for (; *count < found->count; (*count)++) {
        int64_t value = 0;
        if (!integer_at(found, *count, &value) || value < INT32_MIN || value > INT32_MAX)
            return missing(file, key, "a list of whole numbers");
        (*values)[*count] = (int32_t)value;
    }
    return HONE_OK;
}
