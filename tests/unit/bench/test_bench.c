/* What benchmarks are made of: lengths, counts and sums, not speed. */
#include <bench/pairs.h>
#include <bench/profile.h>
#include <bench/times.h>
#include <core/memory.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

static void test_times(void **state) {
    (void)state;
    double odd[] = {3, 1, 2}, even[] = {4, 1, 3, 2}, one[] = {7};

    hone_times times = hn_times_of(odd, 3);
    assert_true(times.median == 2 && times.min == 1 && times.max == 3 && times.runs == 3);
    times = hn_times_of(even, 4);
    assert_true(times.median == 2.5 && times.min == 1 && times.max == 4);
    times = hn_times_of(one, 1);
    assert_true(times.median == 7 && times.min == 7 && times.max == 7);
}

static void test_profile_rows(void **state) {
    (void)state;
    hn_profile profile = {0};
    hone_profile rows;

    profile.calls[HONE_OP_ADD] = 2;
    profile.seconds[HONE_OP_ADD] = 0.5;
    profile.calls[HONE_OP_LINEAR] = 1;
    profile.seconds[HONE_OP_LINEAR] = 1.5;
    profile.flops[HONE_OP_LINEAR] = 6;
    hn_profile_rows(&profile, 3.0, &rows);
    assert_int_equal(rows.rows, 2);
    assert_true(rows.seconds == 3.0);
    assert_string_equal(rows.row[0].name, "linear");
    assert_true(rows.row[0].flops == 6 && rows.row[0].seconds == 1.5);
    assert_string_equal(rows.row[1].name, "add");
    assert_int_equal(rows.row[1].calls, 2);
}

/* P + 6 (C - 1) + 2 k tokens in a trie: the prompt once, each draft once, each instruction twice. */
static void test_pairs_have_the_lengths(void **state) {
    (void)state;
    hone_bench_step_options options = hone_bench_step_defaults();
    hn_examples pairs;
    hone_pack *pack = NULL;
    hone_sequence list[HONE_CONDITIONAL_COUNT];

    for (int64_t completion = 1; completion <= 5; completion++) {
        options.prompt_tokens = 11;
        options.completion_tokens = completion;
        options.instruction_tokens = 3;
        options.pairs = 2;
        ok(hn_pairs_create(&options, 50, &pairs));
        assert_int_equal(pairs.count, 2);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(hn_example_sequences(&pairs, i, list), 6);
            ok(hone_pack_create(list, 6, HONE_PACK_SEQUENCES, &pack));
            assert_int_equal(pack->edges, 6 * completion);
            hone_pack_destroy(pack);
            if (completion > 1)
                assert_int_equal(pairs.item[i].packed, 11 + 6 * (completion - 1) + 2 * 3);
            assert_int_equal(list[HONE_W].context_length, 11);
            assert_int_equal(list[HONE_W_GIVEN_L].context_length, 11 + completion - 1 + 3);
            assert_int_equal(list[HONE_W_GIVEN_L].completion_length, completion);
            assert_int_equal(list[HONE_W].completion[0], list[HONE_W_GIVEN_L].completion[0]);
            assert_int_not_equal(list[HONE_W].completion[0], list[HONE_L].completion[0]);
        }
        hn_examples_clear(&pairs);
    }
}

static void test_pairs_repeat_by_seed(void **state) {
    (void)state;
    hone_bench_step_options options = hone_bench_step_defaults();
    hn_examples a, b, c;

    ok(hn_pairs_create(&options, 1000, &a));
    ok(hn_pairs_create(&options, 1000, &b));
    options.seed = 1;
    ok(hn_pairs_create(&options, 1000, &c));
    hone_sequence x[HONE_CONDITIONAL_COUNT], y[HONE_CONDITIONAL_COUNT], z[HONE_CONDITIONAL_COUNT];
    (void)hn_example_sequences(&a, 0, x);
    (void)hn_example_sequences(&b, 0, y);
    (void)hn_example_sequences(&c, 0, z);
    assert_memory_equal(x->context, y->context, (size_t)x->context_length * sizeof(int32_t));
    assert_memory_not_equal(x->context, z->context, (size_t)x->context_length * sizeof(int32_t));
    hn_examples_clear(&a);
    hn_examples_clear(&b);
    hn_examples_clear(&c);
}

