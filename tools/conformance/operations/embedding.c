#include "../bound.h"
#include "../suite.h"

static const int64_t sizes[][3] = {
    /* T, V, D */
    {0, 5, 8},  {1, 1, 1},  {3, 2, 0},   {5, 3, 7},   {17, 4, 8},   {16, 50, 16}, {33, 9, 31},
    {64, 3, 3}, {7, 11, 1}, {2, 40, 65}, {100, 7, 9}, {130, 1, 33}, {40, 5, 576}, {300, 200, 129},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void tokens(cf_case *it, int operand, int64_t T, int64_t V) {
    double *token = cf_index(it, operand, cf_shape1(T));

    for (int64_t t = 0; t < T; t++)
        token[t] = (double)cf_between(&it->random, 0, V - 1);
}

void cf_embedding(cf_suite *suite) {
    for (int i = 0; i < 3 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], V = sizes[i % SIZES][1], D = sizes[i % SIZES][2];
        cf_case it;
        cf_begin(suite, &it);
        (void)cf_weights(&it, HONE_EMBEDDING_TABLE, cf_shape2(V, D));
        tokens(&it, HONE_EMBEDDING_TOKEN, T, V);
        cf_output(&it, HONE_EMBEDDING_Y, cf_shape2(T, D), false);
        cf_end(suite, &it, NULL); /* a copy: the same bits */
    }
}

/* A sum of as many terms as a token occurs, at most T; the old contents are one more. */
static void backward_bound(cf_case *it) {
    (void)cf_magnitudes(it);
    cf_bound_multiply(it, HONE_EMBEDDING_BACKWARD_DTABLE,
                      cf_sum(it, cf_extent(it, HONE_EMBEDDING_BACKWARD_TOKEN, 0)));
}

void cf_embedding_backward(cf_suite *suite) {
    for (int i = 0; i < 6 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], V = sizes[i % SIZES][1], D = sizes[i % SIZES][2];
        cf_case it;
        cf_begin(suite, &it);
        tokens(&it, HONE_EMBEDDING_BACKWARD_TOKEN, T, V);
        (void)cf_input(&it, HONE_EMBEDDING_BACKWARD_DY, cf_shape2(T, D));
        cf_output(&it, HONE_EMBEDDING_BACKWARD_DTABLE, cf_shape2(V, D), i / SIZES % 2 == 1);
        cf_end(suite, &it, backward_bound);
    }
}
