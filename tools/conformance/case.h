/**
 * A case: one operation on operands of given extents and contents, with what must come out and how far from it
 * a device may be. Contents are doubles whatever the dtype, integers too.
 */
#ifndef CF_CASE_H
#define CF_CASE_H

#include <hone/backend.h>
#include <stdbool.h>

typedef struct cf_random {
    uint64_t state;
} cf_random;

typedef struct cf_shape {
    int rank;
    int64_t extent[HONE_MAX_RANK];
} cf_shape;

/** Instead of a bound: the element must have the wanted bits (NaN for NaN); must keep those it had; anything goes. */
#define CF_SAME (-1.0)
#define CF_UNTOUCHED (-2.0)
#define CF_ANYTHING (-3.0)

typedef struct cf_operand {
    bool present, output;
    bool keeps; /**< an output whose contents before the call are `value`; else it is filled with NaN */
    int32_t dtype;
    cf_shape shape;
    int alias;     /**< operand whose place an output has; -1: a place of its own */
    double *value; /**< dense */
    double *want;  /**< outputs */
    double *bound; /**< outputs: largest allowed |got - want|, or one of the above */
} cf_operand;

typedef union cf_params {
    hone_norm_params norm;
    hone_scale_params scale;
    hone_rotary_params rotary;
    hone_dropout_params dropout;
    hone_adamw_params adamw;
    hone_fill_params fill;
} cf_params;

typedef struct cf_case {
    hone_operation operation;
    int number; /**< within the operation, from 0 */
    int32_t dtype;
    int32_t storage;  /**< of weights */
    bool rounded;     /**< operands of products may be rounded to bf16 */
    cf_random random; /**< a pure function of (seed, operation, number) */
    int operands;
    cf_operand operand[HONE_MAX_OPERANDS];
    uint32_t accumulate;
    cf_params params;
    bool has_params;
    bool
        as_stored; /**< the oracle runs in the case's own dtypes (the rounding is what is tested), not in F64 */
    char note[64]; /**< what is special, for the report */
} cf_case;

/** Beside the operations: buffers and copies. */
#define CF_COPIES HONE_OP_COUNT

/** In the order of the enumeration: "embedding", ..., "copies" */
const char *cf_operation_name(hone_operation operation);
const char *cf_dtype_name(int32_t dtype);

/* ---- random numbers ---- */

uint64_t cf_bits(cf_random *random);
/** Uniform in [0, 1). */
double cf_uniform(cf_random *random);
/** Uniform in [first, last]. */
int64_t cf_between(cf_random *random, int64_t first, int64_t last);
/** Roughly normal, of unit variance. */
double cf_normal(cf_random *random);

/* ---- building ---- */

cf_shape cf_shape1(int64_t a);
cf_shape cf_shape2(int64_t a, int64_t b);
cf_shape cf_shape3(int64_t a, int64_t b, int64_t c);
int64_t cf_count(const cf_shape *shape);
/** Elements of one row. */
int64_t cf_width(const cf_shape *shape);

void cf_case_begin(cf_case *it, hone_operation operation, int number, int32_t dtype, uint64_t seed);
void cf_case_end(cf_case *it);
/** A floating operand of random contents, which may be changed afterwards; rounded before use. Returns them. */
double *cf_input(cf_case *it, int operand, cf_shape shape);
/** As cf_input, in the dtype that weights are stored in. */
double *cf_weights(cf_case *it, int operand, cf_shape shape);
/** An I32 operand of zeros. */
double *cf_index(cf_case *it, int operand, cf_shape shape);
void cf_output(cf_case *it, int operand, cf_shape shape, bool accumulate);
/** An output that is read too, or written in part; contents as of cf_input. */
double *cf_in_out(cf_case *it, int operand, cf_shape shape);
/** Puts a declared output where the input is. */
void cf_alias(cf_case *it, int output, int input);
void cf_multiply(double *value, int64_t count, double factor);
int64_t cf_extent(const cf_case *it, int operand, int dimension);

/* ---- what must come out ---- */

/** Rounds inputs to their dtypes and fills `want` of every output by the oracle; false when out of memory. */
bool cf_expect(cf_case *it);
/** Into `bound` of every output: what the oracle gives for the absolute values of everything, the sum of the
 *  terms' magnitudes where an output is a sum of products. False when out of memory. */
bool cf_magnitudes(cf_case *it);

#endif