static void test_machine(void **state) {
    (void)state;
    hone_machine machine, scalar;

    ok(hone_machine_measure(NULL, 1, &machine));
    assert_int_equal(machine.threads, 1);
    assert_non_null(machine.isa);
    assert_true(machine.f32_flops > 1e6 && machine.f32_flops < 1e15);
    assert_true(machine.bf16_flops >= 0.0);
    assert_true(machine.read_bytes > 1e6 && machine.read_bytes < 1e13);
    ok(hone_machine_measure("scalar", 1, &scalar));
    assert_string_equal(scalar.isa, "scalar");
    assert_true(scalar.bf16_flops == 0.0);
    assert_int_equal(hone_machine_measure("z80", 1, &machine), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "z80"));
}

static hone_model *make_model(hone_device *device) {
    const hone_model_config config = {.width = 16,
                                      .hidden = 24,
                                      .layers = 2,
                                      .heads = 2,
                                      .kv_heads = 1,
                                      .head_dim = 8,
                                      .vocabulary = 60,
                                      .max_positions = 128,
                                      .norm_epsilon = 1e-5,
                                      .tied = true,
                                      .rope_theta = 10000.0,
                                      .initializer_range = 0.02,
                                      .bos = -1,
                                      .eos = -1,
                                      .dtype = HONE_F32};
    hone_model *model = NULL;
    ok(hone_model_create(device, &config, 1, &model));
    return model;
}

/* The arithmetic of a step, by hand: 2 T I O forward and again for dx of every linear below, in both layers. */
static void test_step(void **state) {
    (void)state;
    enum { D = 16, F = 24, V = 60, KV = 8, T = 20 + 6 * 4 + 2 * 2 };
    hone_bench_step_options options = hone_bench_step_defaults();
    hone_bench_step_result result;
    hone_device *device = NULL;

    ok(hone_device_open(NULL, &(hone_device_options){.threads = 1}, &device));
    hone_model *model = make_model(device);
    options.prompt_tokens = 20;
    options.completion_tokens = 5;
    options.instruction_tokens = 2;
    options.lora.rank = 4;
    options.steps = 3;
    ok(hone_bench_step(model, &options, &result));
    assert_int_equal(result.packs, 1);
    assert_int_equal(result.packed_tokens, T);
    assert_int_equal(result.naive_tokens, 2 * 25 + 4 * 31);
    assert_int_equal(result.step.runs, 3);
    assert_true(result.step.min > 0.0 && result.step.min <= result.step.median &&
                result.step.median <= result.step.max);
    assert_int_equal(result.trainable, 2 * (4 * (D + D) + 4 * (D + KV)));
    const double layer = 2.0 * T * (D * D + 2.0 * KV * D + D * D + 3.0 * D * F), /* q, k and v, o, MLP */
        lora = 2.0 * T * 4 * (D + D + D + KV), head = 2.0 * (double)result.scored_rows * V * D,
                 pairs = (double)result.visible_pairs;
    double linear = 0.0, attention = 0.0, heads = 0.0, all = 0.0;
    for (int64_t i = 0; i < result.profile.rows; i++) {
        const hone_profile_row *row = &result.profile.row[i];
        linear += strcmp(row->name, "linear") == 0 ? row->flops : 0.0;
        attention += strcmp(row->name, "attention") == 0 ? row->flops : 0.0;
        heads += strcmp(row->name, "head_logp") == 0 ? row->flops : 0.0;
        all += row->flops;
    }
    assert_true(linear == 2 * (layer + lora));
    assert_true(attention == 2 * 4.0 * D * pairs);
    assert_true(heads == head);
    assert_true(result.flops == all);
    hone_model_destroy(model);
    hone_device_close(device);
}

