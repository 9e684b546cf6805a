/* One example: its sequences, and what they cost. */
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <train/store.h>

/** The parts that a conditional reads. */
static const struct {
    int context, completion;
} parts_of[HONE_CONDITIONAL_COUNT] = {
    [HONE_W] = {0, 3},         [HONE_L] = {0, 4},         [HONE_W_GIVEN_W] = {1, 3},
    [HONE_L_GIVEN_W] = {1, 4}, [HONE_W_GIVEN_L] = {2, 3}, [HONE_L_GIVEN_L] = {2, 4},
};

static int64_t sequences(const int32_t length[HN_EXAMPLE_PARTS], const int32_t *const part[HN_EXAMPLE_PARTS],
                         uint32_t mask, hone_sequence *sequence) {
    int64_t count = 0;

    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        const int context = parts_of[c].context, completion = parts_of[c].completion;
        if ((mask >> c & 1u) != 0)
            sequence[count++] =
                (hone_sequence){part[context], length[context], part[completion], length[completion]};
    }
    return count;
}

int64_t hn_example_sequences(const hn_examples *examples, int64_t i, hone_sequence *sequence) {
    const hn_example *example = &examples->item[i];
    const int32_t *part[HN_EXAMPLE_PARTS], *ids = examples->ids + example->place;

    for (int p = 0; p < HN_EXAMPLE_PARTS; ids += example->length[p++])
        part[p] = ids;
    return sequences(example->length, part, examples->mask, sequence);
}

static void hash(hn_hasher *hasher, const hone_sequence *sequence, int64_t count, double preference) {
    for (int64_t s = 0; s < count; s++) {
        hn_hasher_update(hasher, sequence[s].context,
                         (size_t)sequence[s].context_length * sizeof *sequence[s].context);
        hn_hasher_update(hasher, sequence[s].completion,
                         (size_t)sequence[s].completion_length * sizeof *sequence[s].completion);
    }
    hn_hasher_update(hasher, &preference, sizeof preference);
}

/** Tokens of the example alone, in every layout. */
static hone_status measure(const hone_sequence *sequence, int64_t count, hn_example *example) {
    for (int64_t s = 0; s < count; s++)
        example->edges += sequence[s].completion_length;
    HN_TRY(hone_pack_measure(sequence, count, HONE_PACK_TRIE, &example->packed));
    HN_TRY(hone_pack_measure(sequence, count, HONE_PACK_SEQUENCES, &example->naive));
    return hone_pack_measure(sequence, count, HONE_PACK_PADDED, &example->padded);
}

hone_status hn_examples_add(hn_examples *examples, const hn_example_texts *texts, hn_hasher *hasher) {
    const int32_t *part[HN_EXAMPLE_PARTS];
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    hn_example example;

    memset(&example, 0, sizeof example); /* all of it may be written to a file */
    for (int p = 0; p < HN_EXAMPLE_PARTS; p++) {
        part[p] = texts->part[p]->data;
        example.length[p] = (int32_t)texts->part[p]->count; /* a line has less than 2^31 bytes */
    }
    example.tokens[0] = example.length[3];
    example.tokens[1] = example.length[4] > 0 ? example.length[4] : 1;
    example.preference = texts->preference;
    example.line = texts->line;
    example.file = texts->file;
    const int64_t count = sequences(example.length, part, examples->mask, sequence);
    HN_TRY(measure(sequence, count, &example));
    HN_TRY(hn_store_add(examples->store, &example, texts->part));
    if (hasher != NULL)
        hash(hasher, sequence, count, example.preference);
    examples->rows[example.file]++;
    hn_store_expose(examples->store, examples);
    return HONE_OK;
}

int64_t hn_example_cost(const hn_example *example, hone_pack_layout layout) {
    return layout == HONE_PACK_TRIE     ? example->packed
           : layout == HONE_PACK_PADDED ? example->padded
                                        : example->naive;
}

bool hn_example_agrees(const hn_example *example, uint32_t mask) {
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    static const int32_t *const unread[HN_EXAMPLE_PARTS];
    const int64_t count = sequences(example->length, unread, mask, sequence);
    int64_t naive = -count, longest = 0, edges = 0;

    for (int64_t s = 0; s < count; s++) {
        const int64_t length = sequence[s].context_length + sequence[s].completion_length;
        if (sequence[s].context_length < 1 || sequence[s].completion_length < 1)
            return false;
        naive += length;
        edges += sequence[s].completion_length;
        longest = length > longest ? length : longest;
    }
    return count > 0 && example->naive == naive && example->padded == count * longest &&
           example->edges == edges && example->packed >= longest - 1 && example->packed <= naive &&
           example->tokens[0] == example->length[3] &&
           example->tokens[1] == (example->length[4] > 0 ? example->length[4] : 1);
}
