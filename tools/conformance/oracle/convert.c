/* Elements in memory to doubles and back. The 16-bit formats are written out from their definition: a value is
 * n * 2^(e - fraction), e the exponent (at least `least`, where denormals begin), n an integer. */
#include "oracle.h"

#include <math.h>
#include <string.h>

typedef struct half_format {
    int fraction; /* bits */
    int least;    /* exponent of the smallest normal number */
    uint16_t infinity;
} half_format;

static const half_format f16 = {10, -14, 0x7c00};
static const half_format bf16 = {7, -126, 0x7f80};

size_t oracle_dtype_size(int32_t dtype) {
    switch (dtype) {
    case HONE_F64:
        return 8;
    case HONE_F32:
    case HONE_I32:
        return 4;
    case HONE_F16:
    case HONE_BF16:
        return 2;
    case HONE_U8:
    case HONE_Q8:
        return 1;
    default:
        return 0;
    }
}

static double get_half(const half_format *format, uint16_t bits) {
    const double sign = bits & 0x8000 ? -1.0 : 1.0;
    const int magnitude = bits & 0x7fff;
    const int exponent = magnitude >> format->fraction;
    int n = magnitude & ((1 << format->fraction) - 1);

    if (magnitude > format->infinity)
        return (double)NAN;
    if (magnitude == format->infinity)
        return sign * (double)INFINITY;
    if (exponent > 0)
        n += 1 << format->fraction;
    return sign * ldexp(n, (exponent > 0 ? exponent - 1 : 0) + format->least - format->fraction);
}

static uint16_t put_half(const half_format *format, double value) {
    const int sign = signbit(value) ? 0x8000 : 0;
    int exponent = 0;

    if (isnan(value))
        return (uint16_t)(sign | format->infinity | 1 << (format->fraction - 1));
    if (isinf(value))
        return (uint16_t)(sign | format->infinity);
    (void)frexp(value, &exponent); /* of a fraction in [1/2, 1); 0 for zero */
    exponent = value == 0 || exponent - 1 < format->least ? format->least : exponent - 1;
    /* rint: to nearest, ties to even. A carry out of n goes into the exponent, as it should. */
    const double n = rint(ldexp(fabs(value), format->fraction - exponent));
    if (exponent > 127)
        return (uint16_t)(sign | format->infinity);
    const int bits = ((exponent - format->least) << format->fraction) + (int)n;
    return (uint16_t)(sign | (bits < format->infinity ? bits : format->infinity));
}

double oracle_get(int32_t dtype, const void *place) {
    double f64 = 0;
    float f32 = 0;
    int32_t i32 = 0;
    uint16_t half = 0;

    switch (dtype) {
    case HONE_F64:
        memcpy(&f64, place, sizeof f64);
        return f64;
    case HONE_F32:
        memcpy(&f32, place, sizeof f32);
        return (double)f32;
    case HONE_I32:
        memcpy(&i32, place, sizeof i32);
        return (double)i32;
    case HONE_F16:
    case HONE_BF16:
        memcpy(&half, place, sizeof half);
        return get_half(dtype == HONE_F16 ? &f16 : &bf16, half);
    default:
        return (double)NAN;
    }
}

void oracle_put(int32_t dtype, void *place, double value) {
    float f32 = 0;
    int32_t i32 = 0;
    uint16_t half = 0;

    switch (dtype) {
    case HONE_F64:
        memcpy(place, &value, sizeof value);
        break;
    case HONE_F32:
        f32 = (float)value;
        memcpy(place, &f32, sizeof f32);
        break;
    case HONE_I32:
        i32 = (int32_t)value;
        memcpy(place, &i32, sizeof i32);
        break;
    case HONE_F16:
    case HONE_BF16:
        half = put_half(dtype == HONE_F16 ? &f16 : &bf16, value);
        memcpy(place, &half, sizeof half);
        break;
    default:
        break;
    }
}

/* ---- 8 bits with a scale for each block ---- */

int64_t oracle_q8_row(int64_t columns) {
    const int64_t blocks = (columns + HONE_Q8_BLOCK - 1) / HONE_Q8_BLOCK;

    return columns + columns % 2 + 2 * blocks;
}

static int64_t block_length(int64_t columns, int64_t first) {
    return columns - first < HONE_Q8_BLOCK ? columns - first : HONE_Q8_BLOCK;
}

/* The largest magnitude is 127 steps. */
static uint16_t scale_of(const double *block, int64_t n) {
    double largest = 0;

    for (int64_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(block[i]));
    return put_half(&f16, largest / 127);
}

static double step_of(double value, double scale) {
    const double step = scale > 0 ? rint(value / scale) : 0;

    return step > 127 ? 127 : step < -127 ? -127 : step;
}

void oracle_round_q8(double *row, int64_t columns) {
    for (int64_t first = 0; first < columns; first += HONE_Q8_BLOCK) {
        const int64_t n = block_length(columns, first);
        const double scale = get_half(&f16, scale_of(row + first, n));
        for (int64_t i = first; i < first + n; i++)
            row[i] = scale * step_of(row[i], scale);
    }
}

void oracle_put_q8(void *place, const double *row, int64_t columns) {
    signed char *bytes = place;
    unsigned char *scales = (unsigned char *)place + columns + columns % 2;

    for (int64_t first = 0; first < columns; first += HONE_Q8_BLOCK) {
        const int64_t n = block_length(columns, first);
        const uint16_t bits = scale_of(row + first, n);
        for (int64_t i = first; i < first + n; i++)
            bytes[i] = (signed char)step_of(row[i], get_half(&f16, bits));
        memcpy(scales + first / HONE_Q8_BLOCK * 2, &bits, sizeof bits);
    }
}
