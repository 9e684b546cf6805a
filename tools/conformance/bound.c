#include "bound.h"

#include <math.h>

double cf_epsilon_of(int32_t dtype) {
    switch (dtype) {
    case HONE_F64:
        return 0x1p-52;
    case HONE_F16:
        return 0x1p-10;
    case HONE_BF16:
        return 0x1p-7;
    default:
        return 0x1p-23;
    }
}

double cf_epsilon(const cf_case *it) { return cf_epsilon_of(it->dtype); }

double cf_plain_sum(const cf_case *it, int64_t n) {
    const double summed = it->dtype == HONE_F64 ? 0x1p-52 : 0x1p-23;

    return 4 * cf_epsilon(it) + summed * (4 + 2 * sqrt((double)n));
}

/* Where rounded, both factors of each term to 8 bits, by up to 2^-8 each, and a little for their product. */
double cf_sum(const cf_case *it, int64_t n) {
    return cf_plain_sum(it, n) + (it->rounded ? 1.01 * 0x1p-7 : 0);
}

void cf_bound_multiply(cf_case *it, int operand, double factor) {
    cf_operand *o = &it->operand[operand];

    for (int64_t i = 0; o->present && i < cf_count(&o->shape); i++)
        o->bound[i] *= factor;
}

void cf_bound_relative(cf_case *it, int operand, double relative) {
    cf_operand *o = &it->operand[operand];

    for (int64_t i = 0; o->present && i < cf_count(&o->shape); i++)
        o->bound[i] = relative * fabs(o->want[i]);
}

void cf_bound_accumulate(cf_case *it, int operand) {
    cf_operand *o = &it->operand[operand];

    for (int64_t i = 0; o->present && o->keeps && i < cf_count(&o->shape); i++)
        o->bound[i] += cf_epsilon(it) * (fabs(o->value[i]) + fabs(o->want[i]));
}

double cf_norm(const double *x, int64_t n) {
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

double cf_largest_norm(const double *x, int64_t rows, int64_t n) {
    double largest = 0;

    for (int64_t i = 0; i < rows; i++)
        largest = fmax(largest, cf_norm(x + i * n, n));
    return largest;
}
