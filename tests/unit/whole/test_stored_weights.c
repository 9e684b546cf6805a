/* A frozen base in bf16 or 8 bits against the same numbers in float32: log-probabilities, and gradients of an adapter on
 * top of it. */
#include <core/file.h>
#include <core/memory.h>
#include <core/random.h>
#include <math.h>
#include <model/network.h>
#include <model/parameters.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>

#include <cmocka.h>

enum { VOCABULARY = 75, CONTEXT = 40, COMPLETION = 21, TOKENS = 128, SEQUENCES = 2 };

/* Widths that are no multiples of 32: last blocks are short. */
static const hone_model_config config = {.width = 48,
                                         .hidden = 83,
                                         .layers = 2,
                                         .heads = 4,
                                         .kv_heads = 2,
                                         .head_dim = 12,
                                         .vocabulary = VOCABULARY,
                                         .max_positions = 256,
                                         .norm_epsilon = 1e-5,
                                         .rope_theta = 10000.0,
                                         .initializer_range = 0.15,
                                         .bos = -1,
                                         .eos = 0,
                                         .tied = true};

static char root[] = "/tmp/hone-stored-XXXXXX";
static hone_device *device;

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s", hone_message());
}

static char *path(const char *name) {
    char *text = NULL;
    ok(hn_path_join(root, name, &text));
    return text;
}

static void save(hone_model *model, const char *name, hone_dtype dtype) {
    char *folder = path(name);
    ok(hone_model_save(model, folder, dtype));
    hn_free(folder);
}

static hone_model *open(const char *name, hone_weights weights) {
    hone_model *model = NULL;
    char *folder = path(name);
    ok(hone_model_open_stored(device, folder, weights, &model));
    hn_free(folder);
    return model;
}

static int set_up(void **state) {
    hone_model *model = NULL;

    (void)state;
    assert_non_null(mkdtemp(root));
    ok(hone_device_open(NULL, NULL, &device));
    ok(hone_model_create(device, &config, 7, &model));
    save(model, "f32", HONE_F32);
    save(model, "bf16", HONE_BF16);
    hone_model_destroy(model);
    return 0;
}

static int tear_down(void **state) {
    static const char *const folders[] = {"f32", "bf16", "back"};

    (void)state;
    hone_device_close(device);
    for (size_t i = 0; i < 3; i++) {
        char *folder = path(folders[i]), *file = NULL;
        ok(hn_path_join(folder, "config.json", &file));
        (void)remove(file);
        hn_free(file);
        ok(hn_path_join(folder, "model.safetensors", &file));
        (void)remove(file);
        (void)remove(folder);
        hn_free(file);
        hn_free(folder);
    }
    (void)remove(root);
    return 0;
}

typedef struct result {
    float logp[2 * TOKENS];
    int64_t edges, weights;
    float *gradient;
} result;

/* Two completions of one context, packed. */
static hone_pack *make_pack(void) {
    static int32_t context[CONTEXT], completion[SEQUENCES][COMPLETION];
    hone_sequence sequence[SEQUENCES];
    hone_pack *pack = NULL;

    for (int i = 0; i < CONTEXT; i++)
        context[i] = (i * 37 + 5) % VOCABULARY;
    for (int s = 0; s < SEQUENCES; s++) {
        for (int i = 0; i < COMPLETION; i++)
            completion[s][i] = (i * i * 11 + 29 * s + 3) % VOCABULARY;
        sequence[s] = (hone_sequence){context, CONTEXT, completion[s], COMPLETION};
    }
    ok(hone_pack_create(sequence, SEQUENCES, HONE_PACK_TRIE, &pack));
    return pack;
}

static void read_gradients(const hn_parameters *parameters, result *out) {
    out->weights = hn_parameters_elements(parameters);
    ok(hn_alloc(&out->gradient, (size_t)out->weights, sizeof *out->gradient, "gradients"));
    float *at = out->gradient;
    for (size_t i = 0; i < parameters->count; i++) {
        ok(hn_parameter_read(parameters, &parameters->item[i].gradient, HONE_F32, at));
        at += hn_tensor_elements(&parameters->item[i].value);
    }
}

