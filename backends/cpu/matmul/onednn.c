/** oneDNN, through its BLAS-like call: near the hardware's peak at every training shape of f32. */
#include "provider.h"

#include <dnnl.h>
#include <stdio.h>

static int64_t stride(int64_t ld, int64_t columns) { return ld < columns ? columns : ld; }

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
    (void)isa;
    (void)scratch;
    bool tn = product->kind == HN_CPU_TN, nt = product->kind == HN_CPU_NT;
    int64_t m = product->m, n = product->n, k = product->k;
    int before = hn_cpu_openmp_enter();
    dnnl_status_t status = dnnl_sgemm(tn ? 'T' : 'N', nt ? 'T' : 'N', m, n, k, product->alpha, product->a,
                                      stride(product->lda, tn ? m : k), hn_cpu_matrix_data(&product->b),
                                      stride(product->b.ld, nt ? k : n), product->accumulate ? 1.0f : 0.0f,
                                      product->c, stride(product->ldc, n));
    hn_cpu_openmp_leave(before);
    return status == dnnl_success;
}

static void describe(char *text, size_t size) {
    const dnnl_version_t *version = dnnl_version();
    (void)snprintf(text, size, "oneDNN %d.%d.%d isa %#x", version->major, version->minor, version->patch,
                   (unsigned)dnnl_get_effective_cpu_isa());
}

/* Its AVX-512 kernel is 48 columns wide. */
const hn_cpu_provider hn_cpu_provider_onednn = {
    .name = "onednn",
    .least_m = 48,
    .least_n = 192,
    .grain_m = 8,
    .grain_n = 48,
    .multiply = multiply,
    .describe = describe,
};
