/* Tensor values and the conversions between element types. */
#include <core/random.h>
#include <tensor/tensor.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint64_t span(const hone_tensor *tensor) {
    uint64_t bytes = 12345;
    assert_true(hn_tensor_span(tensor, &bytes));
    return bytes;
}

static void test_shapes(void **state) {
    (void)state;
    hone_tensor x = hn_tensor_3(7, 256, HONE_F32, 5, 2, 3);
    const int64_t flat[1] = {30};

    assert_int_equal(hn_tensor_elements(&x), 30);
    assert_int_equal(hn_tensor_row_elements(&x), 6);
    assert_int_equal(x.row_stride, 6);
    assert_int_equal(x.extent[3], 1);
    assert_int_equal(span(&x), 120);
    assert_true(hn_tensor_contiguous(&x));
    x = hn_tensor_shape(x, 1, flat);
    assert_int_equal(x.rank, 1);
    assert_int_equal(x.extent[1], 1);
    assert_int_equal(x.row_stride, 1);
    x = hn_tensor_absent();
    assert_false(hn_tensor_present(&x));
}

static void test_strides(void **state) {
    (void)state;
    hone_tensor x = hn_tensor_2(7, 0, HONE_BF16, 4, 3);
    x.row_stride = 10;
    assert_int_equal(span(&x), 66);
    assert_false(hn_tensor_contiguous(&x));
    const hone_tensor row = hn_tensor_rows(x, 2, 1), none = hn_tensor_rows(x, 4, 0);
    assert_int_equal(row.offset, 40);
    assert_int_equal(span(&row), 6);
    assert_true(hn_tensor_contiguous(&row));
    assert_int_equal(span(&none), 0);
}

static void test_overflow(void **state) {
    (void)state;
    uint64_t bytes = 0;
    hone_tensor x = hn_tensor_2(7, 0, HONE_F64, INT64_MAX / 2, 3);
    assert_false(hn_tensor_span(&x, &bytes));
    x = hn_tensor_2(7, 0, HONE_F64, INT64_MAX / 2, 1);
    assert_false(hn_tensor_span(&x, &bytes));
    x = hn_tensor_3(7, 0, HONE_F32, 1, INT64_MAX / 2, 4);
    assert_false(hn_tensor_span(&x, &bytes));
    assert_true(hn_align(1, &bytes));
    assert_int_equal(bytes, HONE_BUFFER_ALIGNMENT);
    assert_true(hn_align(0, &bytes));
    assert_int_equal(bytes, 0);
    assert_false(hn_align(UINT64_MAX - 1, &bytes));
}

static void test_describe(void **state) {
    (void)state;
    char text[64], small[6];
    const hone_tensor x = hn_tensor_2(7, 0, HONE_F32, 576, 64);
    hn_tensor_describe(&x, text, sizeof text);
    assert_string_equal(text, "f32[576,64]");
    hn_tensor_describe(&x, small, sizeof small);
    assert_string_equal(small, "f32[5");
}

static void test_same_place(void **state) {
    (void)state;
    const hone_tensor x = hn_tensor_2(7, 0, HONE_F32, 4, 3);
    hone_tensor y = x;
    assert_true(hn_tensor_same_place(&x, &y));
    y.row_stride = 4;
    assert_false(hn_tensor_same_place(&x, &y));
    y = x;
    y.extent[0] = 3;
    assert_false(hn_tensor_same_place(&x, &y));
    y = x;
    y.offset = 4;
    assert_false(hn_tensor_same_place(&x, &y));
}

