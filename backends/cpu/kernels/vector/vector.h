/**
 * The vocabulary that kernels are written in once: vectors of VEC_LANES floats. The width follows from the
 * flags that the including file is compiled with. Additions, products and the like use the operators of the
 * compiler's vector types. Everything is static: the same names mean other instructions in another file.
 */
#ifndef HN_CPU_VECTOR_H
#define HN_CPU_VECTOR_H

#include <immintrin.h>
#include <stdint.h>

#define VEC_INLINE static inline __attribute__((always_inline, unused))

#if defined(__clang__)
#define VEC_UNROLL _Pragma("clang loop unroll(full)")
#else
#define VEC_UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__AVX512F__)
#include "avx512.h"
#else
#include "avx2.h"
#endif

/** The sum and the largest of all lanes, in a fixed order. */
VEC_INLINE float vec_sum(vec x) {
    float lane[VEC_LANES];
    vec_store(lane, x);
    for (int step = VEC_LANES / 2; step > 0; step /= 2) {
        for (int i = 0; i < step; i++) {
            lane[i] += lane[i + step];
        }
    }
    return lane[0];
}

VEC_INLINE float vec_largest(vec x) {
    float lane[VEC_LANES];
    vec_store(lane, x);
    float most = lane[0];
    for (int i = 1; i < VEC_LANES; i++) {
        most = lane[i] > most ? lane[i] : most;
    }
    return most;
}

/** What n elements leave after whole vectors, for vec_load_part and vec_store_part, which touch nothing past it. */
#define VEC_REST(n) ((int)((n) % VEC_LANES))

#endif
