#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[] = {0,  1,  2,  3,  7,   8,    9,    15,    16,    17,
                                31, 33, 64, 65, 100, 1000, 4099, 70001, 300000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Positive terms, summed in double whatever the dtype of x; the square of an f32 is exact in double. */
static void bound(cf_case *it) {
    const double n = (double)cf_extent(it, HONE_SUM_SQUARES_X, 0);

    (void)cf_magnitudes(it);
    cf_bound_multiply(it, HONE_SUM_SQUARES_OUT, cf_epsilon_of(HONE_F64) * (8 + 2 * sqrt(n)));
}

void cf_sum_squares(cf_suite *suite) {
    for (int i = 0; i < 4 * SIZES; i++) {
        cf_case it;
        cf_begin(suite, &it);
        const int64_t W = sizes[i % SIZES];
        cf_multiply(cf_input(&it, HONE_SUM_SQUARES_X, cf_shape1(W)), W, i % 3 == 2 ? 1e15 : 1);
        cf_output(&it, HONE_SUM_SQUARES_OUT, cf_shape1(1), i / SIZES % 2 == 1);
        it.operand[HONE_SUM_SQUARES_OUT].dtype = HONE_F64;
        cf_end(suite, &it, bound);
    }
}
