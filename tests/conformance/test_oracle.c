/* The oracle against itself and against things known otherwise: every backward operation against differences of its
 * forward, conversions against the definition of rounding, the dropout mask against Random123. */
#include "case.h"
#include "operations/segments.h"
#include "oracle/oracle.h"

#include <Random123/philox.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Central differences: the step's square and the rounding of the loss over the step are both about 1e-10. */
#define STEP 1e-5
#define TOLERANCE 1e-7

static void begin(cf_case *it, hone_operation operation) {
    cf_case_begin(it, operation, 0, HONE_F64, 20 + (uint64_t)operation);
}

/* The loss: sum of cotangent * output. */
static double loss(cf_case *forward, int output, const double *cotangent) {
    double sum = 0;

    assert_true(cf_expect(forward));
    for (int64_t i = 0; i < cf_count(&forward->operand[output].shape); i++)
        sum += cotangent[i] * forward->operand[output].want[i];
    return sum;
}

/* Every element of d loss / d input, against the gradient that a backward operation gave. */
static void compare(cf_case *forward, int input, int output, const double *cotangent,
                    const double *gradient) {
    double *x = forward->operand[input].value;

    for (int64_t i = 0; i < cf_count(&forward->operand[input].shape); i++) {
        const double at = x[i];
        x[i] = at + STEP;
        const double above = loss(forward, output, cotangent);
        x[i] = at - STEP;
        const double below = loss(forward, output, cotangent);
        x[i] = at;
        const double numeric = (above - below) / (2 * STEP);
        if (fabs(numeric - gradient[i]) > TOLERANCE * fmax(1, fabs(numeric)))
            fail_msg("%s: operand %d element %lld: differences give %.12g, backward %.12g",
                     cf_operation_name(forward->operation), input, (long long)i, numeric, gradient[i]);
    }
    (void)loss(forward, output, cotangent);
}

static const double *want(const cf_case *it, int operand) { return it->operand[operand].want; }

/* A copy of an operand of one case as an input of another. */
static double *copy_input(cf_case *to, int operand, const cf_case *from, int source, const double *value) {
    const cf_operand *o = &from->operand[source];
    double *place = o->dtype == HONE_I32 ? cf_index(to, operand, o->shape) : cf_input(to, operand, o->shape);

    memcpy(place, value, (size_t)cf_count(&o->shape) * sizeof(double));
    return place;
}

static double *copy_value(cf_case *to, int operand, const cf_case *from, int source) {
    return copy_input(to, operand, from, source, from->operand[source].value);
}

/* ---- one test an operation ---- */

