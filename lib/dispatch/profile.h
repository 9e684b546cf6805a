/** Where time goes: seconds, calls and counted arithmetic of each operation, gathered while a profile is set. */
#ifndef HN_DISPATCH_PROFILE_H
#define HN_DISPATCH_PROFILE_H

#include <dispatch/dispatch.h>

/** Zero-initialise. */
typedef struct hn_profile {
    double
        pairs; /**< visible (query, key) pairs of what runs: attention's arithmetic; the caller knows them */
    double seconds[HONE_OP_COUNT], flops[HONE_OP_COUNT];
    int64_t calls[HONE_OP_COUNT];
} hn_profile;

/** Every hn_run of `device` is added to `profile` until it is set to NULL. Each is waited for, so that the seconds are
 *  its own: what runs ahead of itself on a device does not while it is profiled. */
void hn_device_set_profile(hone_device *device, hn_profile *profile);

/**
 * Floating-point operations of the products that a call is made of, a multiply and an add counted as two; what is not
 * a product counts as nothing. `pairs`: visible (query, key) pairs of one head.
 *
 *   LINEAR 2TIO; LINEAR_BACKWARD 2TIO for each of dx and dw that is wanted
 *   ATTENTION 4 H N pairs; ATTENTION_BACKWARD 10 H N pairs (scores again, then dV, dP, dQ, dK)
 *   HEAD_LOGP 2UVD; HEAD_LOGP_BACKWARD 2UVD for the logits again and for each of dh and dw that is wanted
 */
double hn_operation_flops(hone_operation operation, const hone_call *call, double pairs);

#endif
