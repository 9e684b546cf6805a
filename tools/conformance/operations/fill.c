#include "../suite.h"

#include <math.h>

static const cf_shape shapes[] = {
    {1, {0, 1, 1, 1}}, {1, {1, 1, 1, 1}}, {1, {7, 1, 1, 1}},    {1, {33, 1, 1, 1}},
    {2, {0, 5, 1, 1}}, {2, {3, 0, 1, 1}}, {2, {3, 17, 1, 1}},   {2, {65, 16, 1, 1}},
    {3, {5, 3, 8, 1}}, {4, {2, 3, 5, 7}}, {1, {5001, 1, 1, 1}},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };
static const int32_t dtypes[] = {HONE_F32, HONE_F64, HONE_F16, HONE_BF16};

void cf_fill(cf_suite *suite) {
    const double values[] = {0,     1.5,   -0.0,  0.1,  (double)INFINITY, -1e-8, (double)NAN,
                             65504, 65520, 1e300, 3e-45};
    const int count = sizeof values / sizeof *values;

    for (int i = 0; i < 4 * SHAPES * count; i++) {
        cf_case it;
        cf_begin(suite, &it);
        cf_output(&it, HONE_FILL_Y, shapes[i / 4 % SHAPES], false);
        it.operand[HONE_FILL_Y].dtype = dtypes[i % 4];
        it.params.fill.value = values[i / 4 / SHAPES];
        it.has_params = true;
        it.as_stored = true;
        cf_end(suite, &it, NULL);
    }
}
