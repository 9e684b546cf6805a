/* The memory plan asks for workspaces at the largest extents, once: at smaller ones a device must not want more. */
#include "suite.h"

#include <stdio.h>

/* Whether the operands that both have are no larger in `a` than in `b`, in every extent. */
static bool fits(const cf_request *a, const cf_request *b) {
    if (a->present != b->present || a->accumulate != b->accumulate)
        return false;
    for (int i = 0; i < HONE_MAX_OPERANDS; i++) {
        for (int j = 0; (a->present >> i & 1u) != 0 && j < HONE_MAX_RANK; j++) {
            if (a->shape[i].rank != b->shape[i].rank || a->shape[i].extent[j] > b->shape[i].extent[j])
                return false;
        }
    }
    return true;
}

static void blame(const cf_request *small, const cf_request *large, cf_verdict *verdict) {
    if (small->bytes <= large->bytes || !verdict->passed)
        return;
    verdict->passed = false;
    (void)snprintf(
        verdict->problem, sizeof verdict->problem,
        "a smaller case of this operation wants a workspace of %zu bytes, a larger one %zu (one of the two "
        "is this case, the other came before)",
        small->bytes, large->bytes);
}

void cf_check_request(cf_target *target, const cf_case *it, cf_verdict *verdict) {
    cf_requests *all = target->requests;
    cf_request *latest = &all->request[all->count];

    if (all->count == CF_MOST_REQUESTS)
        return;
    *latest = (cf_request){.bytes = cf_workspace(&target->one, it), .accumulate = it->accumulate};
    for (int i = 0; i < it->operands; i++) {
        latest->shape[i] = it->operand[i].shape;
        latest->present |= it->operand[i].present ? 1u << i : 0;
    }
    for (int i = 0; i < all->count; i++) {
        if (fits(&all->request[i], latest))
            blame(&all->request[i], latest, verdict);
        if (fits(latest, &all->request[i]))
            blame(latest, &all->request[i], verdict);
    }
    all->count++;
}
