/** exp, 2^x and the angles of rotary, to about one unit in the last place. */
#ifndef HN_CPU_VECTOR_EXP_H
#define HN_CPU_VECTOR_EXP_H

#include "vector.h"

/* 2^f on [-1/2, 1/2]: 1 + f (...), interpolated at the nodes of Chebyshev. */
VEC_INLINE vec vec_exp2_part(vec f) {
    vec p = vec_set(0x1.44138ap-13f);
    p = vec_fma(p, f, vec_set(0x1.5f0890p-10f));
    p = vec_fma(p, f, vec_set(0x1.3b2a54p-7f));
    p = vec_fma(p, f, vec_set(0x1.c6af6cp-5f));
    p = vec_fma(p, f, vec_set(0x1.ebfbe0p-3f));
    p = vec_fma(p, f, vec_set(0x1.62e430p-1f));
    return vec_fma(p, f, vec_set(1.0f));
}

/** 2^x; 0 from -infinity, not a number from that. */
VEC_INLINE vec vec_exp2(vec x) {
    /* Below, the result is 0 anyway, and x - round(x) must not be infinity - infinity. */
    vec bounded = vec_max(vec_set(-300.0f), vec_min(vec_set(300.0f), x));
    vec n = vec_round(bounded);
    return vec_scale2(vec_exp2_part(bounded - n), n);
}

/** e^x. */
VEC_INLINE vec vec_exp(vec x) {
    vec bounded = vec_max(vec_set(-200.0f), vec_min(vec_set(200.0f), x));
    vec n = vec_round(bounded * vec_set(0x1.715476p+0f));
    vec r = vec_fnma(n, vec_set(0x1.62e400p-1f), bounded);
    r = vec_fnma(n, vec_set(0x1.7f7d1cp-20f), r);
    /* e^r on [-ln 2 / 2, ln 2 / 2]: 1 + r + r^2 (...), likewise. */
    vec p = vec_set(0x1.6d1106p-10f);
    p = vec_fma(p, r, vec_set(0x1.120b6cp-7f));
    p = vec_fma(p, r, vec_set(0x1.55551ap-5f));
    p = vec_fma(p, r, vec_set(0x1.5554dcp-3f));
    p = vec_fma(p, r, vec_set(0.5f));
    p = vec_fma(p, r, vec_set(1.0f));
    p = vec_fma(p, r, vec_set(1.0f));
    return vec_scale2(p, n);
}

/** Cosine and sine of position * frequency. The angle is reduced to [-pi/4, pi/4] in double. */
VEC_INLINE void vec_angles(double position, vec frequency, vec *cosine, vec *sine) {
    vec_double a = vec_double_multiply(vec_double_set(position), vec_widen(frequency));
    vec_double n = vec_double_round(vec_double_multiply(a, vec_double_set(0x1.45f306dc9c883p-1)));
    a = vec_double_fma(n, vec_double_set(-0x1.921fb54442d18p+0), a);
    a = vec_double_fma(n, vec_double_set(-0x1.1a62633145c07p-54), a);
    vec r = vec_narrow(a), r2 = r * r;
    vec s = vec_set(-0x1.9ac98ep-13f);
    s = vec_fma(s, r2, vec_set(0x1.110c28p-7f));
    s = vec_fma(s, r2, vec_set(-0x1.555552p-3f));
    *sine = vec_fma(s * r2, r, r);
    vec c = vec_set(0x1.9bd880p-16f);
    c = vec_fma(c, r2, vec_set(-0x1.6c12d2p-10f));
    c = vec_fma(c, r2, vec_set(0x1.555554p-5f));
    c = vec_fma(c, r2, vec_set(-0.5f));
    *cosine = vec_fma(c, r2, vec_set(1.0f));
    vec_quarter_turns(vec_double_whole(n), cosine, sine);
}

#endif
