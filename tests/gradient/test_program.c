/* Whole programs: the derived backward pass against finite differences in float64 on the oracle, the built-in
 * backend against the oracle, and the same bits for any number of threads. */
#include "random_program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

enum { PROGRAMS = 300, MOST = RP_V * RP_F * 4 };

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

static hone_device *open_device(const char *name, const hone_device_options *options) {
    hone_device *device = NULL;
    ok(hone_device_open(name, options, &device));
    return device;
}

/* The loss with element i of the parameter moved by `step`. */
static double moved(rp *p, const rp_parameter *parameter, double *values, int64_t i, double step) {
    const double kept = values[i];
    values[i] = kept + step;
    ok(rp_upload(p, &parameter->value, values, parameter->count));
    const double loss = rp_loss(p);
    values[i] = kept;
    return loss;
}

/* Of fourth order: at this step, truncation and rounding both stay near 1e-9, sharply curved losses included. */
static double difference(rp *p, const rp_parameter *parameter, double *values, int64_t i) {
    const double h = 2e-5;
    return (8 * (moved(p, parameter, values, i, h) - moved(p, parameter, values, i, -h)) -
            (moved(p, parameter, values, i, 2 * h) - moved(p, parameter, values, i, -2 * h))) /
           (12 * h);
}

static void check_parameter(rp *p, int index, int samples, double *worst) {
    const rp_parameter *parameter = &p->parameter[index];
    double values[MOST], gradient[MOST];

    ok(rp_download(p, &parameter->gradient, gradient, parameter->count));
    ok(rp_download(p, &parameter->value, values, parameter->count));
    for (int s = 0; s < samples; s++) {
        const int64_t i = parameter->count <= samples ? s % parameter->count : rp_below(p, parameter->count);
        const double expected = difference(p, parameter, values, i);
        const double error = fabs(gradient[i] - expected) / (1 + fabs(expected));
        if (!(error < 1e-7))
            fail_msg("program %llu, parameter %d, element %lld: backward says %.12g, differences %.12g",
                     (unsigned long long)p->seed, index, (long long)i, gradient[i], expected);
        *worst = error > *worst ? error : *worst;
    }
    ok(rp_upload(p, &parameter->value, values, parameter->count));
}

static double check_program(hone_device *device, uint64_t seed, int steps, int samples) {
    static rp p;
    double worst = 0;

    memset(&p, 0, sizeof p);
    p.freeze_first = steps > 0 && seed % 5 == 0;
    p.all_trainable = steps < 0;
    ok(rp_create(&p, device, seed, steps, true, 9, 12));
    ok(rp_pack(&p));
    assert_false(isnan(rp_loss(&p)));
    ok(rp_backward(&p, false));
    for (int i = 0; i < p.parameters; i++)
        if (p.parameter[i].trainable)
            check_parameter(&p, i, samples, &worst);
    rp_destroy(&p);
    return worst;
}

static void test_finite_differences(void **state) {
    (void)state;
    hone_device *device = open_device("oracle", NULL);
    double worst = 0;

    for (uint64_t seed = 1; seed <= PROGRAMS; seed++)
        worst = fmax(worst, check_program(device, seed, 3 + (int)(seed % 9), 4));
    worst = fmax(worst, check_program(device, 1000, -2, 24));
    (void)printf("largest difference: %.1e\n", worst);
    assert_true(hone_device_bytes(device) == 0);
    hone_device_close(device);
}

/* Twice with accumulation gives twice the gradient; overwriting forgets what was there, NaN included. */
static void test_accumulation(void **state) {
    (void)state;
    hone_device *device = open_device("oracle", NULL);
    for (uint64_t seed = 1; seed <= PROGRAMS; seed++) {
        static rp p;
        static double once[RP_PARAMETERS][MOST], twice[MOST];
        memset(&p, 0, sizeof p);
        ok(rp_create(&p, device, seed, 3 + (int)(seed % 9), true, 9, 12));
        ok(rp_pack(&p));
        for (int i = 0; i < p.parameters; i++) {
            for (int64_t k = 0; k < p.parameter[i].count; k++)
                twice[k] = NAN;
            ok(rp_upload(&p, &p.parameter[i].gradient, twice, p.parameter[i].count));
        }
        for (int pass = 0; pass < 2; pass++) {
            (void)rp_loss(&p);
            ok(rp_backward(&p, pass == 1));
            for (int i = 0; i < p.parameters && pass == 0; i++)
                ok(rp_download(&p, &p.parameter[i].gradient, once[i], p.parameter[i].count));
        }
        for (int i = 0; i < p.parameters; i++) {
            ok(rp_download(&p, &p.parameter[i].gradient, twice, p.parameter[i].count));
            for (int64_t k = 0; k < p.parameter[i].count; k++) {
                if (!p.parameter[i].trainable)
                    assert_true(isnan(twice[k]));
                else
                    assert_true(fabs(twice[k] - 2 * once[i][k]) <= 1e-12 * (1 + fabs(once[i][k])));
            }
        }
        rp_destroy(&p);
    }
    hone_device_close(device);
}

