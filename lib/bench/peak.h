/** Multiply-adds on registers alone, by instruction set. */
#ifndef HN_BENCH_PEAK_H
#define HN_BENCH_PEAK_H

#include <hone/status.h>
#include <stdbool.h>
#include <stdint.h>

/** `rounds` rounds of independent multiply-adds on registers; the sum, so that none can be left out. */
typedef float hn_peak_function(int64_t rounds);

typedef struct hn_peak_kernel {
    const char *isa;
    bool bf16;
    bool (*available)(void);
    hn_peak_function *run;
    double flops; /**< of a round */
} hn_peak_kernel;

/** Best first, "scalar" last; NULL past the last. */
const hn_peak_kernel *hn_peak_kernel_at(int i);

#endif
