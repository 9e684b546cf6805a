/** A device's profile as rows for people. */
#ifndef HN_BENCH_PROFILE_H
#define HN_BENCH_PROFILE_H

#include <dispatch/profile.h>
#include <hone/bench.h>

/** Rows of the operations that ran, slowest first. */
void hn_profile_rows(const hn_profile *profile, double seconds, hone_profile *rows);

#endif
