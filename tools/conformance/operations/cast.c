/* Every pair of floating dtypes: one rounding to nearest even, the bits of the oracle. */
#include "../suite.h"

#include "../oracle/oracle.h"

#include <math.h>

static const int32_t dtypes[] = {HONE_F32, HONE_F64, HONE_F16, HONE_BF16};
static const cf_shape shapes[] = {
    {1, {0, 1, 1, 1}},    {1, {1, 1, 1, 1}},   {1, {7, 1, 1, 1}},   {1, {67, 1, 1, 1}},
    {2, {3, 0, 1, 1}},    {2, {4, 33, 1, 1}},  {2, {65, 16, 1, 1}}, {3, {5, 3, 17, 1}},
    {1, {4099, 1, 1, 1}}, {2, {33, 31, 1, 1}}, {4, {2, 3, 5, 7}},   {2, {16, 64, 1, 1}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A number of `target`, of any exponent, denormals and both infinities included. */
static double any_number(cf_random *random, int32_t target) {
    const uint64_t bits = cf_bits(random);

    return oracle_get(target, &bits);
}

/* A tie between two numbers of `target`, or a little off it: the next number in `source` or beyond. */
static double near_tie(cf_random *random, int32_t target) {
    static const double nudges[] = {0, 0x1p-20, -0x1p-20, 0x1p-40, -0x1p-40, 0x1p-12, -0x1p-12};
    const double number = any_number(random, target);
    uint64_t bits = 0;

    oracle_put(target, &bits, number);
    bits++;
    const double next = oracle_get(target, &bits);
    return (number / 2 + next / 2) * (1 + nudges[cf_between(random, 0, 6)]);
}

static void set_values(cf_case *it, double *x, int64_t count, int32_t target) {
    const double special[] = {
        0,         -0.0,     (double)INFINITY, -(double)INFINITY, (double)NAN,    65504,
        65519.996, 65520,    -65536,           0x1.fep127,        0x1.ffp127,     0x1.fefffep127,
        0x1p128,   0x1p-24,  0x1p-25,          0x1.8p-24,         0x1.000002p-25, 0x1p-14,
        0x1p-126,  0x1p-133, 0x1p-134,         0x1.8p-133,        0x1p-149,       0x1p-150,
        1e300,     1e-300,   1.0 / 3,          0x1.004p0,         0x1.00cp0,      0x1.01p0,
        0x1.03p0};
    const int64_t specials = sizeof special / sizeof *special;

    for (int64_t i = 0; i < count; i++) {
        if (i % 3 == 0)
            x[i] = special[cf_between(&it->random, 0, specials - 1)];
        else if (i % 3 == 1)
            x[i] = near_tie(&it->random, target);
        else
            x[i] = any_number(&it->random, it->operand[HONE_CAST_X].dtype);
    }
}

void cf_cast(cf_suite *suite) {
    for (int i = 0; i < 16 * SHAPES; i++) {
        const cf_shape shape = shapes[i / 16];
        cf_case it;
        cf_begin(suite, &it);
        double *x = cf_input(&it, HONE_CAST_X, shape);
        it.operand[HONE_CAST_X].dtype = dtypes[i % 4];
        cf_output(&it, HONE_CAST_Y, shape, false);
        it.operand[HONE_CAST_Y].dtype = dtypes[i / 4 % 4];
        it.as_stored = true;
        set_values(&it, x, cf_count(&shape), dtypes[i / 4 % 4]);
        cf_end(suite, &it, NULL);
    }
}
