/**
 * OpenBLAS. It is told to use one thread while any device is open, and told its former number when
 * the last one closes; a program that calls OpenBLAS itself meanwhile gets one thread too.
 *
 * OpenBLAS takes its kernels from the processor's model number, and an old one takes AVX2 kernels on
 * a processor that is younger than itself (0.3.21 on Zen 5: "Haswell", half the speed). Only the
 * environment can correct that (OPENBLAS_CORETYPE=SkylakeX), before the process starts.
 */
#include "provider.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int users;
static int threads_before;

static void enter(void) {
    (void)pthread_mutex_lock(&lock);
    if (users++ == 0) {
        threads_before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    (void)pthread_mutex_unlock(&lock);
}

static void leave(void) {
    (void)pthread_mutex_lock(&lock);
    if (--users == 0) {
        openblas_set_num_threads(threads_before);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* OpenBLAS counts with int, and m and n of a tile are small. */
static bool fits(const hn_cpu_product *product) {
    return product->m <= INT32_MAX && product->n <= INT32_MAX && product->k <= INT32_MAX &&
           product->lda <= INT32_MAX && product->b.ld <= INT32_MAX && product->ldc <= INT32_MAX;
}

/* A row stride below the row's length is allowed when there is only one row; BLAS refuses it. */
static int stride(int64_t ld, int64_t columns) { return (int)(ld < columns ? columns : ld); }

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
    if (!fits(product)) {
        return hn_cpu_provider_reference.multiply(isa, product, scratch);
    }
    bool tn = product->kind == HN_CPU_TN, nt = product->kind == HN_CPU_NT;
    int m = (int)product->m, n = (int)product->n, k = (int)product->k;
    int before = hn_cpu_openmp_enter();
    cblas_sgemm(CblasRowMajor, tn ? CblasTrans : CblasNoTrans, nt ? CblasTrans : CblasNoTrans, m, n, k,
                product->alpha, product->a, stride(product->lda, tn ? m : k), hn_cpu_matrix_data(&product->b),
                stride(product->b.ld, nt ? k : n), product->accumulate ? 1.0f : 0.0f, product->c,
                stride(product->ldc, n));
    hn_cpu_openmp_leave(before);
    return true;
}

/* "OpenBLAS 0.3.21" out of its configuration, and the processor that its kernels were chosen for. */
static void describe(char *text, size_t size) {
    const char *config = openblas_get_config();
    size_t name = strcspn(config, " ");
    size_t version = config[name] == ' ' ? name + 1 + strcspn(config + name + 1, " ") : name;
    (void)snprintf(text, size, "%.*s %s", (int)version, config, openblas_get_corename());
}

/* Tiles narrower than 384 ran at a third of the speed on Zen 1 (0.3.21), so none is cut there. */
const hn_cpu_provider hn_cpu_provider_openblas = {
    .name = "openblas",
    .least_m = 96,
    .least_n = 384,
    .grain_m = 8,
    .grain_n = 16,
    .multiply = multiply,
    .describe = describe,
    .enter = enter,
    .leave = leave,
};
