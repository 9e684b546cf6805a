#include <math.h>
#include <string.h>
#include <tensor/tensor.h>

static int64_t block_length(int64_t columns, int64_t first) {
    return columns - first < HONE_Q8_BLOCK ? columns - first : HONE_Q8_BLOCK;
}

/** The largest magnitude becomes 127 steps. What is no number, or too large for an F16 scale, stays visible: the scale
 *  is infinite or no number then. */
static uint16_t choose_scale(const float *block, int64_t n) {
    float largest = 0.0f;
    uint16_t scale = 0;

    for (int64_t i = 0; i < n; i++)
        largest = fabsf(block[i]) <= largest ? largest : fabsf(block[i]);
    largest /= 127.0f;
    (void)hn_convert(HONE_F32, &largest, HONE_F16, &scale, 1);
    return scale;
}

static int8_t steps(float value, float scale) {
    const float quotient = scale > 0.0f ? rintf(value / scale) : 0.0f;
    return (int8_t)(quotient > 127.0f ? 127.0f : quotient >= -127.0f ? quotient : -127.0f);
}

void hn_q8_encode(const float *row, int64_t columns, void *bytes) {
    int8_t *step = bytes;
    unsigned char *scales = (unsigned char *)bytes + columns + columns % 2;

    if (columns % 2 != 0)
        step[columns] = 0;
    for (int64_t first = 0; first < columns; first += HONE_Q8_BLOCK) {
        const int64_t n = block_length(columns, first);
        const uint16_t bits = choose_scale(row + first, n);
        float scale = 0.0f;
        (void)hn_convert(HONE_F16, &bits, HONE_F32, &scale, 1);
        for (int64_t i = first; i < first + n; i++)
            step[i] = steps(row[i], scale);
        memcpy(scales + first / HONE_Q8_BLOCK * 2, &bits, sizeof bits);
    }
}

void hn_q8_decode(const void *bytes, int64_t columns, float *row) {
    const int8_t *step = bytes;
    const unsigned char *scales = (const unsigned char *)bytes + columns + columns % 2;

    for (int64_t first = 0; first < columns; first += HONE_Q8_BLOCK) {
        const int64_t n = block_length(columns, first);
        uint16_t bits = 0;
        float scale = 0.0f;
        memcpy(&bits, scales + first / HONE_Q8_BLOCK * 2, sizeof bits);
        (void)hn_convert(HONE_F16, &bits, HONE_F32, &scale, 1);
        for (int64_t i = first; i < first + n; i++)
            row[i] = scale * (float)step[i];
    }
}
