/** Element types of tensors, on devices and in files. */
#ifndef HONE_DTYPE_H
#define HONE_DTYPE_H

#include <hone/export.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

typedef enum hone_dtype {
    HONE_F32 = 0,
    HONE_F64,
    HONE_F16,
    HONE_BF16,
    HONE_I32,
    HONE_U8, /**< bytes without numeric meaning: workspaces */
    /** Weights in 8 bits, rank 2: row r holds extent[1] signed bytes, a byte of padding where that is odd, then an F16
     *  scale for each HONE_Q8_BLOCK of them (the last may be shorter): w = scale * byte, as GGUF's Q8_0. Elements are
     *  bytes: row_stride is at least hone_q8_row(extent[1]). */
    HONE_Q8,
    HONE_DTYPE_COUNT
} hone_dtype;

#define HONE_Q8_BLOCK 32

/** Bytes of one element; 0 for a value outside the enumeration. */
HONE_API size_t hone_dtype_size(hone_dtype dtype);

/** Bytes of a row of `columns` elements in Q8, scales included; -1 when they are too many to count. */
HONE_API int64_t hone_q8_row(int64_t columns);

/** "f32", "f64", "f16", "bf16", "i32", "u8", "q8"; "?" outside the enumeration. */
HONE_API const char *hone_dtype_name(hone_dtype dtype);

HONE_END

#endif
