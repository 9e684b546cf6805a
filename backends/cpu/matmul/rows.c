/** The provider around rows.h: forward products of few rows; anything else goes to the plain loops. */
#include "rows.h"

#include "provider.h"

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
#if defined(__x86_64__)
    if (product->kind == HN_CPU_NT && isa >= HN_CPU_AVX512) {
        hn_cpu_rows_avx512(product, scratch);
        return true;
    }
    if (product->kind == HN_CPU_NT && isa >= HN_CPU_AVX2) {
        hn_cpu_rows_avx2(product, scratch);
        return true;
    }
#endif
    return hn_cpu_provider_reference.multiply(isa, product, scratch);
}

const hn_cpu_provider hn_cpu_provider_rows = {
    .name = "rows",
    .least_m = 8,
    .least_n = 16,
    .grain_m = 8,
    .grain_n = 16,
    .any_dtype = true,
    .multiply = multiply,
};
