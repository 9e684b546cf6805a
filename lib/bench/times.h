/** Repeated times, summed up. */
#ifndef HN_BENCH_TIMES_H
#define HN_BENCH_TIMES_H

#include <hone/bench.h>

/** Sorts `seconds` and sums it up; count >= 1. */
hone_times hn_times_of(double *seconds, int64_t count);
/** Ranges: 0 or more runs of warm-up, 1 or more that are timed. */
HONE_MUST_USE hone_status hn_bench_check_runs(int64_t warmup, int64_t runs);

#endif
