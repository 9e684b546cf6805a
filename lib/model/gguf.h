/** The GGUF container: mapped, and validated whole before anything is used. */
#ifndef HN_MODEL_GGUF_H
#define HN_MODEL_GGUF_H

#include <core/file.h>
#include <stdint.h>

/** Element types of tensors that hone reads; the numbers are the format's. */
typedef enum hn_gguf_type {
    HN_GGUF_F32 = 0,
    HN_GGUF_F16 = 1,
    HN_GGUF_Q4_0 = 2,
    HN_GGUF_Q4_1 = 3,
    HN_GGUF_Q8_0 = 8,
    HN_GGUF_BF16 = 30
} hn_gguf_type;

typedef struct hn_gguf_tensor {
    char *name;
    int rank;
    int64_t extent[4]; /**< slowest first, as a safetensors file would have it */
    uint32_t type;
    const unsigned char *data;
    size_t bytes;
    int64_t elements;
} hn_gguf_tensor;

typedef struct hn_gguf hn_gguf;
HONE_MUST_USE hone_status hn_gguf_open(const char *path, hn_gguf **file);
void hn_gguf_destroy(hn_gguf *file);
const char *hn_gguf_path(const hn_gguf *file);
size_t hn_gguf_tensors(const hn_gguf *file);
const hn_gguf_tensor *hn_gguf_tensor_at(const hn_gguf *file, size_t index);
const hn_gguf_tensor *hn_gguf_find(const hn_gguf *file, const char *name);

/** Metadata. HONE_ERROR_FORMAT names the key when it is absent or of another type; the _or forms take a
 * fallback. */
HONE_MUST_USE hone_status hn_gguf_integer(const hn_gguf *file, const char *key, int64_t *value);
HONE_MUST_USE hone_status hn_gguf_integer_or(const hn_gguf *file, const char *key, int64_t fallback,
                                             int64_t *value);
HONE_MUST_USE hone_status hn_gguf_real_or(const hn_gguf *file, const char *key, double fallback,
                                          double *value);
/** New string in *value; NULL when absent in the _or form. */
HONE_MUST_USE hone_status hn_gguf_string(const hn_gguf *file, const char *key, char **value);
HONE_MUST_USE hone_status hn_gguf_string_or_null(const hn_gguf *file, const char *key, char **value);
/** Arrays as new C arrays; *count 0 and NULL when absent. Free strings with hn_names_free. */
HONE_MUST_USE hone_status hn_gguf_strings(const hn_gguf *file, const char *key, char ***values,
                                          size_t *count);
HONE_MUST_USE hone_status hn_gguf_integers(const hn_gguf *file, const char *key, int32_t **values,
                                           size_t *count);

/** Whether tensors of this type can be read. */
bool hn_gguf_readable(uint32_t type);
/** Elements [first, first + count) as float32; both multiples of 32 for block types. */
void hn_gguf_decode(const hn_gguf_tensor *tensor, int64_t first, int64_t count, float *values);

#endif