/* Every 16-bit number to float32 and back, and its value through ldexp. */
static double value_of(hone_dtype dtype, uint16_t bits) {
    const int mantissa_bits = dtype == HONE_F16 ? 10 : 7, exponent_bits = 15 - mantissa_bits;
    const int bias = (1 << (exponent_bits - 1)) - 1,
              exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
    const int mantissa = bits & ((1 << mantissa_bits) - 1);
    double magnitude = exponent == 0
                           ? ldexp(mantissa, 1 - bias - mantissa_bits)
                           : ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
    if (exponent == (1 << exponent_bits) - 1)
        magnitude = mantissa == 0 ? INFINITY : NAN;
    return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

static void exhaust(hone_dtype dtype) {
    for (unsigned i = 0; i < 65536; i++) {
        const uint16_t bits = (uint16_t)i;
        float narrow = 0;
        double wide = 0;
        uint16_t back = 0;
        assert_int_equal(hn_convert(dtype, &bits, HONE_F32, &narrow, 1), HONE_OK);
        assert_int_equal(hn_convert(dtype, &bits, HONE_F64, &wide, 1), HONE_OK);
        const double value = value_of(dtype, bits);
        if (isnan(value)) {
            assert_true(isnan(narrow) && isnan(wide));
            assert_int_equal(hn_convert(HONE_F32, &narrow, dtype, &back, 1), HONE_OK);
            assert_true(isnan(value_of(dtype, back)));
            continue;
        }
        assert_true((double)narrow == value && wide == value && !signbit(narrow) == !signbit(value));
        assert_int_equal(hn_convert(HONE_F32, &narrow, dtype, &back, 1), HONE_OK);
        assert_int_equal(back, bits);
        assert_int_equal(hn_convert(HONE_F64, &wide, dtype, &back, 1), HONE_OK);
        assert_int_equal(back, bits);
    }
}

static void test_every_16_bit_number(void **state) {
    (void)state;
    exhaust(HONE_F16);
    exhaust(HONE_BF16);
}

/* Halfway between neighbours, and just off it, by less than float32 can say: the even one, the nearer one. */
static void halves(hone_dtype dtype, unsigned infinity) {
    for (unsigned i = 0; i + 1 < infinity; i++) {
        const double low = value_of(dtype, (uint16_t)i), high = value_of(dtype, (uint16_t)(i + 1));
        const double middle = low + (high - low) / 2, off = (high - low) * 0x1p-30;
        const double given[3] = {middle, middle + off, middle - off};
        const unsigned expected[3] = {i + (i & 1u), i + 1, i};
        for (int k = 0; k < 3; k++) {
            const double negative = -given[k];
            uint16_t bits = 0;
            assert_int_equal(hn_convert(HONE_F64, &given[k], dtype, &bits, 1), HONE_OK);
            assert_int_equal(bits, expected[k]);
            assert_int_equal(hn_convert(HONE_F64, &negative, dtype, &bits, 1), HONE_OK);
            assert_int_equal(bits, expected[k] | 0x8000u);
        }
        const float tie = (float)middle;
        uint16_t bits = 0;
        if ((double)tie != middle)
            continue;
        assert_int_equal(hn_convert(HONE_F32, &tie, dtype, &bits, 1), HONE_OK);
        assert_int_equal(bits, expected[0]);
    }
}

static void test_rounding(void **state) {
    (void)state;
    halves(HONE_F16, 0x7c00);
    halves(HONE_BF16, 0x7f80);
}

static void test_extremes(void **state) {
    (void)state;
    static const struct {
        double value;
        unsigned f16, bf16;
    } rows[] = {{65519.0, 0x7bff, 0x4780},
                {65520.0, 0x7c00, 0x4780},
                {1e300, 0x7c00, 0x7f80},
                {-1e300, 0xfc00, 0xff80},
                {0.0, 0, 0},
                {-0.0, 0x8000, 0x8000},
                {1e-300, 0, 0},
                {0x1p-25, 0, 0x3300},
                {0x1.00001p-25, 1, 0x3300},
                {INFINITY, 0x7c00, 0x7f80},
                {-INFINITY, 0xfc00, 0xff80}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint16_t f16 = 0, bf16 = 0;
        assert_int_equal(hn_convert(HONE_F64, &rows[i].value, HONE_F16, &f16, 1), HONE_OK);
        assert_int_equal(hn_convert(HONE_F64, &rows[i].value, HONE_BF16, &bf16, 1), HONE_OK);
        assert_int_equal(f16, rows[i].f16);
        assert_int_equal(bf16, rows[i].bf16);
    }
}

static void test_refusals(void **state) {
    (void)state;
    int32_t i = 1;
    float f = 0;
    assert_int_equal(hn_convert(HONE_I32, &i, HONE_F32, &f, 1), HONE_ERROR_UNSUPPORTED);
    assert_int_equal(hn_convert(HONE_F32, &f, HONE_U8, &i, 1), HONE_ERROR_UNSUPPORTED);
    assert_non_null(strstr(hone_message(), "f32 to u8"));
    assert_int_equal(hn_convert(HONE_F32, NULL, HONE_BF16, NULL, 0), HONE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),     cmocka_unit_test(test_strides),
        cmocka_unit_test(test_overflow),   cmocka_unit_test(test_describe),
        cmocka_unit_test(test_same_place), cmocka_unit_test(test_every_16_bit_number),
        cmocka_unit_test(test_rounding),   cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
