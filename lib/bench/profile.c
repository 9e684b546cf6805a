#include <bench/profile.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)HONE_OP_COUNT <= (int)HONE_PROFILE_ROWS, "a profile has room for every operation");

static int slowest_first(const void *a, const void *b) {
    const double x = ((const hone_profile_row *)a)->seconds, y = ((const hone_profile_row *)b)->seconds;
    return (x < y) - (x > y);
}

void hn_profile_rows(const hn_profile *profile, double seconds, hone_profile *rows) {
    memset(rows, 0, sizeof *rows);
    rows->seconds = seconds;
    for (int o = 0; o < HONE_OP_COUNT; o++)
        if (profile->calls[o] > 0)
            rows->row[rows->rows++] =
                (hone_profile_row){.name = hn_operation_describe((hone_operation)o)->name,
                                   .seconds = profile->seconds[o],
                                   .calls = profile->calls[o],
                                   .flops = profile->flops[o]};
    qsort(rows->row, (size_t)rows->rows, sizeof *rows->row, slowest_first);
}
