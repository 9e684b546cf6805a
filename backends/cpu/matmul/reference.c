/** The plain loops: what isa=scalar runs, and what every other provider is tested against. */
#include "provider.h"

static void add(const hn_cpu_product *product, float *c, float value) {
    *c = product->alpha * value + (product->accumulate ? *c : 0.0f);
}

static void multiply_nt(const hn_cpu_product *product, int64_t row) {
    const float *a = product->a + row * product->lda;
    float *c = product->c + row * product->ldc;
    for (int64_t j = 0; j < product->n; j++) {
        const hn_cpu_row b = hn_cpu_matrix_row(&product->b, j);
        float sum = 0.0f;
        for (int64_t p = 0; p < product->k; p++) {
            sum += a[p] * hn_cpu_row_element(b, product->b.dtype, product->b.first + p);
        }
        add(product, &c[j], sum);
    }
}

enum { STRIP = 64 };

/* NN and TN read b by rows, so a strip of sums is kept rather than one: b is walked as it lies. */
static void multiply_strip(const hn_cpu_product *product, int64_t row, int64_t first, int64_t count) {
    int64_t next = product->kind == HN_CPU_TN ? product->lda : 1;
    const float *a = product->a + row * (product->kind == HN_CPU_TN ? 1 : product->lda);
    float *c = product->c + row * product->ldc + first;
    float sum[STRIP] = {0.0f};
    for (int64_t p = 0; p < product->k; p++) {
        float factor = a[p * next];
        const hn_cpu_row b = hn_cpu_matrix_row(&product->b, p);
        for (int64_t j = 0; j < count; j++) {
            sum[j] += factor * hn_cpu_row_element(b, product->b.dtype, product->b.first + first + j);
        }
    }
    for (int64_t j = 0; j < count; j++) {
        add(product, &c[j], sum[j]);
    }
}

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
    (void)isa;
    (void)scratch;
    for (int64_t row = 0; row < product->m; row++) {
        if (product->kind == HN_CPU_NT) {
            multiply_nt(product, row);
            continue;
        }
        for (int64_t first = 0; first < product->n; first += STRIP) {
            int64_t left = product->n - first;
            multiply_strip(product, row, first, left < STRIP ? left : STRIP);
        }
    }
    return true;
}

const hn_cpu_provider hn_cpu_provider_reference = {
    .name = "reference",
    .least_m = 8,
    .least_n = 64,
    .grain_m = 8,
    .grain_n = 64,
    .any_dtype = true,
    .multiply = multiply,
};
