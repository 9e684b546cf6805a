/* Recorded programs: the listing of a small decoder, what costs nothing, mistakes of a recording, runs with fewer
 * rows than planned, a cache of keys and values. */
#include <core/memory.h>
#include <core/random.h>
#include <graph/graph.h>
#include <tensor/tensor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { D = 8, F = 12, H = 2, K = 1, N = 4, R = 2, V = 11, T = 6, MOST = 64 };

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

/* A small decoder, with storage for its parameters. */
typedef struct net {
    hone_device *device;
    hn_program *program;
    uint64_t buffer[2 * MOST];
    int buffers, parameters;
    const char *trainable; /* part of the name; NULL: everything */
    hn_value token, position, segment, range, row, begin, target, frequency, cache_row, out;
    hn_value table;
    hn_value keys[2], values[2]; /* states; HN_NONE: no cache */
} net;

static hone_tensor storage(net *n, int64_t rows, int64_t columns, bool fill) {
    const size_t count = (size_t)(rows * (columns > 0 ? columns : 1));
    float numbers[V * F * 2];
    uint64_t buffer = 0;

    ok(hn_buffer_create(n->device, count * sizeof(float), &buffer));
    n->buffer[n->buffers++] = buffer;
    for (size_t i = 0; i < count; i++)
        numbers[i] =
            fill ? (float)hn_random_normal(3, HN_PURPOSE_TEST, (uint32_t)n->parameters, i) * 0.5f : 0;
    ok(hn_upload(n->device, buffer, 0, numbers, count * sizeof(float)));
    return columns > 0 ? hn_tensor_2(buffer, 0, HONE_F32, rows, columns)
                       : hn_tensor_1(buffer, 0, HONE_F32, rows);
}

static hn_value parameter(net *n, const char *name, int layer, int64_t rows, int64_t columns) {
    char full[48];
    const hone_tensor value = storage(n, rows, columns, true), gradient = storage(n, rows, columns, false),
                      absent = hn_tensor_absent();

    (void)snprintf(full, sizeof full, layer < 0 ? "%s" : "%s.%d", name, layer);
    const bool trainable = n->trainable == NULL || strstr(full, n->trainable) != NULL;
    n->parameters++;
    return hn_program_parameter(n->program, full, &value, trainable ? &gradient : &absent);
}

static hn_value linear(net *n, hn_value x, const char *name, int layer, int64_t inputs, int64_t outputs) {
    return hn_record_linear(n->program, x, parameter(n, name, layer, outputs, inputs), HN_NONE, 1.0, HN_NONE);
}

static hn_value heads(net *n, hn_value x, hn_symbol rows, int64_t count) {
    const hn_extent extent[3] = {hn_symbolic(rows), hn_fixed(count), hn_fixed(N)};
    return hn_program_view(n->program, x, 3, extent);
}

static hn_value flat(net *n, hn_value x, int64_t width) {
    const hn_extent extent[2] = {hn_symbolic(HN_T), hn_fixed(width)};
    return hn_program_view(n->program, x, 2, extent);
}

static hn_value cached(net *n, hn_value x, hn_value state) {
    if (state == HN_NONE)
        return x;
    return heads(n, hn_record_scatter_rows(n->program, flat(n, x, K * N), n->cache_row, state), HN_C, K);
}

static hn_value attention(net *n, hn_value x, int layer) {
    hn_value q = heads(n, linear(n, x, "q", layer, D, H * N), HN_T, H);
    hn_value k = heads(n, linear(n, x, "k", layer, D, K * N), HN_T, K);
    hn_value v = linear(n, x, "v", layer, D, K * N);
    if (n->trainable != NULL && strcmp(n->trainable, "lora") == 0) {
        const hn_value a = parameter(n, "v.lora_A", layer, R, D),
                       b = parameter(n, "v.lora_B", layer, K * N, R);
        v = hn_record_linear(n->program, hn_record_linear(n->program, x, a, HN_NONE, 1.0, HN_NONE), b,
                             HN_NONE, 2.0, v);
    }
    q = hn_record_rotary(n->program, q, n->position, n->frequency, 1.0);
    k = hn_record_rotary(n->program, k, n->position, n->frequency, 1.0);
    k = cached(n, k, n->keys[layer]);
    v = cached(n, heads(n, v, HN_T, K), n->values[layer]);
    const hn_value o = hn_record_attention(n->program, q, k, v, n->segment, n->range, 0.5);
    return linear(n, flat(n, o, H * N), "o", layer, H * N, D);
}

