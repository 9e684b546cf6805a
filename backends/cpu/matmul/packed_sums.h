/** A block of c from sums in registers. The including file gives LANES, vec and vec_*, and NR by packed_copy.h. */
#ifndef HN_CPU_MATMUL_PACKED_SUMS_H
#define HN_CPU_MATMUL_PACKED_SUMS_H

#include "packed_copy.h"

/** A block of c. */
typedef struct sums {
    float *c;
    int64_t ldc, columns;
    float alpha;
    bool add;
} sums;

ALWAYS void store_row(const sums *to, float *c, vec low, vec high) {
    vec alpha = vec_set(to->alpha);
    int n = (int)(to->columns < LANES ? to->columns : LANES), m = (int)to->columns - LANES;
    if (to->columns >= NR) {
        vec_store(c, vec_fma(alpha, low, to->add ? vec_load(c) : vec_zero()));
        vec_store(c + LANES, vec_fma(alpha, high, to->add ? vec_load(c + LANES) : vec_zero()));
        return;
    }
    vec_store_part(c, vec_fma(alpha, low, to->add ? vec_load_part(c, n) : vec_zero()), n);
    if (m > 0) {
        c += LANES;
        vec_store_part(c, vec_fma(alpha, high, to->add ? vec_load_part(c, m) : vec_zero()), m);
    }
}

#endif
