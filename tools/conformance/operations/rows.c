/* Copies of rows: what comes out has the bits of what went in. */
#include "../suite.h"

static const int64_t sizes[][3] = {
    /* rows of the large side, rows of the small side, D */
    {5, 0, 4},    {1, 1, 1},    {4, 3, 0},   {3, 3, 7},      {9, 5, 8},     {20, 11, 16},
    {20, 17, 31}, {40, 33, 65}, {6, 2, 576}, {300, 129, 24}, {64, 64, 192},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

void cf_gather_rows(cf_suite *suite) {
    for (int i = 0; i < 8 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], D = sizes[i % SIZES][2];
        const int64_t U = sizes[i % SIZES][1] * (i % 3 + 1); /* more rows out than in, too: they repeat */
        cf_case it;
        cf_begin(suite, &it);
        (void)cf_input(&it, HONE_GATHER_ROWS_X, cf_shape2(T, D));
        double *row = cf_index(&it, HONE_GATHER_ROWS_ROW, cf_shape1(U));
        for (int64_t u = 0; u < U; u++)
            row[u] = (double)cf_between(&it.random, 0, T - 1);
        cf_output(&it, HONE_GATHER_ROWS_Y, cf_shape2(U, D), false);
        cf_end(suite, &it, NULL);
    }
}

/* Rows that nothing was scattered to keep their bits. */
static void scatter_bound(cf_case *it) {
    cf_operand *y = &it->operand[HONE_SCATTER_ROWS_Y];
    const cf_operand *row = &it->operand[HONE_SCATTER_ROWS_ROW];
    const int64_t D = cf_width(&y->shape);

    for (int64_t i = 0; i < cf_count(&y->shape); i++)
        y->bound[i] = CF_UNTOUCHED;
    for (int64_t i = 0; i < cf_count(&row->shape) * D; i++)
        y->bound[(int64_t)row->value[i / D] * D + i % D] = CF_SAME;
}

void cf_scatter_rows(cf_suite *suite) {
    for (int i = 0; i < 8 * SIZES; i++) {
        const int64_t C = sizes[i % SIZES][0], T = sizes[i % SIZES][1], D = sizes[i % SIZES][2];
        cf_case it;
        cf_begin(suite, &it);
        (void)cf_input(&it, HONE_SCATTER_ROWS_X, cf_shape2(T, D));
        double *row = cf_index(&it, HONE_SCATTER_ROWS_ROW, cf_shape1(T));
        const int64_t start = cf_between(&it.random, 0, C - 1);
        for (int64_t t = 0; t < T; t++) /* different rows, in no order */
            row[t] = (double)(i % 2 == 0 ? (start + t) % C : (start + C - t) % C);
        (void)cf_in_out(&it, HONE_SCATTER_ROWS_Y, cf_shape2(C, D));
        cf_end(suite, &it, scatter_bound);
    }
}
