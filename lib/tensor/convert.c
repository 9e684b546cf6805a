#include <core/status.h>
#include <string.h>
#include <tensor/tensor.h>

/** Bits of a float32 as bfloat16, to nearest even; NaN keeps its sign and stays NaN. */
static uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static float from_bf16(uint16_t bits) {
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/** Bits of a float32 as IEEE half, to nearest even; overflow becomes infinity. */
static uint16_t to_f16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    const uint32_t magnitude = bits & 0x7fffffffu;

    if (magnitude > 0x7f800000u)
        return (uint16_t)(sign | 0x7e00u);
    if (magnitude >= 0x477ff000u) /* 65520 and above round to infinity */
        return (uint16_t)(sign | 0x7c00u);
    if (magnitude < 0x38800000u) { /* below 2^-14: multiples of 2^-24, rounded by the addition of 0.5 */
        float m, shifted;
        memcpy(&m, &magnitude, sizeof m);
        shifted = m + 0.5f;
        uint32_t result;
        memcpy(&result, &shifted, sizeof result);
        return (uint16_t)(sign | (result - 0x3f000000u));
    }
    const uint32_t rounded = magnitude + 0xfffu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | (rounded - 0x38000000u) >> 13);
}

static float from_f16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = half >> 10 & 0x1fu,
                   mantissa = half & 0x3ffu;
    uint32_t bits = sign | (exponent + 112u) << 23 | mantissa << 13;
    float value;

    if (exponent == 0) { /* zero and denormals: mantissa times 2^-24 */
        value = (float)mantissa * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    if (exponent == 31)
        bits = sign | 0x7f800000u | mantissa << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/**
 * A double goes to 16 bits in one rounding: it is first rounded to float32 to odd (the last bit of the truncated value
 * is set when it was not exact), which can't hit a tie of the narrower format by accident.
 */
static float to_odd(double value) {
    float nearest = (float)value;
    uint32_t bits;

    if (!((double)nearest != value) || value != value || nearest - nearest != 0.0f)
        return nearest;
    memcpy(&bits, &nearest, sizeof bits);
    if ((double)nearest > value ? value > 0.0 : value < 0.0)
        bits--; /* back to the truncated value: towards zero */
    bits |= 1u;
    memcpy(&nearest, &bits, sizeof bits);
    return nearest;
}

static double load(hone_dtype dtype, const void *source, size_t i) {
    switch (dtype) {
    case HONE_F64:
        return ((const double *)source)[i];
    case HONE_F32:
        return (double)((const float *)source)[i];
    case HONE_F16:
        return (double)from_f16(((const uint16_t *)source)[i]);
    default:
        return (double)from_bf16(((const uint16_t *)source)[i]);
    }
}

static void store(hone_dtype dtype, void *destination, size_t i, double value) {
    switch (dtype) {
    case HONE_F64:
        ((double *)destination)[i] = value;
        break;
    case HONE_F32:
        ((float *)destination)[i] = (float)value;
        break;
    case HONE_F16:
        ((uint16_t *)destination)[i] = to_f16(to_odd(value));
        break;
    default:
        ((uint16_t *)destination)[i] = to_bf16(to_odd(value));
        break;
    }
}

static bool floating(hone_dtype dtype) {
    return dtype == HONE_F64 || dtype == HONE_F32 || dtype == HONE_F16 || dtype == HONE_BF16;
}

hone_status hn_convert(hone_dtype from, const void *source, hone_dtype to, void *destination, size_t count) {
    if (!floating(from) || !floating(to))
        return hn_fail(HONE_ERROR_UNSUPPORTED, "no conversion from %s to %s", hone_dtype_name(from),
                       hone_dtype_name(to));
    if (from == to) {
        memcpy(destination, source, count * hone_dtype_size(from));
        return HONE_OK;
    }
    for (size_t i = 0; i < count; i++)
        store(to, destination, i, load(from, source, i));
    return HONE_OK;
}
