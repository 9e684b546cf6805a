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
