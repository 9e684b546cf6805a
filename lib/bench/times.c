#include <bench/times.h>
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
