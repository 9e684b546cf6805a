/** vector.h in AVX2, FMA and F16C: 8 lanes. */
#ifndef HN_CPU_VECTOR_AVX2_H
#define HN_CPU_VECTOR_AVX2_H

typedef __m256 vec;
typedef __m256i vec_int;
enum { VEC_LANES = 8 };

VEC_INLINE __m256i vec_part(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

VEC_INLINE vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
VEC_INLINE void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
/** The first n lanes; the others are 0. */
VEC_INLINE vec vec_load_part(const float *p, int n) { return _mm256_maskload_ps(p, vec_part(n)); }
VEC_INLINE void vec_store_part(float *p, vec x, int n) { _mm256_maskstore_ps(p, vec_part(n), x); }
VEC_INLINE vec vec_set(float x) { return _mm256_set1_ps(x); }
VEC_INLINE vec vec_zero(void) { return _mm256_setzero_ps(); }
/** a b + c, rounded once; c - a b. */
VEC_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
VEC_INLINE vec vec_fnma(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
/** b where a is not a number. */
VEC_INLINE vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); }
VEC_INLINE vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); }
VEC_INLINE vec vec_sqrt(vec x) { return _mm256_sqrt_ps(x); }
VEC_INLINE vec vec_round(vec x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/** x 2^n for a whole n, in two steps, as 2^n may lie outside the format; results below it become 0. */
VEC_INLINE vec vec_scale2(vec x, vec n) {
    vec bounded = _mm256_min_ps(_mm256_max_ps(n, _mm256_set1_ps(-252.0f)), _mm256_set1_ps(252.0f));
    vec_int whole = _mm256_cvtps_epi32(bounded), bias = _mm256_set1_epi32(127);
    vec_int half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    vec a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
    vec b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
    return _mm256_mul_ps(_mm256_mul_ps(x, a), b);
}
/** Lanes first <= i < last of x, `other` elsewhere. */
VEC_INLINE vec vec_between(vec x, vec other, int first, int last) {
    __m256i inside = _mm256_andnot_si256(vec_part(first), vec_part(last));
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(inside));
}
/** x where the word is larger than `above`, else 0. Comparisons are signed: both sides are moved by 2^31. */
VEC_INLINE vec vec_keep(vec x, const uint32_t *word, uint32_t above) {
    vec_int flip = _mm256_set1_epi32((int)0x80000000u);
    vec_int words = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)word), flip);
    vec_int kept = _mm256_cmpgt_epi32(words, _mm256_xor_si256(_mm256_set1_epi32((int)above), flip));
    return _mm256_and_ps(x, _mm256_castsi256_ps(kept));
}

/* ---- doubles: two halves ---- */

typedef struct vec_double {
    __m256d low, high;
} vec_double;

VEC_INLINE vec_double vec_widen(vec x) {
    return (vec_double){_mm256_cvtps_pd(_mm256_castps256_ps128(x)),
                        _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1))};
}
VEC_INLINE vec vec_narrow(vec_double x) {
    return _mm256_set_m128(_mm256_cvtpd_ps(x.high), _mm256_cvtpd_ps(x.low));
}
VEC_INLINE vec_double vec_double_set(double x) { return (vec_double){_mm256_set1_pd(x), _mm256_set1_pd(x)}; }
VEC_INLINE vec_double vec_double_multiply(vec_double a, vec_double b) {
    return (vec_double){_mm256_mul_pd(a.low, b.low), _mm256_mul_pd(a.high, b.high)};
}
VEC_INLINE vec_double vec_double_fma(vec_double a, vec_double b, vec_double c) {
    return (vec_double){_mm256_fmadd_pd(a.low, b.low, c.low), _mm256_fmadd_pd(a.high, b.high, c.high)};
}
VEC_INLINE vec_double vec_double_round(vec_double x) {
    enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
    return (vec_double){_mm256_round_pd(x.low, NEAREST), _mm256_round_pd(x.high, NEAREST)};
}
VEC_INLINE vec_int vec_double_whole(vec_double x) {
    return _mm256_set_m128i(_mm256_cvtpd_epi32(x.high), _mm256_cvtpd_epi32(x.low));
}
VEC_INLINE double vec_double_sum(vec_double x) {
    double lane[4];
    _mm256_storeu_pd(lane, _mm256_add_pd(x.low, x.high));
    return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/** A quarter turn more, n times: (cosine, sine) of r becomes that of r + n pi/2. */
VEC_INLINE void vec_quarter_turns(vec_int n, vec *cosine, vec *sine) {
    vec odd = _mm256_castsi256_ps(_mm256_slli_epi32(n, 31)); /* the sign bit chooses in a blend */
    vec c = _mm256_blendv_ps(*cosine, *sine, odd), s = _mm256_blendv_ps(*sine, *cosine, odd);
    vec_int two = _mm256_set1_epi32(2);
    vec_int flip_s = _mm256_slli_epi32(_mm256_and_si256(n, two), 30);
    vec_int flip_c = _mm256_slli_epi32(_mm256_and_si256(_mm256_add_epi32(n, _mm256_set1_epi32(1)), two), 30);
    *cosine = _mm256_xor_ps(c, _mm256_castsi256_ps(flip_c));
    *sine = _mm256_xor_ps(s, _mm256_castsi256_ps(flip_s));
}

/* ---- formats of 16 bits ---- */

VEC_INLINE vec vec_load_f16(const uint16_t *p) {
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
}
VEC_INLINE void vec_store_f16(uint16_t *p, vec x) {
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
VEC_INLINE vec vec_load_bf16(const uint16_t *p) {
    vec_int bits = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)p));
    return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
}
/** To nearest even; what is not a number stays so. */
VEC_INLINE void vec_store_bf16(uint16_t *p, vec x) {
    vec_int bits = _mm256_castps_si256(x), one = _mm256_set1_epi32(1);
    vec_int even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), one);
    vec_int near = _mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff)));
    vec_int nan = _mm256_and_si256(bits, _mm256_set1_epi32((int)0x80000000u));
    nan = _mm256_or_si256(nan, _mm256_set1_epi32(0x7fc00000));
    near = _mm256_blendv_epi8(near, nan, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
    near = _mm256_srli_epi32(near, 16);
    __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(near, near), 0x08);
    _mm_storeu_si128((__m128i *)(void *)p, _mm256_castsi256_si128(packed));
}

/* ---- a square of VEC_LANES vectors, lanes and vectors exchanged ---- */

VEC_INLINE void vec_transpose(vec x[VEC_LANES]) {
    vec y[VEC_LANES];
    VEC_UNROLL
    for (int i = 0; i < 8; i += 4) {
        vec a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
        vec c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm256_shuffle_ps(a, c, 0x44);
        y[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        y[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    VEC_UNROLL
    for (int i = 0; i < 4; i++) {
        x[i] = _mm256_permute2f128_ps(y[i], y[i + 4], 0x20);
        x[i + 4] = _mm256_permute2f128_ps(y[i], y[i + 4], 0x31);
    }
}

#endif
