/** AdamW over a set of parameters whose gradients are allocated. */
#ifndef HN_TRAIN_OPTIMIZER_H
#define HN_TRAIN_OPTIMIZER_H

#include <model/parameters.h>

typedef struct hn_optimizer_options {
    double beta1, beta2, epsilon, weight_decay, clip; /**< clip 0: none */
} hn_optimizer_options;

typedef struct hn_optimizer hn_optimizer;

/** Moments zero. The parameters outlive it. */
HONE_MUST_USE hone_status hn_optimizer_create(hn_parameters *parameters, const hn_optimizer_options *options,
                                              hn_optimizer **optimizer);
void hn_optimizer_destroy(hn_optimizer *optimizer);
/** One update with the gradients as they are: `step` counts from 1. *norm: the global gradient norm before
 * clipping. HONE_ERROR_NUMERIC when it is not finite: nothing is changed then. */
HONE_MUST_USE hone_status hn_optimizer_step(hn_optimizer *optimizer, int64_t step, double lr, double *norm);
/** The moments of parameter i, in its shape. */
hone_tensor hn_optimizer_m(const hn_optimizer *optimizer, size_t i);
hone_tensor hn_optimizer_v(const hn_optimizer *optimizer, size_t i);

#endif