static void test_embedding(void **state) {
    const double token[6] = {2, 0, 2, 3, 2, 0};
    cf_case f, b;

    (void)state;
    begin(&f, HONE_OP_EMBEDDING);
    (void)cf_input(&f, HONE_EMBEDDING_TABLE, cf_shape2(5, 3));
    memcpy(cf_index(&f, HONE_EMBEDDING_TOKEN, cf_shape1(6)), token, sizeof token);
    cf_output(&f, HONE_EMBEDDING_Y, cf_shape2(6, 3), false);
    begin(&b, HONE_OP_EMBEDDING_BACKWARD);
    (void)copy_value(&b, HONE_EMBEDDING_BACKWARD_TOKEN, &f, HONE_EMBEDDING_TOKEN);
    const double *dy = cf_input(&b, HONE_EMBEDDING_BACKWARD_DY, cf_shape2(6, 3));
    cf_output(&b, HONE_EMBEDDING_BACKWARD_DTABLE, cf_shape2(5, 3), false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_EMBEDDING_TABLE, HONE_EMBEDDING_Y, dy, want(&b, HONE_EMBEDDING_BACKWARD_DTABLE));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void test_rms_norm(void **state) {
    cf_case f, b;

    (void)state;
    begin(&f, HONE_OP_RMS_NORM);
    (void)cf_input(&f, HONE_RMS_NORM_X, cf_shape2(4, 7));
    (void)cf_input(&f, HONE_RMS_NORM_GAIN, cf_shape1(7));
    cf_output(&f, HONE_RMS_NORM_Y, cf_shape2(4, 7), false);
    cf_output(&f, HONE_RMS_NORM_RSTD, cf_shape1(4), false);
    f.params.norm.epsilon = 0.01;
    f.has_params = true;
    assert_true(cf_expect(&f));
    begin(&b, HONE_OP_RMS_NORM_BACKWARD);
    (void)copy_value(&b, HONE_RMS_NORM_BACKWARD_X, &f, HONE_RMS_NORM_X);
    (void)copy_value(&b, HONE_RMS_NORM_BACKWARD_GAIN, &f, HONE_RMS_NORM_GAIN);
    (void)copy_input(&b, HONE_RMS_NORM_BACKWARD_RSTD, &f, HONE_RMS_NORM_RSTD, want(&f, HONE_RMS_NORM_RSTD));
    const double *dy = cf_input(&b, HONE_RMS_NORM_BACKWARD_DY, cf_shape2(4, 7));
    cf_output(&b, HONE_RMS_NORM_BACKWARD_DX, cf_shape2(4, 7), false);
    cf_output(&b, HONE_RMS_NORM_BACKWARD_DGAIN, cf_shape1(7), false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_RMS_NORM_X, HONE_RMS_NORM_Y, dy, want(&b, HONE_RMS_NORM_BACKWARD_DX));
    compare(&f, HONE_RMS_NORM_GAIN, HONE_RMS_NORM_Y, dy, want(&b, HONE_RMS_NORM_BACKWARD_DGAIN));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void test_linear(void **state) {
    cf_case f, b;

    (void)state;
    begin(&f, HONE_OP_LINEAR);
    (void)cf_input(&f, HONE_LINEAR_X, cf_shape2(3, 5));
    (void)cf_input(&f, HONE_LINEAR_W, cf_shape2(4, 5));
    (void)cf_input(&f, HONE_LINEAR_BIAS, cf_shape1(4));
    cf_output(&f, HONE_LINEAR_Y, cf_shape2(3, 4), true);
    f.params.scale.scale = -0.7;
    f.has_params = true;
    begin(&b, HONE_OP_LINEAR_BACKWARD);
    b.params = f.params;
    b.has_params = true;
    (void)copy_value(&b, HONE_LINEAR_BACKWARD_X, &f, HONE_LINEAR_X);
    (void)copy_value(&b, HONE_LINEAR_BACKWARD_W, &f, HONE_LINEAR_W);
    const double *dy = cf_input(&b, HONE_LINEAR_BACKWARD_DY, cf_shape2(3, 4));
    cf_output(&b, HONE_LINEAR_BACKWARD_DX, cf_shape2(3, 5), false);
    cf_output(&b, HONE_LINEAR_BACKWARD_DW, cf_shape2(4, 5), false);
    cf_output(&b, HONE_LINEAR_BACKWARD_DBIAS, cf_shape1(4), false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_LINEAR_X, HONE_LINEAR_Y, dy, want(&b, HONE_LINEAR_BACKWARD_DX));
    compare(&f, HONE_LINEAR_W, HONE_LINEAR_Y, dy, want(&b, HONE_LINEAR_BACKWARD_DW));
    compare(&f, HONE_LINEAR_BIAS, HONE_LINEAR_Y, dy, want(&b, HONE_LINEAR_BACKWARD_DBIAS));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void declare_rotary(cf_case *it, bool inverse) {
    begin(it, HONE_OP_ROTARY);
    (void)cf_input(it, HONE_ROTARY_X, cf_shape3(3, 2, 6));
    double *position = cf_index(it, HONE_ROTARY_POSITION, cf_shape1(3));
    position[1] = 5;
    position[2] = 117;
    double *frequency = cf_input(it, HONE_ROTARY_FREQUENCY, cf_shape1(3));
    for (int j = 0; j < 3; j++)
        frequency[j] = pow(100, -j / 3.0);
    cf_output(it, HONE_ROTARY_Y, cf_shape3(3, 2, 6), false);
    it->params.rotary = (hone_rotary_params){.scale = 1.3, .inverse = inverse};
    it->has_params = true;
}

static void test_rotary(void **state) {
    cf_case f, b;

    (void)state;
    declare_rotary(&f, false);
    declare_rotary(&b, true);
    double *dy = b.operand[HONE_ROTARY_X].value;
    for (int i = 0; i < 36; i++)
        dy[i] = cf_normal(&b.random);
    assert_true(cf_expect(&b));
    compare(&f, HONE_ROTARY_X, HONE_ROTARY_Y, dy, want(&b, HONE_ROTARY_Y));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void declare_attention(cf_case *it, const cf_segments *segments) {
    begin(it, HONE_OP_ATTENTION);
    (void)cf_input(it, HONE_ATTENTION_Q, cf_shape3(segments->queries, 4, 3));
    (void)cf_input(it, HONE_ATTENTION_K, cf_shape3(segments->keys, 2, 3));
    (void)cf_input(it, HONE_ATTENTION_V, cf_shape3(segments->keys, 2, 3));
    cf_segments_declare(segments, it);
    cf_output(it, HONE_ATTENTION_O, cf_shape3(segments->queries, 4, 3), false);
    cf_output(it, HONE_ATTENTION_LSE, cf_shape2(4, segments->queries), false);
    it->params.scale.scale = 0.6;
    it->has_params = true;
}

static void check_attention(const cf_segments *segments) {
    cf_case f, b;

    declare_attention(&f, segments);
    assert_true(cf_expect(&f));
    begin(&b, HONE_OP_ATTENTION_BACKWARD);
    b.params = f.params;
    b.has_params = true;
    for (int i = HONE_ATTENTION_Q; i <= HONE_ATTENTION_RANGE; i++)
        (void)copy_value(&b, i, &f, i);
    (void)copy_input(&b, HONE_ATTENTION_BACKWARD_O, &f, HONE_ATTENTION_O, want(&f, HONE_ATTENTION_O));
    (void)copy_input(&b, HONE_ATTENTION_BACKWARD_LSE, &f, HONE_ATTENTION_LSE, want(&f, HONE_ATTENTION_LSE));
    const cf_shape queries = f.operand[HONE_ATTENTION_Q].shape, keys = f.operand[HONE_ATTENTION_K].shape;
    const double *dout = cf_input(&b, HONE_ATTENTION_BACKWARD_DO, queries);
    cf_output(&b, HONE_ATTENTION_BACKWARD_DELTA, f.operand[HONE_ATTENTION_LSE].shape, false);
    cf_output(&b, HONE_ATTENTION_BACKWARD_DQ, queries, false);
    cf_output(&b, HONE_ATTENTION_BACKWARD_DK, keys, false);
    cf_output(&b, HONE_ATTENTION_BACKWARD_DV, keys, false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_ATTENTION_Q, HONE_ATTENTION_O, dout, want(&b, HONE_ATTENTION_BACKWARD_DQ));
    compare(&f, HONE_ATTENTION_K, HONE_ATTENTION_O, dout, want(&b, HONE_ATTENTION_BACKWARD_DK));
    compare(&f, HONE_ATTENTION_V, HONE_ATTENTION_O, dout, want(&b, HONE_ATTENTION_BACKWARD_DV));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void test_attention(void **state) {
    static cf_segments segments;
    cf_random random = {7};

    (void)state;
    for (int64_t tokens = 1; tokens < 14; tokens += 3) {
        cf_segments_trie(&segments, &random, tokens, 4);
        check_attention(&segments);
    }
}

/* A query sees what the walk from its token to its root passes: visibility from parents, not from ranges. */
static void test_visibility(void **state) {
    static cf_segments segments;
    cf_random random = {11};

    (void)state;
    for (int round = 0; round < 50; round++) {
        cf_case it;
        cf_segments_trie(&segments, &random, 40, 5);
        declare_attention(&it, &segments);
        unsigned char *seen = cf_visibility(&it);
        for (int s = 0; s < segments.count; s++) {
            const hone_segment *a = &segments.segment[s];
            for (int64_t t = 0; t < 40; t++) {
                for (int64_t j = a->query_begin; j < a->query_end; j++)
                    assert_int_equal(seen[t * 40 + j], j <= t && t < a->subtree_end);
            }
        }
        free(seen);
        cf_case_end(&it);
    }
}

static void test_swiglu(void **state) {
    cf_case f, b;

    (void)state;
    begin(&f, HONE_OP_SWIGLU);
    cf_multiply(cf_input(&f, HONE_SWIGLU_GATE, cf_shape2(5, 6)), 30, 3);
    (void)cf_input(&f, HONE_SWIGLU_UP, cf_shape2(5, 6));
    cf_output(&f, HONE_SWIGLU_Y, cf_shape2(5, 6), false);
    begin(&b, HONE_OP_SWIGLU_BACKWARD);
    (void)copy_value(&b, HONE_SWIGLU_BACKWARD_GATE, &f, HONE_SWIGLU_GATE);
    (void)copy_value(&b, HONE_SWIGLU_BACKWARD_UP, &f, HONE_SWIGLU_UP);
    const double *dy = cf_input(&b, HONE_SWIGLU_BACKWARD_DY, cf_shape2(5, 6));
    cf_output(&b, HONE_SWIGLU_BACKWARD_DGATE, cf_shape2(5, 6), false);
    cf_output(&b, HONE_SWIGLU_BACKWARD_DUP, cf_shape2(5, 6), false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_SWIGLU_GATE, HONE_SWIGLU_Y, dy, want(&b, HONE_SWIGLU_BACKWARD_DGATE));
    compare(&f, HONE_SWIGLU_UP, HONE_SWIGLU_Y, dy, want(&b, HONE_SWIGLU_BACKWARD_DUP));
    cf_case_end(&f);
    cf_case_end(&b);
}

static void declare_head(cf_case *it) {
    const double row[4] = {0, 2, 3, 6}, begin_of[5] = {0, 1, 1, 4, 5}, target[5] = {3, 0, 7, 0, 8};

    (void)cf_input(it, HONE_HEAD_LOGP_H, cf_shape2(7, 5));
    (void)cf_input(it, HONE_HEAD_LOGP_W, cf_shape2(9, 5));
    memcpy(cf_index(it, HONE_HEAD_LOGP_ROW, cf_shape1(4)), row, sizeof row);
    memcpy(cf_index(it, HONE_HEAD_LOGP_BEGIN, cf_shape1(5)), begin_of, sizeof begin_of);
    memcpy(cf_index(it, HONE_HEAD_LOGP_TARGET, cf_shape1(5)), target, sizeof target);
}

static void test_head_logp(void **state) {
    cf_case f, b;

    (void)state;
    begin(&f, HONE_OP_HEAD_LOGP);
    declare_head(&f);
    cf_output(&f, HONE_HEAD_LOGP_LOGP, cf_shape1(5), false);
    cf_output(&f, HONE_HEAD_LOGP_LSE, cf_shape1(4), false);
    assert_true(cf_expect(&f));
    begin(&b, HONE_OP_HEAD_LOGP_BACKWARD);
    for (int i = HONE_HEAD_LOGP_H; i <= HONE_HEAD_LOGP_TARGET; i++)
        (void)copy_value(&b, i, &f, i);
    (void)copy_input(&b, HONE_HEAD_LOGP_BACKWARD_LSE, &f, HONE_HEAD_LOGP_LSE, want(&f, HONE_HEAD_LOGP_LSE));
    const double *g = cf_input(&b, HONE_HEAD_LOGP_BACKWARD_G, cf_shape1(5));
    cf_output(&b, HONE_HEAD_LOGP_BACKWARD_DH, cf_shape2(7, 5), false);
    cf_output(&b, HONE_HEAD_LOGP_BACKWARD_DW, cf_shape2(9, 5), false);
    assert_true(cf_expect(&b));
    compare(&f, HONE_HEAD_LOGP_H, HONE_HEAD_LOGP_LOGP, g, want(&b, HONE_HEAD_LOGP_BACKWARD_DH));
    compare(&f, HONE_HEAD_LOGP_W, HONE_HEAD_LOGP_LOGP, g, want(&b, HONE_HEAD_LOGP_BACKWARD_DW));
    cf_case_end(&f);
    cf_case_end(&b);
}

/* ---- dropout: linear in x, so its differences are itself; the mask is Random123's ---- */

static void test_dropout(void **state) {
    const hone_dropout_params params = {0.4, UINT64_C(0x123456789abcdef0), 17, 99};
    const philox4x32_key_t key = {{0x9abcdef0, 0x12345678}};
    cf_case f;

    (void)state;
    begin(&f, HONE_OP_DROPOUT);
    const double *x = cf_input(&f, HONE_DROPOUT_X, cf_shape2(9, 14));
    cf_output(&f, HONE_DROPOUT_Y, cf_shape2(9, 14), false);
    f.params.dropout = params;
    f.has_params = true;
    assert_true(cf_expect(&f));
    for (uint32_t i = 0; i < 9 * 14; i++) {
        const philox4x32_ctr_t counter = {{i / 14, i % 14 / 4, params.step, params.stream}};
        const bool keep = philox4x32(counter, key).v[i % 14 % 4] >= 0.4 * 4294967296.0;
        assert_true(want(&f, HONE_DROPOUT_Y)[i] == (keep ? x[i] / (1 - 0.4) : 0));
    }
    cf_case_end(&f);
}

/* ---- accumulation: what was there, plus what would have been written ---- */

static void test_accumulate(void **state) {
    cf_case it[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        begin(&it[i], HONE_OP_LINEAR);
        (void)cf_input(&it[i], HONE_LINEAR_X, cf_shape2(3, 5));
        (void)cf_input(&it[i], HONE_LINEAR_W, cf_shape2(4, 5));
        cf_output(&it[i], HONE_LINEAR_Y, cf_shape2(3, 4), i == 1);
        it[i].params.scale.scale = 2;
        it[i].has_params = true;
        assert_true(cf_expect(&it[i]));
    }
    for (int i = 0; i < 12; i++)
        assert_true(fabs(want(&it[1], HONE_LINEAR_Y)[i] - it[1].operand[HONE_LINEAR_Y].value[i] -
                         want(&it[0], HONE_LINEAR_Y)[i]) < 1e-14);
    cf_case_end(&it[0]);
    cf_case_end(&it[1]);
}

/* ---- AdamW: a step by hand ---- */

static void test_adamw(void **state) {
    cf_case f;

    (void)state;
    begin(&f, HONE_OP_ADAMW);
    cf_in_out(&f, HONE_ADAMW_W, cf_shape1(1))[0] = 2;
    cf_in_out(&f, HONE_ADAMW_M, cf_shape1(1))[0] = 0;
    cf_in_out(&f, HONE_ADAMW_V, cf_shape1(1))[0] = 0;
    cf_input(&f, HONE_ADAMW_GRADIENT, cf_shape1(1))[0] = -8;
    f.params.adamw = (hone_adamw_params){.lr = 0.1,
                                         .beta1 = 0.9,
                                         .beta2 = 0.99,
                                         .epsilon = 0,
                                         .weight_decay = 0.5,
                                         .gradient_scale = 0.5,
                                         .step = 1};
    f.has_params = true;
    assert_true(cf_expect(&f));
    /* The first step is lr against the gradient's sign, whatever its size; decay takes 5 % before. */
    assert_true(fabs(want(&f, HONE_ADAMW_W)[0] - (2 * 0.95 + 0.1)) < 1e-14);
    assert_true(fabs(want(&f, HONE_ADAMW_M)[0] + 0.4) < 1e-14);
    assert_true(fabs(want(&f, HONE_ADAMW_V)[0] - 0.16) < 1e-14);
    cf_case_end(&f);
}

/* ---- conversions: all 16-bit numbers, and what lies between neighbours ---- */

static uint16_t put(int32_t dtype, double value) {
    uint16_t bits = 0;

    oracle_put(dtype, &bits, value);
    return bits;
}

static void check_half(int32_t dtype, uint16_t infinity) {
    for (uint32_t bits = 0; bits < infinity; bits++) {
        const uint16_t low = (uint16_t)bits, high = (uint16_t)(bits + 1);
        const double a = oracle_get(dtype, &low);
        /* Past the largest number, the next one would be as far as the one before. */
        const uint16_t before = (uint16_t)(bits - 1);
        const double b = high < infinity ? oracle_get(dtype, &high) : 2 * a - oracle_get(dtype, &before);
        const double middle = a + (b - a) / 2;
        assert_true(a < b);
        assert_int_equal(put(dtype, a), low);
        assert_int_equal(put(dtype, -a), low | 0x8000);
        assert_int_equal(put(dtype, middle), low % 2 == 0 ? low : high);
        assert_int_equal(put(dtype, nextafter(middle, 0)), low);
        assert_int_equal(put(dtype, nextafter(middle, 1e300)), high);
    }
    assert_int_equal(put(dtype, 1e300), infinity);
    assert_int_equal(put(dtype, -(double)INFINITY), infinity | 0x8000);
    assert_true(put(dtype, (double)NAN) > infinity);
}

static void test_conversions(void **state) {
    const uint16_t one_f16 = 0x3c00, one_bf16 = 0x3f80, least_f16 = 1, least_bf16 = 1;

    (void)state;
    check_half(HONE_F16, 0x7c00);
    check_half(HONE_BF16, 0x7f80);
    assert_true(oracle_get(HONE_F16, &one_f16) == 1);
    assert_true(oracle_get(HONE_BF16, &one_bf16) == 1);
    assert_true(oracle_get(HONE_F16, &least_f16) == 0x1p-24);
    assert_true(oracle_get(HONE_BF16, &least_bf16) == 0x1p-133);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedding), cmocka_unit_test(test_rms_norm),
        cmocka_unit_test(test_linear),    cmocka_unit_test(test_rotary),
        cmocka_unit_test(test_attention), cmocka_unit_test(test_visibility),
        cmocka_unit_test(test_swiglu),    cmocka_unit_test(test_head_logp),
        cmocka_unit_test(test_dropout),   cmocka_unit_test(test_accumulate),
        cmocka_unit_test(test_adamw),     cmocka_unit_test(test_conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
