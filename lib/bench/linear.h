/** One linear as a recorded program, timed. */
#ifndef HN_BENCH_LINEAR_H
#define HN_BENCH_LINEAR_H

#include <graph/program.h>

/**
 * logp = head(linear(embedding(token))): the embedding and the head (of two tokens, one row) are there so that the
 * program has a backward pass; only the linear is timed. Either the weight or the input wants a derivative.
 */
typedef struct hn_linear_bench hn_linear_bench;
HONE_MUST_USE hone_status hn_linear_bench_create(hone_device *device, int64_t tokens, int64_t inputs,
                                                 int64_t outputs, bool weight, hn_linear_bench **bench);
void hn_linear_bench_destroy(hn_linear_bench *bench);
/** Seconds of the product forward, and of dw or dx. */
HONE_MUST_USE hone_status hn_linear_bench_run(hn_linear_bench *bench, double *forward, double *backward);

#endif
