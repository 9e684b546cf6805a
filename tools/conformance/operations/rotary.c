#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[][3] = {
    /* T, H, N */
    {0, 2, 8},  {1, 1, 2},  {3, 0, 8},   {2, 3, 4},  {5, 2, 6},  {4, 3, 16},   {7, 1, 18},  {3, 5, 30},
    {9, 3, 32}, {2, 2, 34}, {17, 9, 64}, {3, 4, 66}, {6, 2, 80}, {33, 3, 128}, {2, 1, 256}, {65, 2, 24},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Two products; the angle, itself rounded, is uncertain by e |angle|, and so are its sine and cosine. */
static void bound(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_ROTARY_X, 0), H = cf_extent(it, HONE_ROTARY_X, 1);
    const int64_t N = cf_extent(it, HONE_ROTARY_X, 2);
    const double *x = it->operand[HONE_ROTARY_X].value;
    double *out = it->operand[HONE_ROTARY_Y].bound;

    for (int64_t i = 0; i < T * H * (N / 2); i++) {
        const int64_t j = i % (N / 2), row = i / (N / 2);
        const double angle =
            it->operand[HONE_ROTARY_POSITION].value[row / H] * it->operand[HONE_ROTARY_FREQUENCY].value[j];
        const double size =
            fabs(it->params.rotary.scale) * (fabs(x[row * N + j]) + fabs(x[row * N + j + N / 2]));
        out[row * N + j] = out[row * N + j + N / 2] = cf_epsilon(it) * (8 + 2 * fabs(angle)) * size;
    }
    cf_bound_accumulate(it, HONE_ROTARY_Y);
}

static void one(cf_suite *suite, const int64_t size[3], bool accumulate, bool alias) {
    const int64_t T = size[0], H = size[1], N = size[2];
    cf_case it;

    cf_begin(suite, &it);
    (void)cf_input(&it, HONE_ROTARY_X, cf_shape3(T, H, N));
    double *position = cf_index(&it, HONE_ROTARY_POSITION, cf_shape1(T));
    const int64_t furthest = it.number % 5 == 0 ? 100000 : 2000;
    for (int64_t t = 0; t < T; t++)
        position[t] = t % 7 == 3 ? 0 : (double)cf_between(&it.random, 0, furthest);
    double *frequency = cf_input(&it, HONE_ROTARY_FREQUENCY, cf_shape1(N / 2));
    for (int64_t j = 0; j < N / 2; j++)
        frequency[j] = pow(it.number % 2 == 0 ? 1e4 : 1e5, -2 * (double)j / (double)N);
    cf_output(&it, HONE_ROTARY_Y, cf_shape3(T, H, N), accumulate);
    if (alias)
        cf_alias(&it, HONE_ROTARY_Y, HONE_ROTARY_X);
    it.params.rotary =
        (hone_rotary_params){.scale = it.number % 3 == 0 ? 0.7 : 1, .inverse = it.number / 2 % 2};
    it.has_params = true;
    cf_end(suite, &it, bound);
}

void cf_rotary(cf_suite *suite) {
    for (int i = 0; i < 2 * SIZES; i++) {
        one(suite, sizes[i % SIZES], false, false);
        one(suite, sizes[i % SIZES], true, false);
        one(suite, sizes[i % SIZES], false, true);
    }
}
