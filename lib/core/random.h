/**
 * Counter-based random numbers (Philox4x32-10, Salmon et al. 2011, through Random123).
 *
 * A number is a pure function of (seed, purpose, step, index): nothing is carried from one draw to
 * the next, so a resumed run draws the same numbers, and so does any number of threads.
 */
#ifndef HN_CORE_RANDOM_H
#define HN_CORE_RANDOM_H

#include <stdint.h>

/** What a stream of numbers is for; the values are part of the reproducible format: append only. */
typedef enum hn_purpose {
    HN_PURPOSE_WEIGHTS = 1,
    HN_PURPOSE_SHUFFLE,
    HN_PURPOSE_DROPOUT,
    HN_PURPOSE_SAMPLE,
    HN_PURPOSE_BANDIT,
    HN_PURPOSE_DATA,
    HN_PURPOSE_TEST,
    HN_PURPOSE_BOOTSTRAP,
    HN_PURPOSE_PAIRS,
    HN_PURPOSE_LABELS,
    HN_PURPOSE_SPLIT,
    HN_PURPOSE_MIXTURE
} hn_purpose;

/** Four words from key (seed) and counter (index low, index high, step, purpose). */
void hn_random4(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index, uint32_t out[4]);
/** 64 random bits: words 0 (low) and 1. */
uint64_t hn_random_u64(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index);
/** Uniform in [0, 1), 53 bits. */
double hn_random_uniform(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index);
/** Standard normal (Box-Muller of two uniforms). */
double hn_random_normal(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index);
/** Uniform in [0, bound), bound > 0, by multiplication of 64 bits (bias below 2^-32 for bound < 2^32). */
uint64_t hn_random_below(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index, uint64_t bound);
/** The permutation of 0..count-1 for (seed, purpose, step): Fisher-Yates. */
void hn_random_shuffle(uint64_t seed, hn_purpose purpose, uint32_t step, int64_t *order, int64_t count);

#endif
