#include <model/gguf.h>
#include <string.h>
#include <tensor/tensor.h>

/**
 * Blocks of 32 elements, as ggml lays them out: Q4_0 is d (f16) and 32 nibbles, x = d (q - 8); Q4_1 is d, m
 * (f16) and nibbles, x = d q + m; Q8_0 is d and 32 signed bytes, x = d q. Low nibbles are elements 0..15,
 * high ones 16..31.
 */
enum { BLOCK = 32, HALF = 16 };

static float half(const unsigned char *data) {
    float value = 0.0f;
    uint16_t bits = (uint16_t)(data[0] | data[1] << 8);
    const hone_status status = hn_convert(HONE_F16, &bits, HONE_F32, &value, 1);
    return status == HONE_OK ? value : 0.0f;
}

static void decode_q4_0(const unsigned char *block, float *x) {
    const float d = half(block);
    for (int j = 0; j < HALF; j++) {
        x[j] = d * (float)((block[2 + j] & 15) - 8);
        x[j + HALF] = d * (float)((block[2 + j] >> 4) - 8);
    }
}

static void decode_q4_1(const unsigned char *block, float *x) {
    const float d = half(block), m = half(block + 2);
    for (int j = 0; j < HALF; j++) {
        x[j] = d * (float)(block[4 + j] & 15) + m;
        x[j + HALF] = d * (float)(block[4 + j] >> 4) + m;
    }
}

static void decode_q8_0(const unsigned char *block, float *x) {
    const float d = half(block);
    for (int j = 0; j < BLOCK; j++)
        x[j] = d * (float)(signed char)block[2 + j];
}

static void decode_blocks(const unsigned char *data, size_t bytes, int64_t count, float *values,
                          void (*decode)(const unsigned char *block, float *x)) {
    for (int64_t i = 0; i < count; i += BLOCK)
        decode(data + (size_t)(i / BLOCK) * bytes, values + i);
}

/** F16 and BF16 in the file need not be aligned. */
static void decode_short(const unsigned char *data, hone_dtype dtype, int64_t count, float *values) {
    uint16_t piece[256];
    for (int64_t i = 0; i < count; i += 256) {
        const size_t n = (size_t)(count - i < 256 ? count - i : 256);
        memcpy(piece, data + 2 * i, 2 * n);
        if (hn_convert(dtype, piece, HONE_F32, values + i, n) != HONE_OK)
            return;
    }
}

void hn_gguf_decode(const hn_gguf_tensor *tensor, int64_t first, int64_t count, float *values) {
    const unsigned char *data = tensor->data;
    switch (tensor->type) {
    case HN_GGUF_F32:
        memcpy(values, data + 4 * first, (size_t)count * 4);
        break;
    case HN_GGUF_F16:
        decode_short(data + 2 * first, HONE_F16, count, values);
        break;
    case HN_GGUF_BF16:
        decode_short(data + 2 * first, HONE_BF16, count, values);
        break;
    case HN_GGUF_Q4_0:
        decode_blocks(data + first / BLOCK * 18, 18, count, values, decode_q4_0);
        break;
    case HN_GGUF_Q4_1:
        decode_blocks(data + first / BLOCK * 20, 20, count, values, decode_q4_1);
        break;
    default:
        decode_blocks(data + first / BLOCK * 34, 34, count, values, decode_q8_0);
        break;
    }
}
