#include <bench/times.h>
#include <core/status.h>
#include <stdlib.h>

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

hone_times hn_times_of(double *seconds, int64_t count) {
    qsort(seconds, (size_t)count, sizeof *seconds, compare);
    return (hone_times){.median = 0.5 * (seconds[(count - 1) / 2] + seconds[count / 2]),
                        .min = seconds[0],
                        .max = seconds[count - 1],
                        .runs = count};
}

hone_status hn_bench_check_runs(int64_t warmup, int64_t runs) {
    enum { MOST = 1 << 20 };
    if (warmup < 0 || warmup > MOST || runs < 1 || runs > MOST)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "%lld runs of warm-up and %lld timed: it takes 0 to %d, and 1 to as many",
                       (long long)warmup, (long long)runs, MOST);
    return HONE_OK;
}
