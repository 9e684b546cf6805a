/**
 * What attention's products are made of: units that lie in the word of a float. A unit is a float or, where the
 * file is compiled with bf16 products, UNIT = 2 neighbours (along what is summed over) rounded to bf16.
 */
#ifndef HN_CPU_VECTOR_UNITS_H
#define HN_CPU_VECTOR_UNITS_H

#include "product.h"

VEC_INLINE vec load_scaled(const float *x, int64_t count, float factor) {
    return vec_load_part(x, count >= VEC_LANES ? VEC_LANES : count > 0 ? (int)count : 0) * vec_set(factor);
}

#if defined(__AVX512BF16__)

enum { UNIT = 2 };

/** Neighbours within x, of which `count` elements exist (it may be none): VEC_LANES units, times `factor`. */
VEC_INLINE vec units_along(const float *x, int64_t count, float factor) {
    vec low = load_scaled(x, count, factor);
    vec high = load_scaled(x + VEC_LANES, count - VEC_LANES, factor);
    return _mm512_castsi512_ps((__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/** Neighbours from row to row, at the same lane. */
VEC_INLINE vec units_across(const vec row[UNIT]) {
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7,
                                         22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh(row[1], row[0]);
    return _mm512_castsi512_ps(_mm512_permutexvar_epi16(zip, both));
}

#define SCORES_TILE scores_pairs_tile
#define COMBINE_TILE combine_pairs_tile

#else

enum { UNIT = 1 };

VEC_INLINE vec units_along(const float *x, int64_t count, float factor) {
    return load_scaled(x, count, factor);
}

VEC_INLINE vec units_across(const vec row[UNIT]) { return row[0]; }

#define SCORES_TILE scores_tile
#define COMBINE_TILE combine_tile

#endif

#endif
