#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[][2] = {
    /* T, D */
    {0, 8},  {1, 1},  {1, 7},  {3, 8},    {5, 15},   {2, 16},   {4, 17},  {7, 31},   {3, 32},   {9, 33},
    {2, 63}, {5, 64}, {3, 65}, {17, 100}, {33, 128}, {65, 129}, {3, 576}, {2, 2049}, {130, 24},
};
enum { SIZES = sizeof sizes / sizeof *sizes };
static const double factors[] = {1, 1e-3, 100, 0}; /* where epsilon matters, where it does not, zeros */
static const double epsilons[] = {1e-5, 1e-6, 0.5};

/* rstd is a root of a sum of positive terms: relative cf_sum(D); y has two roundings more. */
static void bound(cf_case *it) {
    const double relative = cf_sum(it, cf_extent(it, HONE_RMS_NORM_X, 1));

    cf_bound_relative(it, HONE_RMS_NORM_RSTD, relative);
    cf_bound_relative(it, HONE_RMS_NORM_Y, relative + 2 * cf_epsilon(it));
}

void cf_rms_norm(cf_suite *suite) {
    for (int i = 0; i < 4 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], D = sizes[i % SIZES][1];
        cf_case it;
        cf_begin(suite, &it);
        cf_multiply(cf_input(&it, HONE_RMS_NORM_X, cf_shape2(T, D)), T * D, factors[(i + i / SIZES) % 4]);
        (void)cf_input(&it, HONE_RMS_NORM_GAIN, cf_shape1(D));
        cf_output(&it, HONE_RMS_NORM_Y, cf_shape2(T, D), false);
        cf_output(&it, HONE_RMS_NORM_RSTD, cf_shape1(T), false);
        it.params.norm.epsilon = epsilons[i % 3];
        it.has_params = true;
        cf_end(suite, &it, bound);
    }
}

/* ---- backward ---- */

/* dx[t,d] = r (g dy - x r^2 mean): the terms are r |g dy| and |x| r^3 mean |g dy x|, the mean a sum of D. */
static void bound_dx(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_RMS_NORM_BACKWARD_X, 0),
                  D = cf_extent(it, HONE_RMS_NORM_BACKWARD_X, 1);
    const double *x = it->operand[HONE_RMS_NORM_BACKWARD_X].value;
    const double *gain = it->operand[HONE_RMS_NORM_BACKWARD_GAIN].value;
    const double *dy = it->operand[HONE_RMS_NORM_BACKWARD_DY].value;
    double *out = it->operand[HONE_RMS_NORM_BACKWARD_DX].bound;

    for (int64_t t = 0; t < T; t++) {
        const double r = it->operand[HONE_RMS_NORM_BACKWARD_RSTD].value[t];
        double mean = 0;
        for (int64_t d = 0; d < D; d++)
            mean += fabs(gain[d] * dy[t * D + d] * x[t * D + d]) / (double)D;
        for (int64_t d = 0; d < D; d++)
            out[t * D + d] =
                cf_sum(it, D) * r * (fabs(gain[d] * dy[t * D + d]) + fabs(x[t * D + d]) * r * r * mean);
    }
    cf_bound_accumulate(it, HONE_RMS_NORM_BACKWARD_DX);
}

/* dgain[d] is a sum of T terms. */
static void bound_dgain(cf_case *it) {
    const int64_t T = cf_extent(it, HONE_RMS_NORM_BACKWARD_X, 0),
                  D = cf_extent(it, HONE_RMS_NORM_BACKWARD_X, 1);
    double *out = it->operand[HONE_RMS_NORM_BACKWARD_DGAIN].bound;

    for (int64_t t = 0; t < T; t++) {
        for (int64_t d = 0; d < D; d++)
            out[d] += cf_sum(it, T) * fabs(it->operand[HONE_RMS_NORM_BACKWARD_DY].value[t * D + d] *
                                           it->operand[HONE_RMS_NORM_BACKWARD_X].value[t * D + d] *
                                           it->operand[HONE_RMS_NORM_BACKWARD_RSTD].value[t]);
    }
    cf_bound_accumulate(it, HONE_RMS_NORM_BACKWARD_DGAIN);
}

static void backward_bound(cf_case *it) {
    if (it->operand[HONE_RMS_NORM_BACKWARD_DX].present)
        bound_dx(it);
    if (it->operand[HONE_RMS_NORM_BACKWARD_DGAIN].present)
        bound_dgain(it);
}

static void backward_inputs(cf_case *it, int64_t T, int64_t D) {
    const double *x = cf_input(it, HONE_RMS_NORM_BACKWARD_X, cf_shape2(T, D));

    (void)cf_input(it, HONE_RMS_NORM_BACKWARD_GAIN, cf_shape1(D));
    double *rstd = cf_input(it, HONE_RMS_NORM_BACKWARD_RSTD, cf_shape1(T));
    for (int64_t t = 0; t < T; t++) {
        const double norm = cf_norm(x + t * D, D);
        rstd[t] = 1 / sqrt(norm * norm / (double)D + 1e-5);
    }
    (void)cf_input(it, HONE_RMS_NORM_BACKWARD_DY, cf_shape2(T, D));
}

void cf_rms_norm_backward(cf_suite *suite) {
    /* Each of dx and dgain absent, overwritten, added to. */
    for (int i = 0; i < 9 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], D = sizes[i % SIZES][1];
        const int dx = i / SIZES % 3, dgain = i / SIZES / 3;
        cf_case it;
        cf_begin(suite, &it);
        backward_inputs(&it, T, D);
        if (dx > 0)
            cf_output(&it, HONE_RMS_NORM_BACKWARD_DX, cf_shape2(T, D), dx == 2);
        if (dgain > 0)
            cf_output(&it, HONE_RMS_NORM_BACKWARD_DGAIN, cf_shape1(D), dgain == 2);
        cf_end(suite, &it, backward_bound);
    }
}
