/**
 * The oracle: every operation of hone/backend.h in its plainest form. Operands are loaded as dense arrays of
 * double, computed on by the formula, and stored; nothing is blocked, fused or parallel. Slow on purpose.
 *
 * It is no part of the library: conformance compares devices against it, and tests run whole programs on it in
 * float64.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include <hone/backend.h>
#include <stdbool.h>

/** A call whose operands stand in host memory, integers too (every int32_t is a double). */
typedef struct oracle_call {
    const hone_tensor *operand; /**< for extents and presence */
    const void *params;
    double *value[HONE_MAX_OPERANDS]; /**< dense; NULL where absent. An output that is accumulated into or
                                           kept holds what it held, any other starts as zeros. */
} oracle_call;

typedef void (*oracle_function)(const oracle_call *call);

typedef struct oracle_operation {
    oracle_function compute;
    int operands;
    uint32_t outputs; /**< bit i: operand i is written */
    uint32_t kept;    /**< bit i: what operand i held matters: written in part, or read and written */
} oracle_operation;

extern const oracle_operation oracle_operations[HONE_OP_COUNT];

static inline int64_t oracle_extent(const oracle_call *call, int operand, int dimension) {
    return call->operand[operand].extent[dimension];
}

/** Bytes of one element; 0 for a value outside the enumeration. */
size_t oracle_dtype_size(int32_t dtype);
/** The element at `place` as a double: exact. */
double oracle_get(int32_t dtype, const void *place);
/** Rounds to nearest even, once. */
void oracle_put(int32_t dtype, void *place, double value);

/** Q8 (hone/dtype.h): bytes of a row; the nearest row that Q8 holds; such a row into memory. */
int64_t oracle_q8_row(int64_t columns);
void oracle_round_q8(double *row, int64_t columns);
void oracle_put_q8(void *place, const double *row, int64_t columns);

void oracle_embedding(const oracle_call *call);
void oracle_embedding_backward(const oracle_call *call);
void oracle_rms_norm(const oracle_call *call);
void oracle_rms_norm_backward(const oracle_call *call);
void oracle_linear(const oracle_call *call);
void oracle_linear_backward(const oracle_call *call);
void oracle_rotary(const oracle_call *call);
void oracle_attention(const oracle_call *call);
void oracle_attention_backward(const oracle_call *call);
void oracle_swiglu(const oracle_call *call);
void oracle_swiglu_backward(const oracle_call *call);
void oracle_add(const oracle_call *call);
void oracle_dropout(const oracle_call *call);
void oracle_gather_rows(const oracle_call *call);
void oracle_head_logp(const oracle_call *call);
void oracle_head_logp_backward(const oracle_call *call);
void oracle_adamw(const oracle_call *call);
void oracle_sum_squares(const oracle_call *call);
void oracle_fill(const oracle_call *call);
void oracle_cast(const oracle_call *call);
void oracle_scatter_rows(const oracle_call *call);

#endif
