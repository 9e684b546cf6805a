/** Several pairs in one pack, and the way between edges of the pack and numbers of the pairs. */
#ifndef HN_TRAIN_BATCH_H
#define HN_TRAIN_BATCH_H

#include <model/network.h>
#include <pack/packer.h>
#include <train/examples.h>

typedef double hn_pair_numbers[HONE_CONDITIONAL_COUNT];

/** Zero-initialise; filled again and again in the same memory, which only grows. */
typedef struct hn_batch {
    const hone_pack *pack;
    const int64_t *index; /**< examples in it, borrowed */
    int64_t count;
    uint32_t mask;

    hn_packer packer;
    hone_sequence *sequence; /**< [pair_room * HONE_CONDITIONAL_COUNT] */
    double *sums;            /**< as many: of sequences, or derivatives by them */
    hn_pair_numbers *policy,
        *reference; /**< [pair_room]: room for the caller's numbers of the batch's pairs */
    size_t pair_room;
} hn_batch;

/** The most that a batch will be: then filling it allocates nothing. */
typedef struct hn_batch_extents {
    int64_t pairs;
    hn_packer_extents pack;
} hn_batch_extents;

/**
 * How many of the examples index[0..count) fit one pack of `pack_tokens` tokens, at least one: a pure
 * function of the list, so that resuming packs alike. HONE_ERROR_ARGUMENT when the first alone does not fit.
 */
HONE_MUST_USE hone_status hn_batch_fill(const hn_examples *examples, const int64_t *index, int64_t count,
                                        hone_pack_layout layout, int64_t pack_tokens, int64_t *fitting);
HONE_MUST_USE hone_status hn_batch_reserve(hn_batch *batch, const hn_batch_extents *extents);
/** Packs the examples index[0..count), in place of what the batch held. */
HONE_MUST_USE hone_status hn_batch_create(const hn_examples *examples, const int64_t *index, int64_t count,
                                          hone_pack_layout layout, hn_batch *batch);
void hn_batch_clear(hn_batch *batch);

/** Forward pass; logp[i][c] of example index[i], conditional c (0 where not read). `edges`: room for the
 * pack's edges. */
HONE_MUST_USE hone_status hn_batch_score(const hn_batch *batch, hn_network *network, uint32_t step,
                                         float *edges, double (*logp)[HONE_CONDITIONAL_COUNT]);
/** Backward pass from d loss / d logp. */
HONE_MUST_USE hone_status hn_batch_backward(const hn_batch *batch, hn_network *network, float *edges,
                                            const double (*derivative)[HONE_CONDITIONAL_COUNT],
                                            bool accumulate);

#endif
