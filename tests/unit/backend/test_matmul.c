/* Matrix products of the cpu backend: every provider against a double loop, and the same bits for any number of
 * threads. */
#include "../../../backends/cpu/matmul/matmul.h"
#include "../../../backends/cpu/matmul/provider.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a host with threads of its own ---- */

enum { MOST_THREADS = 4 };
static int thread_count = 1;
static const char *matmul_option;
static char last_message[256];

typedef struct loop {
    void (*body)(void *argument, int64_t index, int thread);
    void *argument;
    int64_t count;
    _Atomic int64_t next;
    atomic_int thread;
} loop;

static void *run_loop(void *argument) {
    loop *work = argument;
    int thread = atomic_fetch_add(&work->thread, 1);
    for (int64_t i = atomic_fetch_add(&work->next, 1); i < work->count;
         i = atomic_fetch_add(&work->next, 1)) {
        work->body(work->argument, i, thread);
    }
    return NULL;
}

static void host_parallel(void *context, int64_t count,
                          void (*body)(void *argument, int64_t index, int thread), void *argument) {
    pthread_t workers[MOST_THREADS];
    loop work = {.body = body, .argument = argument, .count = count};
    (void)context;
    for (int i = 1; i < thread_count; i++) {
        assert_int_equal(pthread_create(&workers[i], NULL, run_loop, &work), 0);
    }
    (void)run_loop(&work);
    for (int i = 1; i < thread_count; i++) {
        (void)pthread_join(workers[i], NULL);
    }
}

static int host_threads(void *context) {
    (void)context;
    return MOST_THREADS; /* of which host_parallel uses thread_count */
}

static const char *host_option(void *context, const char *name) {
    (void)context;
    return strcmp(name, "matmul") == 0 ? matmul_option : NULL;
}

static hone_status host_fail(void *context, hone_status status, const char *format, ...) {
    va_list arguments;
    (void)context;
    va_start(arguments, format);
    (void)vsnprintf(last_message, sizeof last_message, format, arguments);
    va_end(arguments);
    return status;
}

static void *host_allocate(void *context, size_t bytes, size_t alignment) {
    (void)context;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void host_release(void *context, void *memory, size_t bytes) {
    (void)context;
    (void)bytes;
    free(memory);
}

static const hone_host host = {
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_host),
    .fail = host_fail,
    .allocate = host_allocate,
    .release = host_release,
    .parallel = host_parallel,
    .threads = host_threads,
    .option = host_option,
};

static hn_cpu_matmul_state open_with(const char *provider, hn_cpu_isa isa) {
    hn_cpu_matmul_state state;
    matmul_option = provider;
    assert_int_equal(hn_cpu_matmul_open(&state, &host, isa), HONE_OK);
    return state;
}

static hn_cpu_isa best_isa(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return HN_CPU_AVX512;
    }
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? HN_CPU_AVX2 : HN_CPU_SCALAR;
}

/* ---- operands ---- */

static uint32_t seed = 1;

static float next_value(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / (float)(1u << 24) - 0.5f;
}

/* `rows` x `columns` at `ld`, between and after the rows a value that must never matter. */
static float *matrix(int64_t rows, int64_t columns, int64_t ld, float between) {
    size_t count = (size_t)(rows * ld + 64);
    float *data = malloc(count * sizeof(float));
    assert_non_null(data);
    for (size_t i = 0; i < count; i++) {
        data[i] = (int64_t)i / (ld > 0 ? ld : 1) < rows && ld > 0 && (int64_t)i % ld < columns ? next_value()
                                                                                               : between;
    }
    return data;
}

typedef struct problem {
    hn_cpu_product product;
    float *a, *b, *c, *bias, *start;
    size_t c_count;
} problem;

static problem make_problem(hn_cpu_product_kind kind, int64_t m, int64_t n, int64_t k, int64_t pad,
                            bool accumulate, bool bias) {
    problem p;
    int64_t a_rows = kind == HN_CPU_TN ? k : m, a_columns = kind == HN_CPU_TN ? m : k;
    int64_t b_rows = kind == HN_CPU_NT ? n : k, b_columns = kind == HN_CPU_NT ? k : n;
    p.a = matrix(a_rows, a_columns, a_columns + pad, NAN);
    p.b = matrix(b_rows, b_columns, b_columns + 2 * pad, NAN);
    p.c = matrix(m, n, n + 3 * pad, 12345.0f);
    p.bias = matrix(n, 1, 2, NAN);
    p.c_count = (size_t)(m * (n + 3 * pad) + 64);
    p.start = malloc(p.c_count * sizeof(float));
    assert_non_null(p.start);
    for (int64_t i = 0; !accumulate && i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            p.c[i * (n + 3 * pad) + j] = NAN; /* an overwritten output's former content must not matter */
        }
    }
    memcpy(p.start, p.c, p.c_count * sizeof(float));
    p.product = (hn_cpu_product){
        .kind = kind,
        .accumulate = accumulate,
        .alpha = accumulate ? -0.75f : 1.0f,
        .m = m,
        .n = n,
        .k = k,
        .a = p.a,
        .lda = a_columns + pad,
        .b = hn_cpu_matrix_f32(p.b, b_columns + 2 * pad),
        .c = p.c,
        .ldc = n + 3 * pad,
        .bias = bias ? p.bias : NULL,
        .bias_stride = 2,
    };
    return p;
}

