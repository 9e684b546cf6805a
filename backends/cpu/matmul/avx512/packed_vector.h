/** What packed_body.h asks for, in AVX-512. */
#include "load.h"
#include "transpose.h"

#include <stdbool.h>

typedef __m512 vec;
typedef __m512i units;

#define VEC static inline __attribute__((always_inline))
VEC vec vec_zero(void) { return _mm512_setzero_ps(); }
VEC vec vec_set(float x) { return _mm512_set1_ps(x); }
VEC vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
VEC vec vec_load_part(const float *p, int n) { return _mm512_maskz_loadu_ps(part(n), p); }
VEC void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
VEC void vec_store_part(float *p, vec x, int n) { _mm512_mask_storeu_ps(p, part(n), x); }
VEC vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
VEC void units_store(float *p, units x) { _mm512_storeu_si512(p, x); }
