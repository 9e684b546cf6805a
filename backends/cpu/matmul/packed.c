/** The providers around packed.h. */
#include "packed.h"

#include "provider.h"

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
#if defined(__x86_64__)
    if (isa >= HN_CPU_AVX512) {
        hn_cpu_packed_avx512(product, scratch);
        return true;
    }
    if (isa >= HN_CPU_AVX2) {
        hn_cpu_packed_avx2(product, scratch);
        return true;
    }
#endif
    return hn_cpu_provider_reference.multiply(isa, product, scratch);
}

static bool multiply_bf16(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
#if defined(__x86_64__)
    if (isa >= HN_CPU_AVX512BF16) {
        hn_cpu_packed_avx512bf16(product, scratch);
        return true;
    }
#endif
    return multiply(isa, product, scratch);
}

const hn_cpu_provider hn_cpu_provider_packed = {
    .name = "packed",
    .least_m = 24,
    .least_n = 32,
    .grain_m = 8,
    .grain_n = 32,
    .most_m = 576,
    .copy_a = 1.0,
    .copy_b = 12.0,
    .any_dtype = true,
    .multiply = multiply,
};

/* Rounds both sides to bf16: chosen where the device was asked for it. */
const hn_cpu_provider hn_cpu_provider_packed_bf16 = {
    .name = "packed-bf16",
    .least_m = 24,
    .least_n = 32,
    .grain_m = 8,
    .grain_n = 32,
    .most_m = 576,
    .copy_a = 6.0,
    .copy_b = 24.0,
    .any_dtype = true,
    .multiply = multiply_bf16,
};
