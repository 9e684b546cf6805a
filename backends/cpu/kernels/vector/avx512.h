/** vector.h in AVX-512 (F, DQ, BW, VL): 16 lanes. */
#ifndef HN_CPU_VECTOR_AVX512_H
#define HN_CPU_VECTOR_AVX512_H

typedef __m512 vec;
typedef __m512i vec_int;
enum { VEC_LANES = 16 };

VEC_INLINE __mmask16 vec_part(int n) { return (__mmask16)((1u << n) - 1u); }

VEC_INLINE vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
VEC_INLINE void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
/** The first n lanes; the others are 0. */
VEC_INLINE vec vec_load_part(const float *p, int n) { return _mm512_maskz_loadu_ps(vec_part(n), p); }
VEC_INLINE void vec_store_part(float *p, vec x, int n) { _mm512_mask_storeu_ps(p, vec_part(n), x); }
VEC_INLINE vec vec_set(float x) { return _mm512_set1_ps(x); }
VEC_INLINE vec vec_zero(void) { return _mm512_setzero_ps(); }
/** a b + c, rounded once; c - a b. */
VEC_INLINE vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
VEC_INLINE vec vec_fnma(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
/** b where a is not a number. */
VEC_INLINE vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
VEC_INLINE vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
VEC_INLINE vec vec_sqrt(vec x) { return _mm512_sqrt_ps(x); }
VEC_INLINE vec vec_round(vec x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
/** x 2^n for a whole n of any size. */
VEC_INLINE vec vec_scale2(vec x, vec n) { return _mm512_scalef_ps(x, n); }
/** Lanes first <= i < last of x, `other` elsewhere. */
VEC_INLINE vec vec_between(vec x, vec other, int first, int last) {
    return _mm512_mask_mov_ps(other, (__mmask16)(vec_part(last) & ~(unsigned)vec_part(first)), x);
}
/** x where the word is larger than `above`, else 0. */
VEC_INLINE vec vec_keep(vec x, const uint32_t *word, uint32_t above) {
    vec_int words = _mm512_loadu_si512(word);
    return _mm512_maskz_mov_ps(_mm512_cmpgt_epu32_mask(words, _mm512_set1_epi32((int)above)), x);
}

/* ---- doubles: two halves ---- */

typedef struct vec_double {
    __m512d low, high;
} vec_double;

VEC_INLINE vec_double vec_widen(vec x) {
    return (vec_double){_mm512_cvtps_pd(_mm512_castps512_ps256(x)),
                        _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}
VEC_INLINE vec vec_narrow(vec_double x) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(x.low)), _mm512_cvtpd_ps(x.high), 1);
}
VEC_INLINE vec_double vec_double_set(double x) { return (vec_double){_mm512_set1_pd(x), _mm512_set1_pd(x)}; }
VEC_INLINE vec_double vec_double_multiply(vec_double a, vec_double b) {
    return (vec_double){_mm512_mul_pd(a.low, b.low), _mm512_mul_pd(a.high, b.high)};
}
VEC_INLINE vec_double vec_double_fma(vec_double a, vec_double b, vec_double c) {
    return (vec_double){_mm512_fmadd_pd(a.low, b.low, c.low), _mm512_fmadd_pd(a.high, b.high, c.high)};
}
VEC_INLINE vec_double vec_double_round(vec_double x) {
    enum { NEAREST = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
    return (vec_double){_mm512_roundscale_pd(x.low, NEAREST), _mm512_roundscale_pd(x.high, NEAREST)};
}
VEC_INLINE vec_int vec_double_whole(vec_double x) {
    return _mm512_inserti32x8(_mm512_castsi256_si512(_mm512_cvtpd_epi32(x.low)), _mm512_cvtpd_epi32(x.high),
                              1);
}
VEC_INLINE double vec_double_sum(vec_double x) {
    double lane[8];
    _mm512_storeu_pd(lane, _mm512_add_pd(x.low, x.high));
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/** A quarter turn more, n times: (cosine, sine) of r becomes that of r + n pi/2. */
VEC_INLINE void vec_quarter_turns(vec_int n, vec *cosine, vec *sine) {
    __mmask16 odd = _mm512_test_epi32_mask(n, _mm512_set1_epi32(1));
    vec c = _mm512_mask_mov_ps(*cosine, odd, *sine), s = _mm512_mask_mov_ps(*sine, odd, *cosine);
    vec_int two = _mm512_set1_epi32(2);
    vec_int flip_s = _mm512_slli_epi32(_mm512_and_si512(n, two), 30);
    vec_int flip_c = _mm512_slli_epi32(_mm512_and_si512(_mm512_add_epi32(n, _mm512_set1_epi32(1)), two), 30);
    *cosine = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(c), flip_c));
    *sine = _mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(s), flip_s));
}

/* ---- formats of 16 bits ---- */

VEC_INLINE vec vec_load_f16(const uint16_t *p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
VEC_INLINE void vec_store_f16(uint16_t *p, vec x) {
    _mm256_storeu_si256((__m256i *)(void *)p,
                        _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
}
VEC_INLINE vec vec_load_bf16(const uint16_t *p) {
    vec_int bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(const void *)p));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
}
/** To nearest even; what is not a number stays so. */
VEC_INLINE void vec_store_bf16(uint16_t *p, vec x) {
    vec_int bits = _mm512_castps_si512(x), one = _mm512_set1_epi32(1);
    vec_int even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), one);
    vec_int near = _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7fff)));
    vec_int nan = _mm512_and_si512(bits, _mm512_set1_epi32((int)0x80000000u));
    nan = _mm512_or_si512(nan, _mm512_set1_epi32(0x7fc00000));
    near = _mm512_mask_mov_epi32(near, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
    _mm256_storeu_si256((__m256i *)(void *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(near, 16)));
}

/* ---- a square of VEC_LANES vectors, lanes and vectors exchanged ---- */

VEC_INLINE void vec_transpose(vec x[VEC_LANES]) {
    vec y[VEC_LANES];
    VEC_UNROLL
    for (int i = 0; i < 16; i += 4) {
        vec a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
        vec c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm512_shuffle_ps(a, c, 0x44);
        y[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        y[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    VEC_UNROLL
    for (int i = 0; i < 4; i++) {
        vec a = _mm512_shuffle_f32x4(y[i], y[i + 4], 0x88),
            b = _mm512_shuffle_f32x4(y[i + 8], y[i + 12], 0x88);
        vec c = _mm512_shuffle_f32x4(y[i], y[i + 4], 0xdd),
            d = _mm512_shuffle_f32x4(y[i + 8], y[i + 12], 0xdd);
        x[i] = _mm512_shuffle_f32x4(a, b, 0x88);
        x[i + 4] = _mm512_shuffle_f32x4(c, d, 0x88);
        x[i + 8] = _mm512_shuffle_f32x4(a, b, 0xdd);
        x[i + 12] = _mm512_shuffle_f32x4(c, d, 0xdd);
    }
}

#endif
