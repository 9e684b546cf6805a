/* The choice of a token: what each option keeps, and in what shares it draws. */
#include <core/random.h>
#include <math.h>
#include <sample/choose.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { COUNT = 6, DRAWS = 60000 };
static const float logit[COUNT] = {0.5f, 2.0f, -1.0f, 2.0f, 1.0f, -60.0f};

static int32_t choose(hone_sample_options options, double uniform) {
    hn_choice choice = {0};
    int32_t token = -1;
    double logp = 0.0;
    assert_int_equal(hn_choose(&choice, logit, COUNT, &options, uniform, &token, &logp), HONE_OK);
    hn_choice_clear(&choice);
    return token;
}

static void shares(hone_sample_options options, double share[COUNT]) {
    hn_choice choice = {0};
    for (int i = 0; i < COUNT; i++)
        share[i] = 0.0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        int32_t token = -1;
        double logp = 0.0;
        assert_int_equal(hn_choose(&choice, logit, COUNT, &options,
                                   hn_random_uniform(1, HN_PURPOSE_TEST, 0, i), &token, &logp),
                         HONE_OK);
        share[token] += 1.0 / DRAWS;
    }
    hn_choice_clear(&choice);
}

/** The drawn shares are exp(z/T) over the kept, within five standard deviations; nothing else is drawn. */
static void check_shares(hone_sample_options options, const int kept[COUNT]) {
    double share[COUNT], wanted[COUNT], total = 0.0;

    shares(options, share);
    for (int i = 0; i < COUNT; i++)
        total += wanted[i] = kept[i] ? exp((double)logit[i] / options.temperature) : 0.0;
    for (int i = 0; i < COUNT; i++) {
        const double p = wanted[i] / total;
        assert_true(fabs(share[i] - p) <= 5.0 * sqrt(p * (1.0 - p) / DRAWS));
    }
}

static void test_greedy(void **state) {
    hone_sample_options options = hone_sample_defaults();
    (void)state;
    assert_int_equal(choose(options, 0.99), 1); /* the smaller id of two equal ones */
    options.temperature = 1e-9;
    options.top_k = 1;
    assert_int_equal(choose(options, 0.99), 1);
}

static void test_shares(void **state) {
    static const int all[COUNT] = {1, 1, 1, 1, 1, 1}, three[COUNT] = {0, 1, 0, 1, 1, 0},
                     two[COUNT] = {0, 1, 0, 1, 0, 0};
    hone_sample_options options = hone_sample_defaults();
    (void)state;
    options.temperature = 1.0;
    check_shares(options, all);
    options.temperature = 0.5;
    check_shares(options, all);
    options.temperature = 2.0;
    options.top_k = 3;
    check_shares(options, three);
    options.top_k = 0;
    options.temperature = 1.0;
    options.top_p = 0.7; /* two of weight e^2 among e^2 e^2 e^1 e^.5 e^-1: 0.76 */
    check_shares(options, two);
    options.top_p = 0.8;
    check_shares(options, three);
    options.top_k = 3;
    options.top_p = 0.85; /* of the three: 0.423 0.423 0.155 */
    check_shares(options, three);
    options.top_p = 0.8;
    check_shares(options, two);
}

static void test_extremes(void **state) {
    hn_choice choice = {0};
    hone_sample_options options = hone_sample_defaults();
    const float bad[2] = {0.0f, NAN};
    int32_t token = -1;
    double logp = 0.0;

    (void)state;
    options.temperature = 1.0;
    assert_int_equal(choose(options, 0.0), 0);
    assert_in_range(choose(options, 1.0 - 1e-16), 0, 4);
    assert_int_equal(hn_choose(&choice, bad, 2, &options, 0.5, &token, &logp), HONE_ERROR_NUMERIC);
    options.temperature = 0.0;
    assert_int_equal(hn_choose(&choice, logit, COUNT, &options, 0.5, &token, &logp), HONE_OK);
    double sum = 0.0;
    for (int i = 0; i < COUNT; i++)
        sum += exp((double)logit[i]);
    assert_true(fabs(logp - (2.0 - log(sum))) < 1e-12);
    hn_choice_clear(&choice);
}

enum { WIDE = 400, CASES = 400, STRATA = 64 };
typedef struct ranked {
    double weight;
    int32_t token;
} ranked;

static int by_rank(const void *a, const void *b) {
    const ranked *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->token < y->token ? -1 : 1;
}

static double sum_of(const ranked *item, int count) {
    double sum = 0.0;
    for (int i = 0; i < count; i++)
        sum += item[i].weight;
    return sum;
}

/** The plain way: everything sorted, the top_k first, of these the fewest with top_p of their weight. */
static int32_t choose_plainly(const float *z, const hone_sample_options *options, double uniform) {
    ranked item[WIDE];
    int kept = options->top_k > 0 && options->top_k < WIDE ? (int)options->top_k : WIDE, nucleus = 0;
    double sum = 0.0;

    for (int i = 0; i < WIDE; i++)
        item[i] = (ranked){exp((double)z[i] / options->temperature), i};
    qsort(item, WIDE, sizeof *item, by_rank);
    for (const double wanted = options->top_p * sum_of(item, kept); nucleus < kept && sum < wanted; nucleus++)
        sum += item[nucleus].weight;
    const double wanted = uniform * sum_of(item, nucleus);
    sum = 0.0;
    for (int i = 0; i < nucleus; i++)
        if (wanted < (sum += item[i].weight))
            return item[i].token;
    return item[nucleus - 1].token;
}

static double random_of(int kind, int n) {
    return hn_random_uniform(7, HN_PURPOSE_TEST, (uint32_t)kind, (uint64_t)n);
}

/** Both cuts at once, over flat and steep distributions. */
static void test_plainly(void **state) {
    static const int64_t top_k[] = {1, 5, 20, 60, 200, 1000};
    hn_choice choice = {0};
    float z[WIDE];

    (void)state;
    for (int c = 0; c < CASES; c++) {
        hone_sample_options options = hone_sample_defaults();
        const double spread = 0.5 + 12.0 * random_of(0, c);
        options.temperature = 0.3 + 1.5 * random_of(1, c);
        options.top_k = top_k[c % 6];
        options.top_p = 0.2 + 0.79 * random_of(2, c);
        for (int i = 0; i < WIDE; i++)
            z[i] = (float)(spread * (random_of(3, c * WIDE + i) - 0.5));
        for (int u = 0; u < STRATA; u++) {
            const double uniform = ((double)u + random_of(4, c)) / STRATA;
            int32_t token = -1;
            double logp = 0.0;
            assert_int_equal(hn_choose(&choice, z, WIDE, &options, uniform, &token, &logp), HONE_OK);
            assert_int_equal(token, choose_plainly(z, &options, uniform));
        }
    }
    hn_choice_clear(&choice);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_greedy), cmocka_unit_test(test_shares),
                                       cmocka_unit_test(test_extremes), cmocka_unit_test(test_plainly)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