/* Every layout and both ways of training run, and count what they are. */
static void test_layouts(void **state) {
    (void)state;
    hone_bench_step_options options = hone_bench_step_defaults();
    hone_bench_step_result trie, separate, padded;
    hone_device *device = NULL;

    ok(hone_device_open(NULL, &(hone_device_options){.threads = 1}, &device));
    hone_model *model = make_model(device);
    options.prompt_tokens = 20;
    options.completion_tokens = 5;
    options.pairs = 2;
    options.steps = 1;
    options.full = true;
    ok(hone_bench_step(model, &options, &trie));
    options.layout = HONE_PACK_SEQUENCES;
    ok(hone_bench_step(model, &options, &separate));
    options.layout = HONE_PACK_PADDED;
    options.reference_anew = true;
    ok(hone_bench_step(model, &options, &padded));
    assert_int_equal(trie.trainable, hone_model_parameters(model));
    assert_true(trie.packed_tokens < separate.packed_tokens);
    assert_int_equal(separate.packed_tokens,
                     separate.naive_tokens - 2 * 6); /* last tokens are targets alone */
    assert_int_equal(trie.naive_tokens, separate.naive_tokens);
    assert_int_equal(padded.packs, 2);
    assert_true(padded.packed_tokens > separate.packed_tokens);
    assert_true(padded.flops > separate.flops && separate.flops > trie.flops);
    hone_model_destroy(model);
    hone_device_close(device);
}

static void test_what_can_not_be_measured(void **state) {
    (void)state;
    hone_bench_step_options options = hone_bench_step_defaults();
    hone_bench_step_result result;
    hone_device *device = NULL;

    ok(hone_device_open(NULL, &(hone_device_options){.threads = 1}, &device));
    hone_model *model = make_model(device);
    options.prompt_tokens = 1000;
    assert_int_equal(hone_bench_step(model, &options, &result), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "positions"));
    options = hone_bench_step_defaults();
    options.prompt_tokens = 0;
    assert_int_equal(hone_bench_step(model, &options, &result), HONE_ERROR_ARGUMENT);
    options = hone_bench_step_defaults();
    options.steps = 0;
    assert_int_equal(hone_bench_step(model, &options, &result), HONE_ERROR_ARGUMENT);
    options = hone_bench_step_defaults();
    options.prompt_tokens = 20;
    options.completion_tokens = 5;
    options.pack_tokens = 10;
    assert_int_equal(hone_bench_step(model, &options, &result), HONE_ERROR_ARGUMENT);
    options.pack_tokens = -1;
    assert_int_equal(hone_bench_step(model, &options, &result), HONE_ERROR_ARGUMENT);
    hone_model_destroy(model);
    hone_device_close(device);
}

/* Whatever allocation fails, everything is given back (the sanitizers see) and the message is there. */
static void test_allocations_that_fail(void **state) {
    (void)state;
    hone_bench_step_options step = hone_bench_step_defaults();
    hone_bench_decode_options decode = hone_bench_decode_defaults();
    hone_bench_gemm_options gemm = hone_bench_gemm_defaults();
    static hone_bench_step_result stepped;
    static hone_bench_decode_result decoded;
    static hone_bench_gemm_result products;
    static hone_bench_pack_result packed;
    hone_device *device = NULL;
    int failed = 0;

    ok(hone_device_open(NULL, &(hone_device_options){.threads = 1}, &device));
    hone_model *model = make_model(device);
    step.prompt_tokens = decode.prompt_tokens = gemm.tokens = gemm.head_rows = 6;
    step.completion_tokens = decode.tokens = decode.batch = 2;
    step.steps = decode.rounds = gemm.runs = 1;
    step.warmup = decode.warmup = gemm.warmup = 0;
    for (int64_t n = 1; n < 2000; n += n < 100 ? 1 : 37) {
        hn_memory_fail_at(n);
        failed += hone_bench_step(model, &step, &stepped) == HONE_ERROR_MEMORY;
        hn_memory_fail_at(n);
        failed += hone_bench_decode(model, NULL, &decode, &decoded) == HONE_ERROR_MEMORY;
        hn_memory_fail_at(n);
        failed +=
            hone_bench_gemm(device, hone_model_configuration(model), &gemm, &products) == HONE_ERROR_MEMORY;
        hn_memory_fail_at(n);
        failed += hone_bench_pack(model, &step, &packed) == HONE_ERROR_MEMORY;
        hn_memory_fail_at(0);
    }
    assert_true(failed > 100);
    hone_model_destroy(model);
    hone_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_profile_rows),
        cmocka_unit_test(test_pairs_have_the_lengths),
        cmocka_unit_test(test_pairs_repeat_by_seed),
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_what_can_not_be_measured),
        cmocka_unit_test(test_allocations_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