/* An adapter whose second factors are not zero, so that every gradient is something. */
static hone_adapter *make_adapter(hone_model *model) {
    hone_lora_options lora = hone_lora_defaults();
    hone_adapter *adapter = NULL;

    lora.targets = "all-linear";
    lora.rank = 4;
    ok(hone_adapter_create(model, &lora, 3, &adapter));
    hn_parameters *weights = hn_adapter_weights(adapter);
    for (size_t i = 0; i < weights->count; i++) {
        const size_t count = (size_t)hn_tensor_elements(&weights->item[i].value);
        float *values = NULL;
        ok(hn_alloc(&values, count, sizeof *values, "values"));
        for (size_t j = 0; j < count; j++)
            values[j] = 0.1f * (float)hn_random_normal(5, HN_PURPOSE_WEIGHTS, (uint32_t)i, j);
        ok(hn_parameter_write(weights, &weights->item[i], HONE_F32, values));
        hn_free(values);
    }
    ok(hn_parameters_make_trainable(weights));
    return adapter;
}

static void run(hone_model *model, result *out) {
    const hn_network_budget budget = hn_network_budget_for(TOKENS);
    hone_adapter *adapter = make_adapter(model);
    hone_pack *pack = make_pack();
    hn_network *network = NULL;
    float weight[2 * TOKENS];

    memset(out, 0, sizeof *out);
    out->edges = pack->edges;
    for (int64_t e = 0; e < pack->edges; e++)
        weight[e] = (float)(e % 5) - 1.7f;
    ok(hn_network_create(model, adapter, true, 0, &budget, &network));
    ok(hn_network_forward(network, pack, 1, out->logp));
    ok(hn_network_backward(network, weight, false));
    read_gradients(hn_adapter_weights(adapter), out);
    hn_network_destroy(network);
    hone_pack_destroy(pack);
    hone_adapter_destroy(adapter);
}

static void assert_close(const result *a, const result *b, double tolerance) {
    double difference = 0.0, norm = 0.0;

    assert_int_equal(a->edges, b->edges);
    assert_int_equal(a->weights, b->weights);
    for (int64_t e = 0; e < a->edges; e++)
        assert_true(fabs((double)a->logp[e] - (double)b->logp[e]) <= tolerance * 10.0);
    for (int64_t i = 0; i < a->weights; i++) {
        difference += pow((double)a->gradient[i] - (double)b->gradient[i], 2.0);
        norm += pow((double)b->gradient[i], 2.0);
    }
    assert_true(norm > 0.0);
    assert_true(sqrt(difference / norm) <= tolerance);
}

/* What the device holds, written out in float32 and opened in full, is the same model. */
static void check_stored(const char *folder, hone_weights weights, hone_dtype storage) {
    hone_model *stored = open(folder, weights);
    result a, b;

    assert_int_equal(hone_model_storage(stored), storage);
    /* Matrices that the file has so stay in it; so do vectors in float32. */
    assert_true((hn_model_weights(stored)->mapped_bytes > 0) ==
                (strcmp(folder, "f32") == 0 || storage == HONE_BF16));
    save(stored, "back", HONE_F32);
    hone_model *full = open("back", HONE_WEIGHTS_FULL);
    assert_int_equal(hone_model_storage(full), HONE_F32);
    run(stored, &a);
    run(full, &b);
    assert_close(&a, &b, 1e-5);
    hn_free(a.gradient);
    hn_free(b.gradient);
    hone_model_destroy(full);
    hone_model_destroy(stored);
}

static void test_same_as_in_full(void **state) {
    (void)state;
    check_stored("f32", HONE_WEIGHTS_Q8, HONE_Q8);
    check_stored("f32", HONE_WEIGHTS_BF16, HONE_BF16);
    check_stored("f32", HONE_WEIGHTS_AUTO, HONE_F32);
    check_stored("bf16", HONE_WEIGHTS_AUTO, HONE_BF16);
}

