#include "../bound.h"
#include "../suite.h"

#include <math.h>

static const int64_t sizes[] = {0, 1, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 1000, 4099, 70001};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* m and v are sums of two products. The step is lr m' / (sqrt(v') + epsilon): m' may cancel, so its error counts
 * as a part of what was added; the rest of the quotient is relative. */
static void bound(cf_case *it) {
    const hone_adamw_params *p = &it->params.adamw;
    const double correction1 = 1 - pow(p->beta1, (double)p->step),
                 correction2 = 1 - pow(p->beta2, (double)p->step);
    const double e = cf_epsilon(it);

    for (int64_t i = 0; i < cf_extent(it, HONE_ADAMW_W, 0); i++) {
        const double g = p->gradient_scale * it->operand[HONE_ADAMW_GRADIENT].value[i];
        const double m = fabs(p->beta1 * it->operand[HONE_ADAMW_M].value[i]) + fabs((1 - p->beta1) * g);
        const double v = it->operand[HONE_ADAMW_V].want[i];
        const double step = p->lr * m / correction1 / (sqrt(v / correction2) + p->epsilon);
        it->operand[HONE_ADAMW_M].bound[i] = 4 * e * m;
        it->operand[HONE_ADAMW_V].bound[i] = 5 * e * v;
        it->operand[HONE_ADAMW_W].bound[i] = 3 * e * fabs(it->operand[HONE_ADAMW_W].value[i]) + 12 * e * step;
    }
}

static hone_adamw_params params(int number) {
    static const int64_t steps[] = {1, 2, 10, 1000, 100000};
    static const hone_adamw_params variants[] = {
        {1e-3, 0.9, 0.999, 1e-8, 0.01, 1, 0},
        {1e-5, 0.9, 0.95, 1e-8, 0, 0.25, 0},
        {0.1, 0.8, 0.99, 1e-4, 0.1, 3e-3, 0},
        {5e-7, 0, 0.999, 1e-6, 0.1, 1, 0},
    };
    hone_adamw_params chosen = variants[number % 4];

    chosen.step = steps[number % 5];
    return chosen;
}

void cf_adamw(cf_suite *suite) {
    for (int i = 0; i < 5 * SIZES; i++) {
        const int64_t W = sizes[i % SIZES];
        cf_case it;
        cf_begin(suite, &it);
        it.params.adamw = params(it.number);
        it.has_params = true;
        const bool first = it.params.adamw.step == 1;
        (void)cf_in_out(&it, HONE_ADAMW_W, cf_shape1(W));
        cf_multiply(cf_in_out(&it, HONE_ADAMW_M, cf_shape1(W)), W, first ? 0 : 0.1);
        double *v = cf_in_out(&it, HONE_ADAMW_V, cf_shape1(W));
        double *gradient = cf_input(&it, HONE_ADAMW_GRADIENT, cf_shape1(W));
        for (int64_t j = 0; j < W; j++) {
            v[j] = first ? 0 : v[j] * v[j] * 0.01;
            gradient[j] *= j % 11 == 5 ? 0 : pow(10, (double)(j % 5) - 3);
        }
        cf_end(suite, &it, bound);
    }
}
