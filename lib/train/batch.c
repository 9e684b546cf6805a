#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <train/batch.h>

hone_status hn_batch_fill(const hn_examples *examples, const int64_t *index, int64_t count,
                          hone_pack_layout layout, int64_t pack_tokens, int64_t *fitting) {
    int64_t tokens = 0;

    *fitting = 0;
    for (int64_t i = 0; i < count; i++) {
        const hn_example *example = &examples->item[index[i]];
        tokens += hn_example_cost(example, layout);
        if (i == 0 && tokens > pack_tokens)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "line %lld needs %lld packed tokens, --pack-tokens is %lld: raise it, or cut "
                           "prompts with --max-length",
                           (long long)example->line, (long long)tokens, (long long)pack_tokens);
        /* Padded layouts pad to the longest of the whole pack: one pair a pack keeps that honest. */
        if (i > 0 && (tokens > pack_tokens || layout == HONE_PACK_PADDED))
            break;
        *fitting = i + 1;
    }
    return HONE_OK;
}

static hone_status reserve_pairs(hn_batch *batch, size_t pairs) {
    const size_t sequences = pairs * HONE_CONDITIONAL_COUNT;
    if (pairs <= batch->pair_room)
        return HONE_OK;
    HN_TRY(hn_realloc(&batch->sequence, sequences, sizeof *batch->sequence, "sequences of a pack"));
    HN_TRY(hn_realloc(&batch->sums, sequences, sizeof *batch->sums, "log-probabilities"));
    HN_TRY(hn_realloc(&batch->policy, pairs, sizeof *batch->policy, "log-probabilities"));
    HN_TRY(hn_realloc(&batch->reference, pairs, sizeof *batch->reference, "log-probabilities"));
    batch->pair_room = pairs;
    return HONE_OK;
}

hone_status hn_batch_reserve(hn_batch *batch, const hn_batch_extents *extents) {
    HN_TRY(reserve_pairs(batch, (size_t)extents->pairs));
    return hn_packer_reserve(&batch->packer, &extents->pack);
}

hone_status hn_batch_create(const hn_examples *examples, const int64_t *index, int64_t count,
                            hone_pack_layout layout, hn_batch *batch) {
    int64_t sequences = 0;

    batch->pack = NULL;
    batch->index = index;
    batch->count = count;
    batch->mask = examples->mask;
    HN_TRY(reserve_pairs(batch, (size_t)count));
    for (int64_t i = 0; i < count; i++)
        sequences += hn_example_sequences(examples, index[i], batch->sequence + sequences);
    return hn_packer_build(&batch->packer, batch->sequence, sequences, layout, &batch->pack);
}

void hn_batch_clear(hn_batch *batch) {
    hn_packer_clear(&batch->packer);
    hn_free(batch->sequence);
    hn_free(batch->sums);
    hn_free(batch->policy);
    hn_free(batch->reference);
    memset(batch, 0, sizeof *batch);
}

hone_status hn_batch_score(const hn_batch *batch, hn_network *network, uint32_t step, float *edges,
                           double (*logp)[HONE_CONDITIONAL_COUNT]) {
    int64_t s = 0;

    HN_TRY(hn_network_forward(network, batch->pack, step, edges));
    hone_pack_sums(batch->pack, edges, batch->sums);
    for (int64_t i = 0; i < batch->count; i++)
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            logp[i][c] = (batch->mask >> c & 1u) != 0 ? batch->sums[s++] : 0.0;
    return HONE_OK;
}

hone_status hn_batch_backward(const hn_batch *batch, hn_network *network, float *edges,
                              const double (*derivative)[HONE_CONDITIONAL_COUNT], bool accumulate) {
    int64_t s = 0;

    for (int64_t i = 0; i < batch->count; i++)
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            if ((batch->mask >> c & 1u) != 0)
                batch->sums[s++] = derivative[i][c];
    hone_pack_weights(batch->pack, batch->sums, edges);
    return hn_network_backward(network, edges, accumulate);
}
