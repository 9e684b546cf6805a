/** The cases of every operation, on every target. */
#ifndef CF_SUITE_H
#define CF_SUITE_H

#include "check.h"

enum { CF_MOST_TARGETS = 32, CF_MOST_REQUESTS = 512 };

/** What a device wanted as a workspace, for which extents. */
typedef struct cf_request {
    cf_shape shape[HONE_MAX_OPERANDS];
    uint32_t present, accumulate;
    size_t bytes;
} cf_request;

typedef struct cf_requests {
    cf_request request[CF_MOST_REQUESTS];
    int count;
} cf_requests;

/** A device as it is tested: opened with one host thread and with several. */
typedef struct cf_target {
    char device[64], isa[32]; /**< "cpu:0", "avx2"; isa "" where the device has no such levels */
    char detail[160];
    uint32_t dtypes;        /**< in which it computes */
    uint32_t weight_dtypes; /**< in which weights may be stored beside f32 */
    bool rounded;           /**< opened with products=bf16 */
    bool must_be_complete;  /**< built in: an operation that it lacks is a failure */
    cf_device one, many;
    cf_requests *requests; /**< of the operation that is running */
} cf_target;

typedef struct cf_tally {
    int64_t passed, failed;
    int64_t quiet; /**< failures that were not printed */
    double worst;  /**< of the passed ones */
    int worst_case;
} cf_tally;

typedef struct cf_suite {
    uint64_t seed;
    int only_case; /**< -1: all */
    bool json;
    cf_target *target[CF_MOST_TARGETS];
    int targets;
    int64_t passed, failed;
    /* of the operation that is running */
    hone_operation operation;
    int32_t dtype, storage;
    bool rounded;
    int number;
    cf_tally tally[CF_MOST_TARGETS];
} cf_suite;

/** Fills `bound` of the outputs; `value` and `want` are there. */
typedef void (*cf_bound)(cf_case *it);

/** Runs all cases of one operation and reports a line per target and dtype. */
void cf_suite_run(cf_suite *suite, hone_operation operation);

/** Random buffers and copies against plain memory; how many cases there are. */
int cf_copies_cases(void);
void cf_copies(cf_device *device, uint64_t seed, int number, cf_verdict *verdict);

/** A workspace never gets smaller when an extent gets larger: compares with the requests before. */
void cf_check_request(cf_target *target, const cf_case *it, cf_verdict *verdict);

/** For the files in operations/: begins the next case ... */
void cf_begin(cf_suite *suite, cf_case *it);
/** ... and ends it: expects, runs, reports, frees. `bound` NULL: the same bits as the oracle's. */
void cf_end(cf_suite *suite, cf_case *it, cf_bound bound);

void cf_embedding(cf_suite *suite);
void cf_embedding_backward(cf_suite *suite);
void cf_rms_norm(cf_suite *suite);
void cf_rms_norm_backward(cf_suite *suite);
void cf_linear(cf_suite *suite);
void cf_linear_backward(cf_suite *suite);
void cf_rotary(cf_suite *suite);
void cf_attention(cf_suite *suite);
void cf_attention_backward(cf_suite *suite);
void cf_swiglu(cf_suite *suite);
void cf_swiglu_backward(cf_suite *suite);
void cf_add(cf_suite *suite);
void cf_dropout(cf_suite *suite);
void cf_gather_rows(cf_suite *suite);
void cf_head_logp(cf_suite *suite);
void cf_head_logp_backward(cf_suite *suite);
void cf_adamw(cf_suite *suite);
void cf_sum_squares(cf_suite *suite);
void cf_fill(cf_suite *suite);
void cf_cast(cf_suite *suite);
void cf_scatter_rows(cf_suite *suite);

#endif
