/* Chains of multiply-adds that depend on nothing but themselves: as many as hide the latency of the units, few enough
 * to stay in registers. Compiled for an instruction set each, chosen at run time. */
#include <bench/peak.h>
#include <stddef.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Written out: in a loop the compiler may leave the sums in memory. Each chain starts with a number of its own: equal
 * chains are merged into one. */
#define CHAINS 12
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)

/* For instructions of longer latency, where there are 32 registers. */
#define MORE_CHAINS(DO) DO(12) DO(13) DO(14) DO(15) DO(16) DO(17) DO(18) DO(19)

/* Values that no compiler knows, close to a fixed point: nothing overflows or becomes slow on the way. */
static volatile float factor = 0.999f, addend = 0.001f;

static bool always(void) { return true; }

/** Four floats at a time, as every processor with a C compiler has them. */
typedef float four __attribute__((vector_size(16)));

static float run_scalar(int64_t rounds) {
    const four a = {factor, factor, factor, factor}, b = {addend, addend, addend, addend};
    float total = 0.0f;

#define DECLARE(i) four s##i = b * (float)(i + 1);
#define STEP(i) s##i = s##i * a + b;
#define TAKE(i) total += s##i[0];
    EACH_CHAIN(DECLARE)
    for (int64_t r = 0; r < rounds; r++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(TAKE)
#undef DECLARE
#undef STEP
#undef TAKE
    return total;
}

#if defined(__x86_64__)
static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

__attribute__((target("avx2,fma"))) static float run_avx2(int64_t rounds) {
    const __m256 a = _mm256_set1_ps(factor), b = _mm256_set1_ps(addend);
    float total = 0.0f;

#define DECLARE(i) __m256 s##i = _mm256_mul_ps(b, _mm256_set1_ps((float)(i + 1)));
#define STEP(i) s##i = _mm256_fmadd_ps(s##i, a, b);
#define TAKE(i) total += _mm256_cvtss_f32(s##i);
    EACH_CHAIN(DECLARE)
    for (int64_t r = 0; r < rounds; r++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(TAKE)
#undef DECLARE
#undef STEP
#undef TAKE
    return total;
}

static bool has_avx512(void) { return __builtin_cpu_supports("avx512f") != 0; }

__attribute__((target("avx512f"))) static float run_avx512(int64_t rounds) {
    const __m512 a = _mm512_set1_ps(factor), b = _mm512_set1_ps(addend);
    float total = 0.0f;

#define DECLARE(i) __m512 s##i = _mm512_mul_ps(b, _mm512_set1_ps((float)(i + 1)));
#define STEP(i) s##i = _mm512_fmadd_ps(s##i, a, b);
#define TAKE(i) total += _mm512_cvtss_f32(s##i);
    EACH_CHAIN(DECLARE)
    for (int64_t r = 0; r < rounds; r++) {
        EACH_CHAIN(STEP)
    }
    EACH_CHAIN(TAKE)
#undef DECLARE
#undef STEP
    return total;
}

#if defined(__clang__) || __GNUC__ >= 10
#define BF16_PRODUCTS 1
static bool has_bf16(void) { return has_avx512() && __builtin_cpu_supports("avx512bf16"); }

/* Pairs of bf16, multiplied and added to floats: 2 x 16 multiply-adds an instruction. 0x3e00 is 1/8: the sums stay
 * finite for far more rounds than anyone runs. */
__attribute__((target("avx512f,avx512bf16"))) static float run_bf16(int64_t rounds) {
    const __m512bh a = (__m512bh)_mm512_set1_epi32(0x3e003e00);
    const __m512 b = _mm512_set1_ps(addend);
    float total = 0.0f;

#define DECLARE(i) __m512 s##i = _mm512_mul_ps(b, _mm512_set1_ps((float)(i + 1)));
#define STEP(i) s##i = _mm512_dpbf16_ps(s##i, a, a);
    EACH_CHAIN(DECLARE)
    MORE_CHAINS(DECLARE)
    for (int64_t r = 0; r < rounds; r++) {
        EACH_CHAIN(STEP)
        MORE_CHAINS(STEP)
    }
    EACH_CHAIN(TAKE)
    MORE_CHAINS(TAKE)
#undef DECLARE
#undef STEP
    return total;
}
#endif
#undef TAKE
#endif

static const hn_peak_kernel kernels[] = {
#if defined(__x86_64__)
#ifdef BF16_PRODUCTS
    {"avx512", true, has_bf16, run_bf16, (CHAINS + 8) * 16 * 4.0},
#endif
    {"avx512", false, has_avx512, run_avx512, CHAINS * 16 * 2.0},
    {"avx2", false, has_avx2, run_avx2, CHAINS * 8 * 2.0},
#endif
    {"scalar", false, always, run_scalar, CHAINS * 4 * 2.0},
};

const hn_peak_kernel *hn_peak_kernel_at(int i) {
    return i >= 0 && (size_t)i < sizeof kernels / sizeof kernels[0] ? &kernels[i] : NULL;
}
