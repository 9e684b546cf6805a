#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[][2] = {
    /* T, F */
    {0, 8},  {1, 0},  {1, 1},  {1, 7},   {2, 8},    {3, 9},    {5, 15},   {4, 16},   {7, 17},
    {3, 33}, {2, 64}, {9, 65}, {33, 31}, {17, 128}, {3, 1536}, {130, 40}, {1, 5000},
};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Gates of every size: where the sigmoid bends, where it is flat, where exp overflows or vanishes. */
static void set_gates(cf_case *it, double *gate, int64_t count) {
    static const double factors[] = {1, 8, 60, 1e-4};
    static const double hard[] = {0, -0.0, 100, -100, 88.8, -88.8, 104, -104, 1000, -1000};

    cf_multiply(gate, count, factors[it->number % 4]);
    for (int64_t i = 0; it->number % 4 == 2 && i < count; i += 3)
        gate[i] = hard[i / 3 % 10];
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* An exponential, a quotient, two products. Where the sigmoid is below what the type can hold, so is its error. */
static void bound(cf_case *it) {
    const double *gate = it->operand[HONE_SWIGLU_GATE].value;

    cf_bound_relative(it, HONE_SWIGLU_Y, 10 * cf_epsilon(it));
    for (int64_t i = 0; i < cf_count(&it->operand[HONE_SWIGLU_Y].shape); i++) {
        if (gate[i] < -80)
            it->operand[HONE_SWIGLU_Y].bound[i] += 1e-30;
    }
}

void cf_swiglu(cf_suite *suite) {
    for (int i = 0; i < 4 * SIZES; i++) {
        const int64_t T = sizes[i % SIZES][0], F = sizes[i % SIZES][1];
        const int alias = i % 3;
        cf_case it;
        cf_begin(suite, &it);
        set_gates(&it, cf_input(&it, HONE_SWIGLU_GATE, cf_shape2(T, F)), T * F);
        (void)cf_input(&it, HONE_SWIGLU_UP, cf_shape2(T, F));
        cf_output(&it, HONE_SWIGLU_Y, cf_shape2(T, F), false);
        if (alias > 0)
            cf_alias(&it, HONE_SWIGLU_Y, alias == 1 ? HONE_SWIGLU_GATE : HONE_SWIGLU_UP);
        cf_end(suite, &it, bound);
    }
}

/* ---- backward ---- */

/* dgate = dy up s (1 + gate (1 - s)): 1 - s is uncertain by e where s is near 1, which gate multiplies. */
static void backward_bound(cf_case *it) {
    const double *gate = it->operand[HONE_SWIGLU_BACKWARD_GATE].value;
    const double *up = it->operand[HONE_SWIGLU_BACKWARD_UP].value;
    const double *dy = it->operand[HONE_SWIGLU_BACKWARD_DY].value;

    cf_bound_relative(it, HONE_SWIGLU_BACKWARD_DUP, 10 * cf_epsilon(it));
    for (int64_t i = 0; i < cf_count(&it->operand[HONE_SWIGLU_BACKWARD_DY].shape); i++) {
        const double s = sigmoid(gate[i]);
        it->operand[HONE_SWIGLU_BACKWARD_DGATE].bound[i] =
            10 * cf_epsilon(it) * fabs(dy[i] * up[i]) * s * (1 + fabs(gate[i]));
    }
}

static void one_backward(cf_suite *suite, const int64_t size[2], int dgate, int dup) {
    const int64_t T = size[0], F = size[1];
    cf_case it;

    cf_begin(suite, &it);
    set_gates(&it, cf_input(&it, HONE_SWIGLU_BACKWARD_GATE, cf_shape2(T, F)), T * F);
    (void)cf_input(&it, HONE_SWIGLU_BACKWARD_UP, cf_shape2(T, F));
    (void)cf_input(&it, HONE_SWIGLU_BACKWARD_DY, cf_shape2(T, F));
    cf_output(&it, HONE_SWIGLU_BACKWARD_DGATE, cf_shape2(T, F), false);
    cf_output(&it, HONE_SWIGLU_BACKWARD_DUP, cf_shape2(T, F), false);
    if (dgate >= 0)
        cf_alias(&it, HONE_SWIGLU_BACKWARD_DGATE, dgate);
    if (dup >= 0)
        cf_alias(&it, HONE_SWIGLU_BACKWARD_DUP, dup);
    cf_end(suite, &it, backward_bound);
}

void cf_swiglu_backward(cf_suite *suite) {
    int at = 0;

    /* Each in a place of its own (-1), or in that of gate, up or dy (0, 1, 2), not both in the same. */
    for (int round = 0; round < 5; round++) {
        for (int dgate = -1; dgate < 3; dgate++) {
            for (int dup = -1; dup < 3; dup++) {
                if (dgate < 0 || dgate != dup)
                    one_backward(suite, sizes[at++ % SIZES], dgate, dup);
            }
        }
    }
}
