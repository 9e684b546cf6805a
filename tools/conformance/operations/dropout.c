#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[][2] = {
    {0, 8},  {1, 0},  {1, 1},  {1, 7},   {2, 8},    {3, 9},   {5, 15},   {4, 16},   {7, 17},
    {3, 33}, {2, 64}, {9, 65}, {33, 31}, {17, 128}, {3, 577}, {130, 41}, {2, 4001},
};
enum { SIZES = sizeof sizes / sizeof *sizes };
static const double probabilities[] = {0.1, 0.5, 0, 0.05, 0.999};

/* 1 / (1 - p), rounded, times x. A dropped element is 0, or what it was: its bound is 0. */
static void bound(cf_case *it) {
    cf_bound_relative(it, HONE_DROPOUT_Y, 2 * cf_epsilon(it));
    const cf_operand *y = &it->operand[HONE_DROPOUT_Y];
    for (int64_t i = 0; y->keeps && i < cf_count(&y->shape); i++) {
        if (y->want[i] != y->value[i])
            y->bound[i] += 2 * cf_epsilon(it) * (fabs(y->value[i]) + fabs(y->want[i] - y->value[i]));
        else
            y->bound[i] = 0;
    }
}

void cf_dropout(cf_suite *suite) {
    for (int i = 0; i < 6 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], D = sizes[i % SIZES][1];
        cf_case it;
        cf_begin(suite, &it);
        (void)cf_input(&it, HONE_DROPOUT_X, cf_shape2(T, D));
        cf_output(&it, HONE_DROPOUT_Y, cf_shape2(T, D), i / SIZES % 3 == 1);
        if (i / SIZES % 3 == 2)
            cf_alias(&it, HONE_DROPOUT_Y, HONE_DROPOUT_X);
        it.params.dropout = (hone_dropout_params){.probability = probabilities[i % 5],
                                                  .seed = cf_bits(&it.random),
                                                  .step = (uint32_t)cf_bits(&it.random),
                                                  .stream = (uint32_t)cf_bits(&it.random)};
        it.has_params = true;
        cf_end(suite, &it, bound);
    }
}
