/** Repeated times, summed up. */
#ifndef HN_BENCH_TIMES_H
#define HN_BENCH_TIMES_H

#include <hone/bench.h>

/** Sorts `seconds` and sums it up; count >= 1. */
hone_times hn_times_of(double *seconds, int64_t count);

#endif
