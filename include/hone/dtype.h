/** Element types of tensors, on devices and in files. */
#ifndef HONE_DTYPE_H
#define HONE_DTYPE_H

#include <hone/export.h>
#include <stddef.h>

HONE_BEGIN

typedef enum hone_dtype {
    HONE_F32 = 0,
    HONE_F64,
    HONE_F16,
    HONE_BF16,
    HONE_I32,
    HONE_U8, /**< bytes without numeric meaning: workspaces */
    HONE_DTYPE_COUNT
} hone_dtype;

/** Bytes of one element; 0 for a value outside the enumeration. */
HONE_API size_t hone_dtype_size(hone_dtype dtype);

/** "f32", "f64", "f16", "bf16", "i32", "u8"; "?" outside the enumeration. */
HONE_API const char *hone_dtype_name(hone_dtype dtype);

HONE_END

#endif
