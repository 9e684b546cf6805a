/**
 * What attention's products are made of: units that lie in the word of a float. A unit is a float or, where the
 * file is compiled with bf16 products, UNIT = 2 neighbours (along what is summed over) rounded to bf16.
 */
#ifndef HN_CPU_VECTOR_UNITS_H
#define HN_CPU_VECTOR_UNITS_H

#include "product.h"

/** The first `count` floats of x (all VEC_LANES, or none), the others 0. */
VEC_INLINE vec load_existing(const float *x, int64_t count) {
    return count >= VEC_LANES ? vec_load(x) : vec_load_part(x, count > 0 ? (int)count : 0);
}

#if defined(__AVX512BF16__)

enum { UNIT = 2 };

/** Neighbours within x, of which `count` elements exist (it may be none): VEC_LANES units, times `factor`. */
VEC_INLINE vec units_along(const float *x, int64_t count, float factor) {
    vec low = load_existing(x, count) * vec_set(factor);
    vec high = load_existing(x + VEC_LANES, count - VEC_LANES) * vec_set(factor);
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/** Neighbours from row to row, at the same lane. */
VEC_INLINE vec units_across(const vec row[UNIT]) {
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                         22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(row[1], row[0]);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(zip, both));
}

/** Units along UNIT rows, regrouped to lie across them: a vector for each VEC_LANES elements. */
VEC_INLINE void turn_units(const vec along[UNIT], vec across[UNIT]) {
    const __m512i low = _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7,
                                         38, 6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
    const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
    __m512i a = _mm512_castps_si512(along[0]), b = _mm512_castps_si512(along[1]);
    across[0] = _mm512_castsi512_ps(_mm512_permutex2var_epi16(a, low, b));
    across[1] = _mm512_castsi512_ps(_mm512_permutex2var_epi16(a, high, b));
}

#define SCORES_TILE scores_pairs_tile
#define COMBINE_TILE combine_pairs_tile

#else

enum { UNIT = 1 };

VEC_INLINE vec units_along(const float *x, int64_t count, float factor) {
    return load_existing(x, count) * vec_set(factor);
}

VEC_INLINE vec units_across(const vec row[UNIT]) { return row[0]; }

VEC_INLINE void turn_units(const vec along[UNIT], vec across[UNIT]) { across[0] = along[0]; }

#define SCORES_TILE scores_tile
#define COMBINE_TILE combine_tile

#endif

#endif