static hn_value norm(net *n, hn_value x, const char *name, int layer) {
    return hn_record_rms_norm(n->program, x, parameter(n, name, layer, D, 0), 1e-5);
}

static hn_value layer(net *n, hn_value x, int i) {
    x = hn_record_add(n->program, x, attention(n, norm(n, x, "norm1", i), i));
    const hn_value y = norm(n, x, "norm2", i);
    const hn_value gate = linear(n, y, "gate", i, D, F), up = linear(n, y, "up", i, D, F);
    return hn_record_add(n->program, x, linear(n, hn_record_swiglu(n->program, gate, up), "down", i, F, D));
}

static void inputs(net *n) {
    const hn_extent t[1] = {hn_symbolic(HN_T)}, u[1] = {hn_symbolic(HN_U)}, u1[1] = {{HN_U, 1}},
                    e[1] = {hn_symbolic(HN_E)};
    const hn_extent s[2] = {hn_symbolic(HN_S), hn_fixed(HONE_SEGMENT_FIELDS)},
                    g[2] = {hn_symbolic(HN_G), hn_fixed(2)};
    n->token = hn_program_input(n->program, "token", HONE_I32, 1, t);
    n->position = hn_program_input(n->program, "position", HONE_I32, 1, t);
    n->segment = hn_program_input(n->program, "segment", HONE_I32, 2, s);
    n->range = hn_program_input(n->program, "range", HONE_I32, 2, g);
    n->row = hn_program_input(n->program, "row", HONE_I32, 1, u);
    n->begin = hn_program_input(n->program, "begin", HONE_I32, 1, u1);
    n->target = hn_program_input(n->program, "target", HONE_I32, 1, e);
    n->cache_row = hn_program_input(n->program, "cache row", HONE_I32, 1, t);
}

static void begin(net *n, hone_device *device, bool training, const char *trainable) {
    static const int64_t budget[HN_SYMBOL_COUNT] = {0, T, T, 2 * T, 4, 4, 16};
    memset(n, 0, sizeof *n);
    n->device = device;
    n->trainable = trainable;
    n->keys[0] = n->keys[1] = n->values[0] = n->values[1] = HN_NONE;
    ok(hn_program_create(device, HONE_F32, training, budget, &n->program));
    inputs(n);
    const hone_tensor frequency = storage(n, N / 2, 0, true), absent = hn_tensor_absent();
    n->frequency = hn_program_parameter(n->program, "frequency", &frequency, &absent);
    n->table = parameter(n, "table", -1, V, D);
}

/* Two layers; the head's log-probabilities, or the last norm's output. */
static void two_layers(net *n, bool head) {
    hn_value x = hn_record_embedding(n->program, n->table, n->token);
    for (int i = 0; i < 2; i++)
        x = layer(n, x, i);
    x = norm(n, x, "norm", -1);
    n->out = head ? hn_record_head_logp(n->program, x, n->table, n->row, n->begin, n->target) : x;
    hn_program_output(n->program, n->out);
    ok(hn_program_finish(n->program));
}

static void end(net *n) {
    hn_program_destroy(n->program);
    for (int i = 0; i < n->buffers; i++)
        hn_buffer_destroy(n->device, n->buffer[i]);
}

/* ---- listings ---- */

static void same_as_file(const char *text, const char *file) {
    static char expected[1 << 16];
    char path[512];
    (void)snprintf(path, sizeof path, "%s/tests/unit/graph/%s", HONE_SOURCE_DIR, file);
    FILE *stream = fopen(path, "r");
    assert_non_null(stream);
    expected[fread(expected, 1, sizeof expected - 1, stream)] = '\0';
    assert_int_equal(fclose(stream), 0);
    assert_string_equal(text, expected);
}

