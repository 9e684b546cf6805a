/* Time by operation, in reports and for people. */
#include "bench.h"

#include <stdio.h>

json_t *bench_operations(const hone_profile *profile, double peak) {
    json_t *list = json_array();

    for (int64_t i = 0; i < profile->rows; i++) {
        const hone_profile_row *row = &profile->row[i];
        const double rate = row->seconds > 0.0 ? row->flops / row->seconds : 0.0;
        json_array_append_new(list, json_pack("{s:s,s:f,s:f,s:I,s:f,s:f,s:o}", "name", row->name, "seconds",
                                              row->seconds, "share", row->seconds / profile->seconds, "calls",
                                              (json_int_t)row->calls, "flops", row->flops, "flops_per_s",
                                              rate, "share_of_peak", bench_share(rate, peak)));
    }
    return list;
}

double bench_host_seconds(const hone_profile *profile) {
    double seconds = profile->seconds;
    for (int64_t i = 0; i < profile->rows; i++)
        seconds -= profile->row[i].seconds;
    return seconds;
}

const char *bench_text(const json_t *object, const char *key) {
    const char *value = json_string_value(json_object_get(object, key));
    return value != NULL ? value : "";
}

void bench_print_operations(const json_t *report) {
    const double all = bench_number(report, "profiled_seconds"), host = bench_number(report, "host_seconds");
    size_t i = 0;
    json_t *row = NULL;

    (void)printf("\n%-22s %9s %7s %6s %9s %8s\n", "operation", "seconds", "share", "calls", "GFLOP/s",
                 "of peak");
    json_array_foreach(json_object_get(report, "operations"), i, row) {
        (void)printf("%-22s %9.4f %5.1f %% %6.0f", bench_text(row, "name"), bench_number(row, "seconds"),
                     100.0 * bench_number(row, "share"), bench_number(row, "calls"));
        if (bench_number(row, "flops") > 0.0)
            (void)printf(" %9.1f", bench_number(row, "flops_per_s") / 1e9);
        if (bench_number(row, "flops") > 0.0 && json_is_number(json_object_get(row, "share_of_peak")))
            (void)printf(" %6.1f %%", 100.0 * bench_number(row, "share_of_peak"));
        (void)putchar('\n');
    }
    (void)printf("%-22s %9.4f %5.1f %%\n", "host", host, 100.0 * host / all);
}
