/**
 * How far from the oracle a device may be.
 *
 * e = 2^-23 in f32 (2^-52 in f64, 2^-10 in f16, 2^-7 in bf16) is the distance of 1 to the next number. A sum of n
 * products in any order and grouping, with or without fused multiplication, is allowed
 *
 *     |error| <= cf_sum(n) * sum |terms|,   cf_sum(n) = 4 e_stored + e_summed (4 + 2 sqrt(n))
 *
 * where the 16-bit types sum in f32. The worst case is n e / 2, of errors that all agree; errors that do not agree
 * grow with sqrt(n), and a device that is further off than twice that is wrong (a product taken in bf16, a block
 * left out, an accumulator too narrow) even if a worst-case analysis would let it pass.
 *
 * Where operands of products may be rounded to bf16, cf_sum grows by 2^-7, the worst case: both factors of every
 * term off by half of bf16's e.
 *
 * Each file in operations/ says how its bound follows from that by first-order propagation.
 */
#ifndef CF_BOUND_H
#define CF_BOUND_H

#include "case.h"

/** The distance from 1 to the next number of a dtype. */
double cf_epsilon_of(int32_t dtype);
double cf_epsilon(const cf_case *it);
double cf_sum(const cf_case *it, int64_t n);
/** cf_sum of terms that are no products: in full where operands of products are rounded. */
double cf_plain_sum(const cf_case *it, int64_t n);
/** bound = factor * bound, for all elements of an operand; nothing where it is absent. */
void cf_bound_multiply(cf_case *it, int operand, double factor);
/** bound = relative * |want|. */
void cf_bound_relative(cf_case *it, int operand, double relative);
/** Adds what adding to the old contents costs: e (|old| + |want|); nothing where the output is overwritten. */
void cf_bound_accumulate(cf_case *it, int operand);
double cf_norm(const double *x, int64_t n);
/** The largest norm of `rows` rows. */
double cf_largest_norm(const double *x, int64_t rows, int64_t n);

#endif
