#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <train/batch.h>

int64_t hn_example_sequences(const hn_example *example, uint32_t mask, hone_sequence *sequence) {
    int64_t count = 0;
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((mask >> c & 1u) != 0)
            sequence[count++] = example->sequence[c];
    return count;
}

int64_t hn_example_cost(const hn_example *example, hone_pack_layout layout) {
    return layout == HONE_PACK_TRIE     ? example->packed
           : layout == HONE_PACK_PADDED ? example->padded
                                        : example->naive;
}

hone_status hn_batch_fill(const hn_examples *examples, const int64_t *index, int64_t count,
                          hone_pack_layout layout, int64_t pack_tokens, int64_t *fitting) {
    int64_t tokens = 0;

    *fitting = 0;
    for (int64_t i = 0; i < count; i++) {
        const hn_example *example = &examples->item[index[i]];
        tokens += hn_example_cost(example, layout);
        if (i == 0 && tokens > pack_tokens)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "row %lld needs %lld packed tokens, --pack-tokens is %lld: raise it, or cut "
                           "prompts with --max-length",
                           (long long)example->row + 1, (long long)tokens, (long long)pack_tokens);
        /* Padded layouts pad to the longest of the whole pack: one pair a pack keeps that honest. */
        if (i > 0 && (tokens > pack_tokens || layout == HONE_PACK_PADDED))
            break;
        *fitting = i + 1;
    }
    return HONE_OK;
}

hone_status hn_batch_create(const hn_examples *examples, const int64_t *index, int64_t count,
                            hone_pack_layout layout, hn_batch *batch) {
    hone_sequence *sequence = NULL;
    int64_t sequences = 0;
    hone_status status = HONE_OK;

    memset(batch, 0, sizeof *batch);
    batch->index = index;
    batch->count = count;
    batch->mask = examples->mask;
    HN_GO(hn_alloc(&sequence, (size_t)(count * HONE_CONDITIONAL_COUNT), sizeof *sequence,
                   "sequences of a pack"));
    for (int64_t i = 0; i < count; i++)
        sequences += hn_example_sequences(&examples->item[index[i]], examples->mask, sequence + sequences);
    HN_GO(hone_pack_create(sequence, sequences, layout, &batch->pack));
done:
    hn_free(sequence);
    return status;
}

void hn_batch_clear(hn_batch *batch) {
    hone_pack_destroy(batch->pack);
    memset(batch, 0, sizeof *batch);
}

hone_status hn_batch_score(const hn_batch *batch, hn_network *network, uint32_t step, float *edges,
                           double (*logp)[HONE_CONDITIONAL_COUNT]) {
    double *sums = NULL;
    int64_t s = 0;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&sums, (size_t)batch->pack->sequences, sizeof *sums, "log-probabilities"));
    HN_GO(hn_network_forward(network, batch->pack, step, edges));
    hone_pack_sums(batch->pack, edges, sums);
    for (int64_t i = 0; i < batch->count; i++)
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            logp[i][c] = (batch->mask >> c & 1u) != 0 ? sums[s++] : 0.0;
done:
    hn_free(sums);
    return status;
}

hone_status hn_batch_backward(const hn_batch *batch, hn_network *network, float *edges,
                              const double (*derivative)[HONE_CONDITIONAL_COUNT], bool accumulate) {
    double *flat = NULL;
    int64_t s = 0;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&flat, (size_t)batch->pack->sequences, sizeof *flat, "derivatives"));
    for (int64_t i = 0; i < batch->count; i++)
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            if ((batch->mask >> c & 1u) != 0)
                flat[s++] = derivative[i][c];
    hone_pack_weights(batch->pack, flat, edges);
    HN_GO(hn_network_backward(network, edges, accumulate));
done:
    hn_free(flat);
    return status;
}
