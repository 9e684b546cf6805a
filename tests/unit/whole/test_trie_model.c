/* The pack's proof on a whole model: packed equals one sequence at a time, in every sum and every gradient; in
 * float64 to rounding, and in float32. */
#include <core/memory.h>
#include <core/random.h>
#include <hone/pack.h>
#include <math.h>
#include <model/network.h>
#include <model/parameters.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>

#include <cmocka.h>

enum { VOCABULARY = 13, SEQUENCES = 7, LONGEST = 12, TOKENS = 128, CASES = 12 };

static const hone_model_config config = {.width = 12,
                                         .hidden = 10,
                                         .layers = 2,
                                         .heads = 4,
                                         .kv_heads = 2,
                                         .head_dim = 6,
                                         .vocabulary = VOCABULARY,
                                         .max_positions = 64,
                                         .norm_epsilon = 1e-5,
                                         .tied = true,
                                         .rope_theta = 100.0,
                                         .initializer_range = 0.4,
                                         .bos = -1,
                                         .eos = 0};

typedef struct problem {
    int32_t token[SEQUENCES][2 * LONGEST];
    hone_sequence sequence[SEQUENCES];
    double derivative[SEQUENCES];
} problem;

static uint64_t draw(uint64_t seed, uint64_t *n, uint64_t bound) {
    return hn_random_below(seed, HN_PURPOSE_TEST, 0, (*n)++, bound);
}

/** Sequences that continue a prefix of an earlier one: shared and unshared roots, equal completions, completions that
 *  are a prefix of another, one-token completions all come up. */
static void make_problem(uint64_t seed, problem *p) {
    uint64_t n = 0;
    for (int s = 0; s < SEQUENCES; s++) {
        int64_t length = 0;
        if (s > 0 && draw(seed, &n, 4) > 0) {
            const uint64_t other = draw(seed, &n, (uint64_t)s);
            const hone_sequence *from = &p->sequence[other];
            length = (int64_t)draw(seed, &n, (uint64_t)(from->context_length + from->completion_length + 1));
            length = length < LONGEST ? length : LONGEST;
            memcpy(p->token[s], p->token[other], (size_t)length * sizeof(int32_t));
        }
        const int64_t more = 2 + (int64_t)draw(seed, &n, LONGEST - 2);
        for (int64_t i = 0; i < more; i++)
            p->token[s][length++] = (int32_t)draw(seed, &n, 3 + draw(seed, &n, VOCABULARY - 3));
        const int64_t context = 1 + (int64_t)draw(seed, &n, (uint64_t)(length - 1));
        p->sequence[s] = (hone_sequence){p->token[s], context, p->token[s] + context, length - context};
        p->derivative[s] = 2.0 * hn_random_uniform(seed, HN_PURPOSE_TEST, 1, n++) - 1.0;
    }
}

/** One pack: the sequences' sums, and gradients from d loss / d sum. */
static void run(hn_network *network, const hone_sequence *sequence, int64_t count, const double *derivative,
                bool accumulate, double *sum) {
    hone_pack *pack = NULL;
    double logp[2 * TOKENS] = {0}, weight[2 * TOKENS] = {0};

    assert_int_equal(hone_pack_create(sequence, count, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(hn_network_forward_f64(network, pack, 0, logp), HONE_OK);
    for (int64_t s = 0; s < count; s++) {
        sum[s] = 0.0;
        for (int64_t i = pack->sequence_begin[s]; i < pack->sequence_begin[s + 1]; i++) {
            sum[s] += logp[pack->sequence_edge[i]];
            weight[pack->sequence_edge[i]] += derivative[s];
        }
    }
    assert_int_equal(hn_network_backward_f64(network, weight, accumulate), HONE_OK);
    hone_pack_destroy(pack);
}

/** All gradients one after the other. */
static double *read_gradients(hn_parameters *weights, size_t *count) {
    double *all = NULL;
    size_t at = 0;

    *count = (size_t)hn_parameters_elements(weights);
    assert_int_equal(hn_alloc(&all, *count, sizeof *all, "gradients"), HONE_OK);
    for (size_t i = 0; i < weights->count; i++) {
        assert_int_equal(hn_parameter_read(weights, &weights->item[i].gradient, HONE_F64, all + at), HONE_OK);
        at += (size_t)hn_tensor_elements(&weights->item[i].gradient);
    }
    return all;
}

static double distance(const double *a, const double *b, size_t count) {
    double difference = 0.0, norm = 0.0;
    for (size_t i = 0; i < count; i++) {
        difference += (a[i] - b[i]) * (a[i] - b[i]);
        norm += b[i] * b[i];
    }
    return sqrt(difference / norm);
}

static void check_case(hn_network *network, hn_parameters *weights, uint64_t seed, double tolerance) {
    problem p;
    double packed[SEQUENCES], single[SEQUENCES];
    size_t count = 0;

    make_problem(seed, &p);
    run(network, p.sequence, SEQUENCES, p.derivative, false, packed);
    double *together = read_gradients(weights, &count);
    for (int s = 0; s < SEQUENCES; s++)
        run(network, &p.sequence[s], 1, &p.derivative[s], s > 0, &single[s]);
    double *apart = read_gradients(weights, &count);
    for (int s = 0; s < SEQUENCES; s++)
        assert_true(fabs(packed[s] - single[s]) <= tolerance * (1.0 + fabs(single[s])));
    const double d = distance(together, apart, count);
    if (!(d <= tolerance))
        print_message("case %llu: gradients differ by %.3g\n", (unsigned long long)seed, d);
    assert_true(d <= tolerance);
    hn_free(together);
    hn_free(apart);
}

static void check_device(const char *name, hone_dtype dtype, double tolerance) {
    hone_device *device = NULL;
    hone_model *model = NULL;
    hn_network *network = NULL;
    const hn_network_budget budget = hn_network_budget_for(TOKENS);

    if (hone_device_open(name, NULL, &device) != HONE_OK) {
        print_message("skipped: %s\n", hone_message());
        skip();
    }
    assert_int_equal(hn_model_create_as(device, &config, 1, dtype, &model), HONE_OK);
    assert_int_equal(hn_parameters_make_trainable(hn_model_weights(model)), HONE_OK);
    assert_int_equal(hn_network_create(model, NULL, true, 0, &budget, &network), HONE_OK);
    for (uint64_t seed = 0; seed < CASES; seed++)
        check_case(network, hn_model_weights(model), seed, tolerance);
    hn_network_destroy(network);
    hone_model_destroy(model);
    hone_device_close(device);
}

static void test_float64(void **state) {
    (void)state;
    check_device("oracle", HONE_F64, 1e-10);
}

static void test_float32(void **state) {
    (void)state;
    check_device(NULL, HONE_F32, 1e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_float64), cmocka_unit_test(test_float32)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
