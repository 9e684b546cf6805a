/** Numbers from one floating format to another: to nearest, ties to even. Every format widens to f64 exactly. */
#ifndef HN_CPU_CONVERT_H
#define HN_CPU_CONVERT_H

#include <stdint.h>
#include <string.h>

static inline uint64_t hn_cpu_bits_f64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/** A format of 16 bits with `fraction` bits of fraction and the exponent's bias. Not a number stays one. */
static inline uint16_t hn_cpu_to_16(double x, int fraction, int bias) {
    uint64_t bits = hn_cpu_bits_f64(x);
    uint64_t sign = bits >> 63 << 15, most = (UINT64_C(1) << (15 - fraction)) - 1;
    int exponent = (int)(bits >> 52 & 0x7ff);
    uint64_t digits = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 0x7ff) {
        uint64_t quiet = digits != 0 ? UINT64_C(1) << (fraction - 1) : 0;
        return (uint16_t)(sign | most << fraction | quiet);
    }
    int target = exponent - 1023 + bias, drop = 52 - fraction;
    uint64_t value = digits;
    if (target >= (int)most) {
        return (uint16_t)(sign | most << fraction);
    }
    if (target > 0) {
        value |= (uint64_t)target << 52; /* a carry out of the fraction raises the exponent, as it should */
    } else {
        value |= UINT64_C(1) << 52;
        drop += 1 - target;
        if (drop > 54 || exponent == 0) {
            return (uint16_t)sign;
        }
    }
    uint64_t half = UINT64_C(1) << (drop - 1), rest = value & (2 * half - 1);
    value >>= drop;
    value += rest > half || (rest == half && (value & 1) != 0) ? 1 : 0;
    return (uint16_t)(sign | value);
}

static inline uint16_t hn_cpu_to_f16(double x) { return hn_cpu_to_16(x, 10, 15); }

static inline uint16_t hn_cpu_to_bf16(double x) { return hn_cpu_to_16(x, 7, 127); }

static inline float hn_cpu_from_bf16(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float hn_cpu_from_f16(uint16_t x) {
    uint32_t sign = (uint32_t)(x & 0x8000) << 16, exponent = x >> 10 & 31, digits = x & 1023;
    uint32_t bits = sign | (exponent + 112) << 23 | digits << 13;
    float value;
    if (exponent == 31) {
        bits = sign | UINT32_C(0x7f800000) | digits << 13;
    } else if (exponent == 0) {
        value = (float)digits * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
