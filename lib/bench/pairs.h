/** Pairs of random tokens with exact lengths. */
#ifndef HN_BENCH_PAIRS_H
#define HN_BENCH_PAIRS_H

#include <hone/bench.h>
#include <train/examples.h>

/**
 * A prompt x of P tokens, completions w and l of C, an instruction of k, all random, the instruction the same for all
 * pairs. A shown draft is its completion without the last token (the end of sequence): a|b is a after x, b, instruction.
 */
HONE_MUST_USE hone_status hn_pairs_create(const hone_bench_step_options *options, int64_t vocabulary,
                                          hn_examples *examples);

#endif
