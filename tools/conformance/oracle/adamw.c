#include "oracle.h"

#include <math.h>

void oracle_adamw(const oracle_call *call) {
    const hone_adamw_params *p = call->params;
    const int64_t count = oracle_extent(call, HONE_ADAMW_W, 0);
    const double correction1 = 1 - pow(p->beta1, (double)p->step);
    const double correction2 = 1 - pow(p->beta2, (double)p->step);
    double *w = call->value[HONE_ADAMW_W];
    double *m = call->value[HONE_ADAMW_M];
    double *v = call->value[HONE_ADAMW_V];

    for (int64_t i = 0; i < count; i++) {
        const double g = p->gradient_scale * call->value[HONE_ADAMW_GRADIENT][i];
        w[i] = w[i] * (1 - p->lr * p->weight_decay);
        m[i] = p->beta1 * m[i] + (1 - p->beta1) * g;
        v[i] = p->beta2 * v[i] + (1 - p->beta2) * g * g;
        w[i] = w[i] - p->lr * (m[i] / correction1) / (sqrt(v[i] / correction2) + p->epsilon);
    }
}
