#include "../bound.h"
#include "../suite.h"

static const int64_t sizes[][2] = {
    {0, 8},  {1, 0},  {1, 1},  {1, 7},   {2, 8},    {3, 9},    {5, 15},   {4, 16},   {7, 17},
    {3, 33}, {2, 64}, {9, 65}, {33, 31}, {17, 128}, {3, 1536}, {130, 40}, {1, 5000},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void bound(cf_case *it) { cf_bound_relative(it, HONE_ADD_Y, cf_epsilon(it)); }

void cf_add(cf_suite *suite) {
    for (int i = 0; i < 4 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], D = sizes[i % SIZES][1];
        const int alias = i % 3;
        cf_case it;
        cf_begin(suite, &it);
        (void)cf_input(&it, HONE_ADD_A, cf_shape2(T, D));
        (void)cf_input(&it, HONE_ADD_B, cf_shape2(T, D));
        cf_output(&it, HONE_ADD_Y, cf_shape2(T, D), false);
        if (alias > 0)
            cf_alias(&it, HONE_ADD_Y, alias == 1 ? HONE_ADD_A : HONE_ADD_B);
        cf_end(suite, &it, bound);
    }
}