static void free_problem(problem *p) {
    free(p->a);
    free(p->b);
    free(p->c);
    free(p->bias);
    free(p->start);
}

static void check_element(const problem *p, int64_t i, int64_t j) {
    const hn_cpu_product *q = &p->product;
    double sum = 0.0, magnitude = 0.0;
    for (int64_t l = 0; l < q->k; l++) {
        double a = (double)(q->kind == HN_CPU_TN ? q->a[l * q->lda + i] : q->a[i * q->lda + l]);
        double b = (double)(q->kind == HN_CPU_NT ? p->b[j * q->b.ld + l] : p->b[l * q->b.ld + j]);
        sum += a * b;
        magnitude += fabs(a * b);
    }
    double start = q->accumulate ? (double)p->start[i * q->ldc + j] : 0.0;
    double bias = q->bias == NULL ? 0.0 : (double)q->bias[2 * j];
    double expected = (double)q->alpha * sum + start + bias;
    double bound =
        ((double)q->k + 4.0) * (double)FLT_EPSILON * (magnitude + fabs(start) + fabs(bias)) + 1e-30;
    double got = (double)q->c[i * q->ldc + j];
    if (!(fabs(got - expected) <= bound)) {
        fail_msg("kind %d %lldx%lldx%lld element (%lld, %lld): %.9g, expected %.9g +- %.2g", (int)q->kind,
                 (long long)q->m, (long long)q->n, (long long)q->k, (long long)i, (long long)j, got, expected,
                 bound);
    }
}

/* All elements of small products, a sample of large ones, and all that lies between rows. */
static void check_problem(const problem *p) {
    const hn_cpu_product *q = &p->product;
    int64_t step = q->m * q->n > 4000 ? 37 : 1;
    for (int64_t i = 0; i < q->m * q->n; i += step) {
        check_element(p, i / q->n, i % q->n);
    }
    for (size_t i = 0; q->ldc > 0 && i < p->c_count; i++) {
        bool inside = (int64_t)i / q->ldc < q->m && (int64_t)i % q->ldc < q->n;
        if (!inside) {
            assert_true(p->c[i] == p->start[i]);
        }
    }
}

static const int64_t shapes[][3] = {
    {0, 5, 3},    {5, 0, 3},     {3, 5, 0},     {1, 1, 1},      {1, 7, 5},     {2, 9, 16},    {3, 17, 64},
    {4, 33, 65},  {5, 16, 100},  {7, 50, 129},  {8, 100, 63},   {13, 31, 77},  {31, 65, 130}, {32, 48, 96},
    {33, 16, 70}, {65, 193, 17}, {16, 577, 40}, {100, 385, 19}, {150, 20, 96}, {1, 3000, 80}, {200, 800, 3},
};

static void check_all_shapes(const hn_cpu_matmul_state *state) {
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (int variant = 0; variant < HN_CPU_PRODUCT_KINDS * 4; variant++) {
            problem p =
                make_problem((hn_cpu_product_kind)(variant / 4), shapes[s][0], shapes[s][1], shapes[s][2],
                             variant & 1 ? 3 : 0, (variant & 2) != 0, (variant & 1) != 0);
            assert_int_equal(hn_cpu_matmul(state, &p.product), HONE_OK);
            check_problem(&p);
            free_problem(&p);
        }
    }
}

static void every_provider(void **state) {
    (void)state;
    thread_count = 2;
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        for (int isa = 0; isa <= (int)best_isa(); isa++) {
            hn_cpu_matmul_state matmul = open_with(hn_cpu_providers[i]->name, (hn_cpu_isa)isa);
            check_all_shapes(&matmul);
            hn_cpu_matmul_close(&matmul);
        }
    }
}

static void the_table(void **state) {
    (void)state;
    thread_count = 2;
    for (int isa = 0; isa <= (int)best_isa(); isa++) {
        hn_cpu_matmul_state matmul = open_with(NULL, (hn_cpu_isa)isa);
        check_all_shapes(&matmul);
        hn_cpu_matmul_close(&matmul);
    }
}

/* Tiles must not cover an element twice nor miss one, whatever the shape. */
static void check_cuts(const hn_cpu_provider *provider) {
    for (int trial = 0; trial < 2000; trial++) {
        hn_cpu_product p = {.kind = (hn_cpu_product_kind)(trial % 3), .alpha = 1.0f};
        p.m = 1 + (int64_t)((next_value() + 0.5f) * (trial % 2 ? 40.0f : 3000.0f));
        p.n = 1 + (int64_t)((next_value() + 0.5f) * (trial % 5 ? 900.0f : 60000.0f));
        p.k = 1 + (int64_t)((next_value() + 0.5f) * 2000.0f);
        hn_cpu_cut cut = hn_cpu_matmul_cut(provider, &p);
        assert_true(cut.tile_m > 0 && cut.tile_n > 0);
        assert_true(cut.tile_m >= provider->least_m || cut.down == 1);
        assert_true(cut.tile_n >= provider->least_n || cut.across == 1);
        assert_true((cut.down - 1) * cut.tile_m < p.m && p.m <= cut.down * cut.tile_m);
        assert_true((cut.across - 1) * cut.tile_n < p.n && p.n <= cut.across * cut.tile_n);
    }
}