static void listing(hone_device *device, bool training, const char *trainable, const char *file) {
    net n;
    char *text = NULL;
    begin(&n, device, training, trainable);
    two_layers(&n, true);
    ok(hn_program_listing(n.program, &text));
    same_as_file(text, file);
    hn_free(text);
    end(&n);
}

static void test_listing(void **state) { listing(*state, true, NULL, "two-layers.txt"); }

/* Adapters: no derivative by frozen weights, none before the first adapter. */
static void test_listing_of_adapters(void **state) {
    listing(*state, true, "lora", "two-layers-adapters.txt");
}

static void test_frozen_programs_have_no_backward(void **state) {
    net n;
    char *text = NULL;
    begin(&n, *state, true, "nothing");
    two_layers(&n, true);
    ok(hn_program_listing(n.program, &text));
    assert_null(strstr(text, "backward"));
    hn_free(text);
    end(&n);
}

/* ---- mistakes ---- */

static void expect_refusal(net *n, const char *text) {
    assert_int_not_equal(hn_program_finish(n->program), HONE_OK);
    if (strstr(hone_message(), text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", hone_message(), text);
    assert_int_not_equal(hn_program_forward(n->program), HONE_OK);
    assert_int_not_equal(hn_program_backward(n->program, false), HONE_OK);
    end(n);
}

static void test_recording_mistakes(void **state) {
    net n;
    hn_value x, y;

    begin(&n, *state, true, NULL);
    expect_refusal(&n, "head");

    begin(&n, *state, false, NULL);
    (void)hn_record_rms_norm(n.program, HN_NONE, n.table, 1e-5);
    expect_refusal(&n, "rms_norm: operand 0 is no value");

    begin(&n, *state, false, NULL);
    x = hn_record_embedding(n.program, n.table, n.token);
    (void)hn_record_rms_norm(n.program, x, parameter(&n, "gain", -1, D + 1, 0), 1e-5);
    expect_refusal(&n, "rms_norm: operand gain f32[9]");

    begin(&n, *state, false, NULL);
    x = hn_record_embedding(n.program, n.table, n.token);
    (void)hn_record_add(n.program, x, x);
    expect_refusal(&n, "add");

    begin(&n, *state, false, NULL);
    x = hn_record_embedding(n.program, n.table, n.token);
    const hn_extent wrong[2] = {hn_symbolic(HN_T), hn_fixed(D + 1)};
    (void)hn_program_view(n.program, x, 2, wrong);
    expect_refusal(&n, "view");

    begin(&n, *state, false, NULL);
    x = hn_record_embedding(n.program, n.table, n.token);
    y = linear(&n, x, "w", 0, D, D);
    (void)hn_record_add(n.program, x, y);
    (void)hn_record_linear(n.program, x, parameter(&n, "w", 1, D, D), HN_NONE, 1.0, y);
    expect_refusal(&n, "was read before");

    begin(&n, *state, false, NULL);
    x = hn_record_embedding(n.program, n.table, n.token);
    (void)hn_record_linear(n.program, x, parameter(&n, "w", 1, D, D), HN_NONE, 1.0, x);
    expect_refusal(&n, "not a linear's result");

    begin(&n, *state, false, NULL);
    (void)hn_record_embedding(n.program, n.token, n.table);
    expect_refusal(&n, "embedding: operand table");
}

static void test_wrong_use(void **state) {
    net n;
    float numbers[2 * T];
    begin(&n, *state, false, NULL);
    assert_int_equal(hn_program_forward(n.program), HONE_ERROR_ARGUMENT);
    two_layers(&n, true);
    assert_int_equal(hn_program_bind(n.program, HN_T, T + 1), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "at most 6"));
    assert_int_equal(hn_program_bind(n.program, HN_T, -1), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_program_bind(n.program, HN_FIXED, 1), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_program_bind(n.program, HN_SYMBOL_COUNT, 1), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_program_backward(n.program, false), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_program_seed(n.program, numbers), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_program_download(n.program, n.token, numbers), HONE_ERROR_ARGUMENT);
    end(&n);
    hn_program_destroy(NULL);
    const int64_t budget[HN_SYMBOL_COUNT] = {0, T, T, T, T, T, T};
    hn_program *program = NULL;
    assert_int_equal(hn_program_create(*state, HONE_I32, false, budget, &program), HONE_ERROR_UNSUPPORTED);
    assert_null(program);
}

/* A gradient that nothing reaches is zero after a pass that overwrites, and stays in one that adds. */
static void test_unreached_parameters(void **state) {
    net n;
    float numbers[V * D], weight[2 * T] = {0};
    begin(&n, *state, true, NULL);
    const hone_tensor value = storage(&n, D, D, true), gradient = storage(&n, D, D, true);
    (void)hn_program_parameter(n.program, "unused", &value, &gradient);
    two_layers(&n, true);
    for (int accumulate = 1; accumulate >= 0; accumulate--) {
        const int32_t zero = 0;
        ok(hn_program_upload(n.program, n.begin, &zero)); /* everything else is bound to 0 */
        ok(hn_program_forward(n.program));
        ok(hn_program_seed(n.program, weight));
        ok(hn_program_backward(n.program, accumulate == 1));
        ok(hn_download_tensor(n.device, &gradient, numbers));
        assert_true((numbers[3] != 0) == (accumulate == 1));
    }
    end(&n);
}

/* ---- a cache ---- */

static void bind_rows(net *n, int64_t tokens, int64_t rows) {
    ok(hn_program_bind(n->program, HN_T, tokens));
    ok(hn_program_bind(n->program, HN_S, 1));
    ok(hn_program_bind(n->program, HN_G, 1));
    ok(hn_program_bind(n->program, HN_C, rows));
}

static const int32_t tokens[T] = {3, 1, 4, 1, 5, 9}, positions[T] = {0, 1, 2, 3, 4, 5};
/* Rows of the cache in no order: keys are addressed by ranges, here one a segment at most. */
static const int32_t rows[T] = {4, 5, 6, 7, 8, 9};

static void upload_run(net *n, int first, int count, const int32_t segment[HONE_SEGMENT_FIELDS]) {
    const int32_t range[2] = {4, 4 + first};
    ok(hn_program_upload(n->program, n->token, tokens + first));
    ok(hn_program_upload(n->program, n->position, positions + first));
    ok(hn_program_upload(n->program, n->cache_row, rows + first));
    ok(hn_program_upload(n->program, n->segment, segment));
    ok(hn_program_upload(n->program, n->range, range));
    (void)count;
    ok(hn_program_forward(n->program));
}

/* Token by token through a cache gives what all tokens at once give. */
static void test_cache(void **state) {
    net whole, steps;
    float all[T * D], one[D];
    const int32_t everything[HONE_SEGMENT_FIELDS] = {0, T, 0, 0, 0, T};

    begin(&whole, *state, false, NULL);
    two_layers(&whole, false);
    bind_rows(&whole, T, 0);
    upload_run(&whole, 0, T, everything);
    ok(hn_program_download(whole.program, whole.out, all));

    begin(&steps, *state, false, NULL);
    for (int i = 0; i < 2; i++) {
        hone_tensor keys = storage(&steps, 16, K * N, false), values = storage(&steps, 16, K * N, false);
        steps.keys[i] = hn_program_state(steps.program, "keys", &keys);
        steps.values[i] = hn_program_state(steps.program, "values", &values);
    }
    two_layers(&steps, false);
    for (int t = 0; t < T; t++) {
        const int32_t segment[HONE_SEGMENT_FIELDS] = {0, 1, rows[t], 0, t > 0, 1};
        bind_rows(&steps, 1, 10);
        upload_run(&steps, t, 1, segment);
        ok(hn_program_download(steps.program, steps.out, one));
        for (int d = 0; d < D; d++)
            assert_true(fabsf(one[d] - all[t * D + d]) < 1e-5f);
    }
    end(&steps);
    end(&whole);
}

static int set_up(void **state) {
    return hone_device_open(NULL, NULL, (hone_device **)state) == HONE_OK ? 0 : -1;
}

static int tear_down(void **state) {
    const bool clean = hone_device_bytes(*state) == 0;
    hone_device_close(*state);
    return clean ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_listing_of_adapters),
        cmocka_unit_test(test_frozen_programs_have_no_backward),
        cmocka_unit_test(test_recording_mistakes),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_unreached_parameters),
        cmocka_unit_test(test_cache),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