/* Far enough from float32 that the storage must have been used, near enough to be the same model. */
static void test_eight_bits_are_near(void **state) {
    hone_model *stored = open("f32", HONE_WEIGHTS_Q8), *full = open("f32", HONE_WEIGHTS_FULL);
    result a, b;
    double most = 0.0;

    (void)state;
    run(stored, &a);
    run(full, &b);
    for (int64_t e = 0; e < a.edges; e++)
        most = fmax(most, fabs((double)a.logp[e] - (double)b.logp[e]));
    assert_true(most > 1e-4);
    assert_true(most < 0.1);
    hn_free(a.gradient);
    hn_free(b.gradient);
    hone_model_destroy(stored);
    hone_model_destroy(full);
}

/* Each block's error is at most half a step, and a step is the largest magnitude / 127. */
static void test_rows(void **state) {
    enum { COLUMNS = 71 };
    float row[COLUMNS], back[COLUMNS];
    unsigned char bytes[2 * COLUMNS];

    (void)state;
    for (int i = 0; i < COLUMNS; i++)
        row[i] = (float)hn_random_normal(1, HN_PURPOSE_WEIGHTS, 0, (uint64_t)i) * (i < 32 ? 100.0f : 1e-3f);
    hn_q8_encode(row, COLUMNS, bytes);
    hn_q8_decode(bytes, COLUMNS, back);
    for (int first = 0; first < COLUMNS; first += 32) {
        double largest = 0.0;
        for (int i = first; i < COLUMNS && i < first + 32; i++)
            largest = fmax(largest, fabs((double)row[i]));
        for (int i = first; i < COLUMNS && i < first + 32; i++)
            assert_true(fabs((double)row[i] - (double)back[i]) <= largest / 127.0 * 0.57);
    }
    memset(row, 0, sizeof row);
    hn_q8_encode(row, COLUMNS, bytes);
    hn_q8_decode(bytes, COLUMNS, back);
    for (int i = 0; i < COLUMNS; i++)
        assert_true(back[i] == 0.0f);
}

/* Weights in the file are read only: nothing may train them, merge into them or write over them. */
static void test_mapped(void **state) {
    hone_model *mapped = open("f32", HONE_WEIGHTS_AUTO);
    hn_parameters *weights = hn_model_weights(mapped);
    const float zero[VOCABULARY * 48] = {0};

    (void)state;
    assert_int_equal(weights->mapped_bytes, hone_model_parameters(mapped) * (int64_t)sizeof(float));
    assert_int_equal(weights->bytes, 0);
    assert_int_equal(hn_parameters_make_trainable(weights), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "mapped"));
    assert_int_equal(hn_parameter_write(weights, &weights->item[0], HONE_F32, zero), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "only read"));
    hone_model_destroy(mapped);
    hone_model *copied = open("f32", HONE_WEIGHTS_FULL);
    assert_int_equal(hn_model_weights(copied)->mapped_bytes, 0);
    ok(hn_parameters_make_trainable(hn_model_weights(copied)));
    hone_model_destroy(copied);
}

static void test_refusals(void **state) {
    hone_model *stored = open("f32", HONE_WEIGHTS_Q8);
    const hone_lora_options lora = hone_lora_defaults();
    hone_adapter *adapter = NULL;
    hone_weights weights = HONE_WEIGHTS_FULL;

    (void)state;
    assert_int_equal(hn_parameters_make_trainable(hn_model_weights(stored)), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "q8"));
    ok(hone_adapter_create(stored, &lora, 1, &adapter));
    assert_int_equal(hone_adapter_merge(stored, adapter), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "q8"));
    assert_int_equal(hone_weights_parse("q4", &weights), HONE_ERROR_ARGUMENT);
    ok(hone_weights_parse("q8", &weights));
    assert_int_equal(weights, HONE_WEIGHTS_Q8);
    hone_adapter_destroy(adapter);
    hone_model_destroy(stored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_in_full), cmocka_unit_test(test_eight_bits_are_near),
        cmocka_unit_test(test_rows), cmocka_unit_test(test_mapped), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
