/* The AMX kernel's own source with tiles emulated in plain C, against a product in double precision of the factors
 * rounded to bf16. Copying needs AVX-512 with BF16: skipped without. */
#include "amx/emulated.h"
#include "amx/kernel.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t seed = 1;

static float next_value(void) {
    seed = seed * 1664525u + 1013904223u;
    return (float)(seed >> 8) / (float)(1u << 24) - 0.5f;
}

static float rounded(float x) { return hn_cpu_from_bf16(hn_cpu_to_bf16((double)x)); }

static void *allocate(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(memory);
    return memory;
}

/* ---- operands: what lies around the elements must never matter ---- */

static float *plain(int64_t rows, int64_t columns, int64_t ld, float around) {
    float *data = allocate((size_t)(rows * ld) * sizeof *data);
    for (int64_t i = 0; i < rows * ld; i++) {
        data[i] = i % ld < columns ? next_value() : around;
    }
    return data;
}

static hn_cpu_matrix in_bf16(int64_t rows, int64_t columns, int64_t first, int64_t ld) {
    uint16_t *data = allocate((size_t)(rows * ld) * sizeof *data);
    for (int64_t i = 0; i < rows * ld; i++) {
        bool inside = i % ld >= first && i % ld < first + columns;
        data[i] = inside ? hn_cpu_to_bf16((double)next_value()) : 0x7fc0;
    }
    return (hn_cpu_matrix){.data = data, .dtype = HONE_BF16, .ld = ld, .first = first};
}

/* Bytes, a scale for each block of 32 columns, and scales of no number after them. */
static hn_cpu_matrix in_q8(int64_t rows, int64_t columns, int64_t first, int64_t spare) {
    const int64_t whole = first + columns, even = (whole + 1) / 2 * 2, scales = (whole + 31) / 32;
    const int64_t ld = even + 2 * scales + 2 * spare;
    char *data = allocate((size_t)(rows * ld));
    for (int64_t i = 0; i < rows; i++) {
        int8_t *bytes = (int8_t *)data + i * ld;
        uint16_t *scale = (uint16_t *)(void *)(data + i * ld + even);
        for (int64_t j = 0; j < even; j++) {
            bytes[j] = (int8_t)(254.0f * next_value());
        }
        for (int64_t j = 0; j < scales + spare; j++) {
            scale[j] = j < scales ? hn_cpu_to_f16(0.004 * (1.5 + (double)next_value())) : 0x7e00;
        }
    }
    return (hn_cpu_matrix){.data = data, .dtype = HONE_Q8, .ld = ld, .first = first, .columns = whole};
}

static hn_cpu_matrix make_b(hone_dtype dtype, int64_t rows, int64_t columns, int64_t pad) {
    if (dtype == HONE_BF16) {
        return in_bf16(rows, columns, pad, columns + 3 * pad);
    }
    if (dtype == HONE_Q8) {
        return in_q8(rows, columns, pad > 0 ? 32 : 0, pad);
    }
    return hn_cpu_matrix_f32(plain(rows, columns, columns + 2 * pad, NAN), columns + 2 * pad);
}

typedef struct problem {
    hn_cpu_product product;
    float *a, *c, *start;
    size_t count; /* elements of c, those between its rows included */
} problem;

static problem make_problem(hn_cpu_product_kind kind, hone_dtype dtype, const int64_t *shape, int64_t pad,
                            bool accumulate, float alpha) {
    const int64_t m = shape[0], n = shape[1], k = shape[2], ldc = n + 3 * pad;
    const int64_t a_rows = kind == HN_CPU_TN ? k : m, a_columns = kind == HN_CPU_TN ? m : k;
    problem p = {.count = (size_t)(m * ldc)};
    p.a = plain(a_rows, a_columns, a_columns + pad, NAN);
    p.c = plain(m, accumulate ? n : 0, ldc, NAN);
    p.start = allocate(p.count * sizeof(float));
    memcpy(p.start, p.c, p.count * sizeof(float));
    p.product = (hn_cpu_product){
        .kind = kind,
        .accumulate = accumulate,
        .alpha = alpha,
        .m = m,
        .n = n,
        .k = k,
        .a = p.a,
        .lda = a_columns + pad,
        .b = make_b(dtype, kind == HN_CPU_NT ? n : k, kind == HN_CPU_NT ? k : n, pad),
        .c = p.c,
        .ldc = ldc,
    };
    return p;
}

static void free_problem(problem *p) {
    free(p->a);
    free(p->c);
    free(p->start);
    free((void *)(uintptr_t)p->product.b.data);
}

static double element_of_a(const hn_cpu_product *p, int64_t i, int64_t l) {
    return (double)rounded(p->kind == HN_CPU_TN ? p->a[l * p->lda + i] : p->a[i * p->lda + l]);
}

static double element_of_b(const hn_cpu_product *p, int64_t l, int64_t j) {
    const bool along = p->kind == HN_CPU_NT;
    const hn_cpu_row row = hn_cpu_matrix_row(&p->b, along ? j : l);
    return (double)rounded(hn_cpu_row_element(row, p->b.dtype, p->b.first + (along ? l : j)));
}

