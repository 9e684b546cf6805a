/* Chains of multiply-adds that depend on nothing but themselves: as many as hide the latency of the units, few enough
 * to stay in registers. Compiled for an instruction set each, chosen at run time. */
#include <bench/peak.h>
#include <stddef.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
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

#if defined(__linux__) && (defined(__clang__) || __GNUC__ >= 11)
#define TILE_PRODUCTS 1
/** The processor has tiles and bf16 products of them, and the kernel lets this process use them. */
static bool has_tiles(void) {
    enum { REQUEST = 0x1023, TILE_DATA = 18 };   /* ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA */
    const unsigned wanted = 1u << 22 | 1u << 24; /* AMX-BF16, AMX-TILE */
    unsigned a = 0, b = 0, c = 0, d = 0;

    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & wanted) == wanted &&
           syscall(SYS_arch_prctl, REQUEST, TILE_DATA) == 0;
}

/* Four sums of 16 x 16, each the product of 16 x 32 and 32 x 16: 16 x 16 x 32 multiply-adds an instruction. */
__attribute__((target("amx-tile,amx-bf16"))) static float run_tiles(int64_t rounds) {
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config __attribute__((aligned(64))) = {.palette = 1};
    uint16_t eighths[16 * 32];
    float sum[16 * 16];

    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    for (int i = 0; i < 16 * 32; i++)
        eighths[i] = 0x3e00;
    /* Not every compiler's intrinsics say what they read and write behind their pointers. */
    __asm__ volatile("" : : "r"(&config), "r"(eighths), "r"(sum) : "memory");
    _tile_loadconfig(&config);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, eighths, 64);
    _tile_loadd(5, eighths, 64);
    _tile_loadd(6, eighths, 64);
    _tile_loadd(7, eighths, 64);
    for (int64_t r = 0; r < rounds; r++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sum, 64);
    _tile_release();
    __asm__ volatile("" : : "r"(sum) : "memory");
    return sum[0];
}
#endif
#endif

static const hn_peak_kernel kernels[] = {
#if defined(__x86_64__)
#ifdef TILE_PRODUCTS
    {"amx", true, has_tiles, run_tiles, 4 * 16.0 * 16.0 * 32.0 * 2.0},
#endif
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
