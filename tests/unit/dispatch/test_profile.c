/* What a profile counts: time, calls, and the arithmetic of products. */
#include <dispatch/profile.h>
#include <tensor/tensor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

/* y[5,3] = x[5,7] w[3,7]^T, in one buffer. */
static void test_runs_are_counted_while_set(void **state) {
    (void)state;
    hone_device *device = NULL;
    hn_profile profile = {0};
    const hone_scale_params one = {1.0};
    uint64_t a = 0;

    ok(hone_device_open(NULL, &(hone_device_options){.threads = 1}, &device));
    ok(hn_buffer_create(device, 1024, &a));
    hone_tensor operand[HONE_LINEAR_OPERANDS] = {hn_tensor_2(a, 0, HONE_F32, 5, 7),
                                                 hn_tensor_2(a, 256, HONE_F32, 3, 7), hn_tensor_absent(),
                                                 hn_tensor_2(a, 512, HONE_F32, 5, 3)};
    const hone_call call = {.operand = operand, .params = &one};

    ok(hn_run(device, HONE_OP_LINEAR, &call));
    hn_device_set_profile(device, &profile);
    ok(hn_run(device, HONE_OP_LINEAR, &call));
    ok(hn_run(device, HONE_OP_LINEAR, &call));
    operand[HONE_LINEAR_Y].extent[1] = 4; /* refused: not counted */
    assert_int_equal(hn_run(device, HONE_OP_LINEAR, &call), HONE_ERROR_ARGUMENT);
    operand[HONE_LINEAR_Y].extent[1] = 3;
    hn_device_set_profile(device, NULL);
    ok(hn_run(device, HONE_OP_LINEAR, &call));

    assert_int_equal(profile.calls[HONE_OP_LINEAR], 2);
    assert_true(profile.flops[HONE_OP_LINEAR] == 2.0 * (2 * 5 * 3 * 7));
    assert_true(profile.seconds[HONE_OP_LINEAR] >= 0.0 && profile.seconds[HONE_OP_LINEAR] < 60.0);
    for (int o = 0; o < HONE_OP_COUNT; o++)
        assert_int_equal(profile.calls[o], o == HONE_OP_LINEAR ? 2 : 0);
    hn_buffer_destroy(device, a);
    hone_device_close(device);
}

static double flops(hone_operation operation, const hone_tensor *operand, double pairs) {
    return hn_operation_flops(operation, &(hone_call){.operand = operand}, pairs);
}

static void test_backward_counts_what_is_wanted(void **state) {
    (void)state;
    hone_tensor operand[HONE_LINEAR_BACKWARD_OPERANDS];

    memset(operand, 0, sizeof operand);
    operand[HONE_LINEAR_BACKWARD_DY] = hn_tensor_2(1, 0, HONE_F32, 5, 3);
    assert_true(flops(HONE_OP_LINEAR_BACKWARD, operand, 0) == 0.0);
    operand[HONE_LINEAR_BACKWARD_DX] = hn_tensor_2(1, 0, HONE_F32, 5, 7);
    assert_true(flops(HONE_OP_LINEAR_BACKWARD, operand, 0) == 2 * 5 * 3 * 7);
    operand[HONE_LINEAR_BACKWARD_DW] = hn_tensor_2(1, 0, HONE_F32, 3, 7);
    assert_true(flops(HONE_OP_LINEAR_BACKWARD, operand, 0) == 2 * (2 * 5 * 3 * 7));
}

/* H = 3 heads of N = 8, 11 pairs; the numbers of keys and rows do not matter. */
static void test_attention_counts_visible_pairs(void **state) {
    (void)state;
    hone_tensor operand[HONE_ATTENTION_BACKWARD_OPERANDS];

    memset(operand, 0, sizeof operand);
    operand[HONE_ATTENTION_Q] = hn_tensor_3(1, 0, HONE_F32, 100, 3, 8);
    operand[HONE_ATTENTION_K] = hn_tensor_3(1, 0, HONE_F32, 200, 1, 8);
    assert_true(flops(HONE_OP_ATTENTION, operand, 11) == 4 * 11 * 3 * 8);
    assert_true(flops(HONE_OP_ATTENTION_BACKWARD, operand, 11) == 10 * 11 * 3 * 8);
}

/* U = 4 scored rows of T = 9, V = 13, D = 6. */
static void test_the_head_counts_scored_rows(void **state) {
    (void)state;
    hone_tensor operand[HONE_HEAD_LOGP_BACKWARD_OPERANDS];

    memset(operand, 0, sizeof operand);
    operand[HONE_HEAD_LOGP_H] = hn_tensor_2(1, 0, HONE_F32, 9, 6);
    operand[HONE_HEAD_LOGP_W] = hn_tensor_2(1, 0, HONE_F32, 13, 6);
    operand[HONE_HEAD_LOGP_ROW] = hn_tensor_1(1, 0, HONE_I32, 4);
    assert_true(flops(HONE_OP_HEAD_LOGP, operand, 0) == 2 * 4 * 13 * 6);
    assert_true(flops(HONE_OP_HEAD_LOGP_BACKWARD, operand, 0) == 2 * 4 * 13 * 6);
    operand[HONE_HEAD_LOGP_BACKWARD_DH] = hn_tensor_2(1, 0, HONE_F32, 9, 6);
    assert_true(flops(HONE_OP_HEAD_LOGP_BACKWARD, operand, 0) == 2 * (2 * 4 * 13 * 6));
    operand[HONE_HEAD_LOGP_BACKWARD_DW] = hn_tensor_2(1, 0, HONE_F32, 13, 6);
    assert_true(flops(HONE_OP_HEAD_LOGP_BACKWARD, operand, 0) == 3 * (2 * 4 * 13 * 6));
}

static void test_the_rest_is_no_product(void **state) {
    (void)state;
    hone_tensor operand[HONE_MAX_OPERANDS];

    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        operand[i] = hn_tensor_2(1, 0, HONE_F32, 5, 7);
    assert_true(flops(HONE_OP_SWIGLU, operand, 11) == 0.0);
    assert_true(flops(HONE_OP_EMBEDDING, operand, 11) == 0.0);
    assert_true(flops(HONE_OP_ADAMW, operand, 11) == 0.0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_are_counted_while_set),
        cmocka_unit_test(test_backward_counts_what_is_wanted),
        cmocka_unit_test(test_attention_counts_visible_pairs),
        cmocka_unit_test(test_the_head_counts_scored_rows),
        cmocka_unit_test(test_the_rest_is_no_product),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