/* One program's log-probabilities and gradients, one after the other. */
static int64_t run_on(hone_device *device, uint64_t seed, int64_t tokens, double *out) {
    static rp p;
    int64_t at = 0;

    memset(&p, 0, sizeof p);
    ok(rp_create(&p, device, seed, seed % 2 == 0 ? -2 : 8, true, tokens, tokens + 3));
    ok(rp_pack(&p));
    ok(rp_forward(&p, out));
    at = p.edges;
    ok(rp_backward(&p, false));
    for (int i = 0; i < p.parameters; i++)
        if (p.parameter[i].trainable) {
            ok(rp_download(&p, &p.parameter[i].gradient, out + at, p.parameter[i].count));
            at += p.parameter[i].count;
        }
    rp_destroy(&p);
    return at;
}

static double first[RP_PARAMETERS * MOST], second[RP_PARAMETERS * MOST];

static void compare(const char *name, hone_device *a, hone_device *b, uint64_t seed, int64_t tokens,
                    double tolerance) {
    const int64_t count = run_on(a, seed, tokens, first);
    double largest = 0, worst = 0;

    assert_int_equal(run_on(b, seed, tokens, second), count);
    for (int64_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(first[i]));
        worst = fmax(worst, fabs(first[i] - second[i]));
        assert_false(isnan(second[i]));
    }
    if (!(worst <= tolerance * largest))
        fail_msg("%s, program %llu: off by %.2e, the largest number is %.2e", name, (unsigned long long)seed,
                 worst, largest);
}

static void test_against_the_oracle(void **state) {
    (void)state;
    hone_device *oracle = open_device("oracle", NULL), *own = open_device(NULL, NULL);
    for (uint64_t seed = 1; seed <= 30; seed++)
        compare("built in", oracle, own, seed, 9 + (int64_t)(seed * 7 % 60), 1e-4);
    hone_device_close(own);
    hone_device_close(oracle);
}

/* Memory that nobody else can touch: whatever cheats the abstraction faults. */
static void test_faraway(void **state) {
    (void)state;
    hone_device *oracle = open_device("oracle", NULL), *far = NULL;
    if (hone_device_open("faraway", NULL, &far) != HONE_OK) {
        hone_device_close(oracle);
        skip();
    }
    for (uint64_t seed = 1; seed <= 12; seed++)
        compare("faraway", oracle, far, seed, 9 + (int64_t)(seed * 7 % 60), 1e-4);
    hone_device_close(far);
    hone_device_close(oracle);
}

static void test_same_bits_for_any_threads(void **state) {
    (void)state;
    hone_device *one = open_device(NULL, &(hone_device_options){.threads = 1}),
                *two = open_device(NULL, &(hone_device_options){.threads = 2}),
                *five = open_device(NULL, &(hone_device_options){.threads = 5});
    for (uint64_t seed = 1; seed <= 12; seed++) {
        compare("two threads", one, two, seed, 150 + (int64_t)seed * 5, 0.0);
        compare("five threads", one, five, seed, 150 + (int64_t)seed * 5, 0.0);
    }
    hone_device_close(five);
    hone_device_close(two);
    hone_device_close(one);
}

/* Nothing scored, nothing at all: gradients are zero. */
static void test_empty_packs(void **state) {
    (void)state;
    hone_device *device = open_device(NULL, NULL);
    static rp p;
    double values[MOST], none[1];

    memset(&p, 0, sizeof p);
    p.all_trainable = true;
    ok(rp_create(&p, device, 3, -1, true, 9, 12));
    ok(rp_pack(&p));
    for (int what = 0; what < 2; what++) {
        const int32_t begin = 0;
        ok(hn_program_bind(p.program, HN_U, 0));
        ok(hn_program_bind(p.program, HN_E, 0));
        p.edges = 0;
        ok(hn_program_upload(p.program, p.begin, &begin));
        for (int s = HN_T; s < HN_C && what == 1; s++)
            ok(hn_program_bind(p.program, (hn_symbol)s, 0));
        ok(rp_forward(&p, none));
        ok(rp_backward(&p, false));
        for (int i = 1; i < p.parameters; i++) {
            ok(rp_download(&p, &p.parameter[i].gradient, values, p.parameter[i].count));
            for (int64_t k = 0; k < p.parameter[i].count; k++)
                assert_true(values[k] == 0);
        }
    }
    rp_destroy(&p);
    hone_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finite_differences),        cmocka_unit_test(test_accumulation),
        cmocka_unit_test(test_against_the_oracle),        cmocka_unit_test(test_faraway),
        cmocka_unit_test(test_same_bits_for_any_threads), cmocka_unit_test(test_empty_packs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
