/** The safetensors format: mapped, and validated whole before anything is used. */
#ifndef HN_MODEL_SAFETENSORS_H
#define HN_MODEL_SAFETENSORS_H

#include <core/file.h>
#include <hone/dtype.h>
#include <stdbool.h>
#include <stdint.h>

#define HN_SAFETENSORS_MAX_RANK 4

typedef struct hn_safetensor {
    char *name;
    hone_dtype
        dtype; /**< F32, F16, BF16, F64; others are listed with dtype HONE_DTYPE_COUNT and can't be read */
    int rank;
    int64_t extent[HN_SAFETENSORS_MAX_RANK];
    const unsigned char *data; /**< into the map; not aligned in general */
    size_t bytes;
} hn_safetensor;

typedef struct hn_safetensors hn_safetensors;
/** Opens FILE; header length, JSON, dtypes, shapes, offsets (in bounds, no overlap, no hole) are checked. */
HONE_MUST_USE hone_status hn_safetensors_open(const char *path, hn_safetensors **file);
/** FOLDER/NAME.safetensors, or the shards that FOLDER/NAME.safetensors.index.json names (plain file names
 * only). */
HONE_MUST_USE hone_status hn_safetensors_open_folder(const char *folder, const char *name,
                                                     hn_safetensors **file);
void hn_safetensors_destroy(hn_safetensors *file);
/** The mapped file number `index` as a whole; false where there is none. */
bool hn_safetensors_map(const hn_safetensors *file, size_t index, const unsigned char **data, size_t *bytes);
size_t hn_safetensors_count(const hn_safetensors *file);
const hn_safetensor *hn_safetensors_item(const hn_safetensors *file, size_t index);
const hn_safetensor *hn_safetensors_find(const hn_safetensors *file, const char *name);

/** A file written tensor by tensor in declared order; it appears whole at commit (hn_writer). */
typedef struct hn_safetensors_writer hn_safetensors_writer;
HONE_MUST_USE hone_status hn_safetensors_writer_create(const char *path, hn_safetensors_writer **writer);
HONE_MUST_USE hone_status hn_safetensors_writer_declare(hn_safetensors_writer *writer, const char *name,
                                                        hone_dtype dtype, int rank, const int64_t *extent);
/** The data of the next declared tensor; after the last, commit. */
HONE_MUST_USE hone_status hn_safetensors_writer_write(hn_safetensors_writer *writer, const void *data,
                                                      size_t bytes);
HONE_MUST_USE hone_status hn_safetensors_writer_commit(hn_safetensors_writer *writer);
void hn_safetensors_writer_destroy(hn_safetensors_writer *writer);

#endif