static void check_element(const problem *p, int64_t i, int64_t j) {
    const hn_cpu_product *q = &p->product;
    double sum = 0.0, magnitude = 0.0;
    for (int64_t l = 0; l < q->k; l++) {
        double term = element_of_a(q, i, l) * element_of_b(q, l, j);
        sum += term;
        magnitude += fabs(term);
    }
    const double start = q->accumulate ? (double)p->start[i * q->ldc + j] : 0.0;
    const double alpha = (double)q->alpha, expected = alpha * sum + start, got = (double)q->c[i * q->ldc + j];
    /* Rounding errors in a sum of k terms: about sqrt(k) of them, far fewer than k. */
    const double bound =
        (2.0 * sqrt((double)q->k) + 4.0) * (double)FLT_EPSILON * (fabs(alpha) * magnitude + fabs(start));
    if (!(fabs(got - expected) <= bound)) {
        fail_msg("kind %d dtype %d %lldx%lldx%lld element (%lld, %lld): %.9g, expected %.9g +- %.2g",
                 (int)q->kind, (int)q->b.dtype, (long long)q->m, (long long)q->n, (long long)q->k,
                 (long long)i, (long long)j, got, expected, bound);
    }
}

/* All elements of small products, a sample of large ones; not a bit between the rows. */
static void check_problem(const problem *p) {
    const hn_cpu_product *q = &p->product;
    const int64_t step = q->m * q->n * q->k > 400000 ? 131 : 1;
    for (int64_t i = 0; i < q->m * q->n; i += step) {
        check_element(p, i / q->n, i % q->n);
    }
    for (size_t i = 0; i < p->count; i++) {
        if ((int64_t)i % q->ldc >= q->n) {
            assert_memory_equal(p->c + i, p->start + i, sizeof(float));
        } else {
            assert_false(isnan(p->c[i]));
        }
    }
}

/* The scratch begins as no numbers: what is read of it must have been written. */
static void multiply(const hn_cpu_product *product) {
    static void *scratch;
    if (scratch == NULL) {
        scratch = allocate(HN_CPU_PACKED_SCRATCH);
    }
    memset(scratch, 0xff, HN_CPU_PACKED_SCRATCH);
    hn_cpu_packed_tile(&hn_emulated_packed, product, scratch);
    assert_int_equal(hn_emulated.faults, 0);
    assert_int_equal(hn_emulated.configured, 0);
}

static const int64_t shapes[][3] = {
    {1, 1, 1},     {1, 33, 2},    {2, 31, 3},    {15, 16, 31},   {16, 17, 32},  {17, 15, 33},
    {31, 63, 64},  {32, 32, 32},  {33, 65, 30},  {47, 48, 95},   {48, 100, 1},  {49, 64, 66},
    {64, 96, 128}, {127, 33, 63}, {129, 34, 65}, {145, 129, 17}, {20, 801, 35}, {161, 770, 4},
    {24, 40, 767}, {33, 37, 768}, {18, 35, 769}, {40, 70, 1537},
};

static void check_variants(hone_dtype dtype) {
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        for (int variant = 0; variant < HN_CPU_PRODUCT_KINDS * 4; variant++) {
            problem p = make_problem((hn_cpu_product_kind)(variant / 4), dtype, shapes[s],
                                     variant & 1 ? 3 : 0, (variant & 2) != 0,
                                     variant & 2   ? -0.75f
                                     : variant & 1 ? 3.0f
                                                   : 1.0f);
            multiply(&p.product);
            check_problem(&p);
            free_problem(&p);
        }
    }
}

static void f32(void **state) {
    (void)state;
    check_variants(HONE_F32);
}

static void bf16(void **state) {
    (void)state;
    check_variants(HONE_BF16);
}

static void q8(void **state) {
    (void)state;
    check_variants(HONE_Q8);
}

/* No more tiles are multiplied than the padded extents hold. */
static void work_is_what_the_shape_needs(void **state) {
    static const int64_t shape[3] = {49, 96, 800};
    (void)state;
    problem p = make_problem(HN_CPU_NT, HONE_F32, shape, 0, false, 1.0f);
    const int before = hn_emulated.dots;
    multiply(&p.product);
    /* 64 of 49 rows, 96 columns, 400 pairs: blocks of 208 and 192. */
    assert_int_equal(hn_emulated.dots - before, 4 * 6 * 25);
    free_problem(&p);
}

/* The emulation refuses what the processor does. */
static void misuse_is_a_fault(void **state) {
    static const unsigned char good[64] = {[0] = 1, [16] = 64, [18] = 8, [48] = 16, [49] = 16};
    unsigned char bad[64];
    (void)state;
    memcpy(bad, good, sizeof bad);
    bad[2] = 1; /* reserved */
    hn_emulated_configure(bad);
    assert_int_equal(hn_emulated.faults, 1);
    hn_emulated_zero(0); /* nothing is configured */
    assert_int_equal(hn_emulated.faults, 2);
    hn_emulated_configure(good);
    hn_emulated_zero(2); /* not in the layout */
    assert_int_equal(hn_emulated.faults, 3);
    hn_emulated_zero(0);
    hn_emulated_zero(1);
    hn_emulated_dot(0, 1, 1); /* the same tile twice */
    assert_int_equal(hn_emulated.faults, 4);
    hn_emulated_release();
    hn_emulated.faults = 0;
}

static bool can_run(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512bf16");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(f32),
        cmocka_unit_test(bf16),
        cmocka_unit_test(q8),
        cmocka_unit_test(work_is_what_the_shape_needs),
        cmocka_unit_test(misuse_is_a_fault),
    };
    if (!can_run()) {
        (void)printf("skipped: this processor has no AVX-512 with BF16\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
