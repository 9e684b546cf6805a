#include "../bound.h"
#include "../suite.h"

static const int64_t sizes[][3] = {
    /* T, I, O: nothing and one; a few rows (decoding) */
    {0, 4, 5},
    {3, 0, 5},
    {3, 4, 0},
    {0, 0, 0},
    {1, 1, 1},
    {1, 3, 2},
    {1, 16, 17},
    {1, 65, 130},
    {2, 33, 9},
    {3, 8, 16},
    {4, 31, 33},
    {5, 64, 64},
    {6, 17, 100},
    {7, 128, 15},
    {8, 15, 129},
    {9, 9, 9},
    /* around vector widths and tile edges */
    {15, 16, 17},
    {16, 16, 16},
    {17, 15, 16},
    {31, 32, 33},
    {32, 33, 31},
    {33, 31, 32},
    {48, 64, 47},
    {63, 64, 65},
    {64, 64, 64},
    {65, 65, 63},
    {127, 40, 96},
    {129, 24, 128},
    {96, 129, 97},
    {128, 128, 128},
    /* LoRA: a narrow side */
    {40, 192, 16},
    {40, 16, 192},
    {70, 4, 130},
    {70, 130, 4},
};
enum { SIZES = sizeof sizes / sizeof *sizes };
/* Several tiles each way; naive loops bound how many of these there can be. */
static const int64_t large[][3] = {{70, 576, 1200}, {70, 1200, 576}, {260, 65, 530}, {520, 40, 260},
                                   {5, 700, 700},   {130, 600, 200}, {1, 1500, 600}};
enum { LARGE = sizeof large / sizeof *large };
static const double scales[] = {1, 0.5, -2, 0.37};

static void set_scale(cf_case *it, int index) {
    it->params.scale.scale = scales[index % 4];
    it->has_params = true;
}

/* A sum of I products, times scale, plus bias, plus the old contents. */
static void bound(cf_case *it) {
    (void)cf_magnitudes(it);
    cf_bound_multiply(it, HONE_LINEAR_Y, cf_sum(it, cf_extent(it, HONE_LINEAR_X, 1)));
}

static void one(cf_suite *suite, const int64_t size[3], int variant) {
    const int64_t T = size[0], I = size[1], O = size[2];
    cf_case it;

    cf_begin(suite, &it);
    (void)cf_input(&it, HONE_LINEAR_X, cf_shape2(T, I));
    (void)cf_weights(&it, HONE_LINEAR_W, cf_shape2(O, I));
    if (variant & 1)
        (void)cf_input(&it, HONE_LINEAR_BIAS, cf_shape1(O));
    cf_output(&it, HONE_LINEAR_Y, cf_shape2(T, O), (variant & 2) != 0);
    set_scale(&it, it.number / 3);
    cf_end(suite, &it, bound);
}

void cf_linear(cf_suite *suite) {
    for (int variant = 0; variant < 4; variant++) {
        for (int i = 0; i < SIZES; i++)
            one(suite, sizes[i], variant);
    }
    for (int i = 0; i < LARGE; i++)
        one(suite, large[i], i);
}

/* ---- backward ---- */

/* Sums of O products (dx), T products (dw), T terms (dbias). */
static void backward_bound(cf_case *it) {
    (void)cf_magnitudes(it);
    const int64_t T = cf_extent(it, HONE_LINEAR_BACKWARD_DY, 0),
                  O = cf_extent(it, HONE_LINEAR_BACKWARD_DY, 1);
    cf_bound_multiply(it, HONE_LINEAR_BACKWARD_DX, cf_sum(it, O));
    cf_bound_multiply(it, HONE_LINEAR_BACKWARD_DW, cf_sum(it, T));
    cf_bound_multiply(it, HONE_LINEAR_BACKWARD_DBIAS, cf_sum(it, T));
}

/* dx, dw, dbias: 0 absent, 1 overwritten, 2 added to. x and w are there where they are needed, and sometimes
 * where they are not. */
static void one_backward(cf_suite *suite, const int64_t size[3], int dx, int dw, int dbias) {
    const int64_t T = size[0], I = size[1], O = size[2];
    cf_case it;

    cf_begin(suite, &it);
    if (dw > 0 || it.number % 2 == 0)
        (void)cf_input(&it, HONE_LINEAR_BACKWARD_X, cf_shape2(T, I));
    if (dx > 0 || it.number % 2 == 0)
        (void)cf_weights(&it, HONE_LINEAR_BACKWARD_W, cf_shape2(O, I));
    (void)cf_input(&it, HONE_LINEAR_BACKWARD_DY, cf_shape2(T, O));
    if (dx > 0)
        cf_output(&it, HONE_LINEAR_BACKWARD_DX, cf_shape2(T, I), dx == 2);
    if (dw > 0)
        cf_output(&it, HONE_LINEAR_BACKWARD_DW, cf_shape2(O, I), dw == 2);
    if (dbias > 0)
        cf_output(&it, HONE_LINEAR_BACKWARD_DBIAS, cf_shape1(O), dbias == 2);
    set_scale(&it, it.number / 5);
    cf_end(suite, &it, backward_bound);
}

void cf_linear_backward(cf_suite *suite) {
    for (int combination = 1; combination < 27; combination++) {
        for (int i = combination % 3; i < SIZES; i += 3)
            one_backward(suite, sizes[i], combination % 3, combination / 3 % 3, combination / 9);
    }
    for (int i = 0; i < LARGE; i++)
        one_backward(suite, large[i], 1 + i % 2, 2 - i % 2, 1);
}