/* What multiplies bf16 is chosen by the option "products" alone, so it is in no list. */
static void cuts_cover(void **state) {
    (void)state;
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        check_cuts(hn_cpu_providers[i]);
    }
    check_cuts(&hn_cpu_provider_packed_bf16);
}

static void check_threads(const hn_cpu_matmul_state *matmul, const int64_t *shape, int kind) {
    problem p = make_problem((hn_cpu_product_kind)kind, shape[0], shape[1], shape[2], 1, true, true);
    float *first = malloc(p.c_count * sizeof(float));
    assert_non_null(first);
    for (thread_count = 1; thread_count <= MOST_THREADS; thread_count++) {
        memcpy(p.c, p.start, p.c_count * sizeof(float));
        assert_int_equal(hn_cpu_matmul(matmul, &p.product), HONE_OK);
        if (thread_count == 1) {
            memcpy(first, p.c, p.c_count * sizeof(float));
        }
        assert_memory_equal(first, p.c, p.c_count * sizeof(float));
    }
    thread_count = 1;
    free(first);
    free_problem(&p);
}

static void same_bits_for_any_threads(void **state) {
    static const int64_t large[][3] = {{300, 700, 256}, {576, 576, 64}, {3, 2000, 256}, {129, 1000, 130}};
    (void)state;
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        hn_cpu_matmul_state matmul = open_with(hn_cpu_providers[i]->name, best_isa());
        for (size_t s = 0; s < sizeof large / sizeof large[0]; s++) {
            for (int kind = 0; kind < HN_CPU_PRODUCT_KINDS; kind++) {
                check_threads(&matmul, large[s], kind);
            }
        }
        hn_cpu_matmul_close(&matmul);
    }
}

/* What decoding relies on: a row's result does not depend on the rows beside it. */
static void few_rows_do_not_mix(void **state) {
    enum { ROWS = 32, N = 203, K = 150 };
    (void)state;
    for (int isa = HN_CPU_AVX2; isa <= (int)best_isa(); isa++) {
        hn_cpu_matmul_state matmul = open_with(NULL, (hn_cpu_isa)isa);
        problem whole = make_problem(HN_CPU_NT, ROWS, N, K, 0, false, false);
        problem part = make_problem(HN_CPU_NT, ROWS, N, K, 0, false, false);
        assert_int_equal(hn_cpu_matmul(&matmul, &whole.product), HONE_OK);
        part.product.b = whole.product.b;
        for (int64_t rows = 1; rows < ROWS; rows += rows < 9 ? 1 : 7) {
            part.product.m = rows;
            part.product.a = whole.a + (ROWS - rows) * K;
            assert_int_equal(hn_cpu_matmul(&matmul, &part.product), HONE_OK);
            assert_memory_equal(part.c, whole.c + (ROWS - rows) * N, (size_t)(rows * N) * sizeof(float));
        }
        free_problem(&whole);
        free_problem(&part);
        hn_cpu_matmul_close(&matmul);
    }
}

static void unknown_provider(void **state) {
    hn_cpu_matmul_state matmul;
    (void)state;
    matmul_option = "abacus";
    assert_int_equal(hn_cpu_matmul_open(&matmul, &host, HN_CPU_SCALAR), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(last_message, "abacus"));
    assert_non_null(strstr(last_message, "openblas"));
}

static void numerics_name_all_that_matters(void **state) {
    char text[192], forced[192], tight[20];
    (void)state;
    hn_cpu_matmul_state matmul = open_with(NULL, HN_CPU_SCALAR);
    hn_cpu_matmul_numerics(&matmul, text, sizeof text);
    assert_non_null(strstr(text, "matmul table"));
    assert_non_null(strstr(text, "OpenBLAS"));
    assert_null(strchr(text, '\n'));
    hn_cpu_matmul_numerics(&matmul, tight, sizeof tight);
    assert_true(strlen(tight) < sizeof tight);
    hn_cpu_matmul_close(&matmul);
    matmul = open_with("openblas", HN_CPU_SCALAR);
    hn_cpu_matmul_numerics(&matmul, forced, sizeof forced);
    assert_string_not_equal(text, forced);
    hn_cpu_matmul_close(&matmul);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_provider),
        cmocka_unit_test(the_table),
        cmocka_unit_test(cuts_cover),
        cmocka_unit_test(same_bits_for_any_threads),
        cmocka_unit_test(few_rows_do_not_mix),
        cmocka_unit_test(unknown_provider),
        cmocka_unit_test(numerics_name_all_that_matters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
