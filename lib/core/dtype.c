#include <hone/dtype.h>

static const struct {
    const char *name;
    size_t size;
} table[HONE_DTYPE_COUNT] = {
    [HONE_F32] = {"f32", 4}, [HONE_F64] = {"f64", 8}, [HONE_F16] = {"f16", 2}, [HONE_BF16] = {"bf16", 2},
    [HONE_I32] = {"i32", 4}, [HONE_U8] = {"u8", 1},   [HONE_Q8] = {"q8", 1},
};

static int known(hone_dtype dtype) { return (int)dtype >= 0 && (int)dtype < HONE_DTYPE_COUNT; }

size_t hone_dtype_size(hone_dtype dtype) { return known(dtype) ? table[dtype].size : 0; }

const char *hone_dtype_name(hone_dtype dtype) { return known(dtype) ? table[dtype].name : "?"; }

int64_t hone_q8_row(int64_t columns) {
    if (columns < 0 || columns > INT64_MAX / 2)
        return -1;
    return columns + columns % 2 + (columns + HONE_Q8_BLOCK - 1) / HONE_Q8_BLOCK * 2;
}
