#include <bench/pairs.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <string.h>

/** Tokens of one pair: x, b, instruction for either draft b, then w and l. */
typedef struct pair_tokens {
    int32_t *context[2]; /**< [P + C - 1 + k]: x, then w or l, then the instruction */
    int32_t *completion[2];
} pair_tokens;

static void draw(int32_t *out, int64_t count, const hone_bench_step_options *options, int64_t vocabulary,
                 uint32_t stream) {
    for (int64_t i = 0; i < count; i++)
        out[i] = (int32_t)hn_random_below((uint64_t)options->seed, HN_PURPOSE_TEST, stream, (uint64_t)i,
                                          (uint64_t)vocabulary);
}

static hone_status draw_pair(const hone_bench_step_options *options, int64_t vocabulary, uint32_t index,
                             pair_tokens *tokens) {
    const int64_t p = options->prompt_tokens, c = options->completion_tokens, k = options->instruction_tokens;

    for (uint32_t side = 0; side < 2; side++) {
        HN_TRY(hn_alloc(&tokens->completion[side], (size_t)c, sizeof(int32_t), "completion"));
        HN_TRY(hn_alloc(&tokens->context[side], (size_t)(p + c - 1 + k), sizeof(int32_t), "context"));
        draw(tokens->completion[side], c, options, vocabulary, 3 * index + 2 + side);
        /* The completions part at their first token, whatever was drawn. */
        tokens->completion[side][0] = (int32_t)(((int64_t)tokens->completion[0][0] + side) % vocabulary);
        draw(tokens->context[side], p, options, vocabulary, 3 * index + 1);
        memcpy(tokens->context[side] + p, tokens->completion[side], (size_t)(c - 1) * sizeof(int32_t));
        draw(tokens->context[side] + p + c - 1, k, options, vocabulary, 0);
    }
    return HONE_OK;
}

static hone_sequence sequence(const pair_tokens *tokens, const hone_bench_step_options *options,
                              hone_conditional c) {
    /* Which completion, and after which draft (-1: none). */
    static const int target[HONE_CONDITIONAL_COUNT] = {0, 1, 0, 1, 0, 1},
                     draft[HONE_CONDITIONAL_COUNT] = {-1, -1, 1, 1, 0, 0};
    const int64_t p = options->prompt_tokens,
                  shown = options->completion_tokens - 1 + options->instruction_tokens;

    return (hone_sequence){.context = tokens->context[draft[c] < 0 ? 0 : draft[c]],
                           .context_length = draft[c] < 0 ? p : p + shown,
                           .completion = tokens->completion[target[c]],
                           .completion_length = options->completion_tokens};
}

static hone_status fill(hn_example *example, const hone_bench_step_options *options, int64_t vocabulary,
                        int64_t index, uint32_t mask) {
    hone_sequence list[HONE_CONDITIONAL_COUNT];

    HN_TRY(hn_alloc(&example->storage, 1, sizeof(pair_tokens), "pair"));
    HN_TRY(draw_pair(options, vocabulary, (uint32_t)index, example->storage));
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        example->sequence[c] = sequence(example->storage, options, (hone_conditional)c);
    example->tokens[0] = example->tokens[1] = options->completion_tokens;
    example->preference = 1.0;
    example->line = index + 1;
    const int64_t count = hn_example_sequences(example, mask, list);
    HN_TRY(hone_pack_measure(list, count, HONE_PACK_TRIE, &example->packed));
    HN_TRY(hone_pack_measure(list, count, HONE_PACK_SEQUENCES, &example->naive));
    return hone_pack_measure(list, count, HONE_PACK_PADDED, &example->padded);
}

static hone_status check(const hone_bench_step_options *options, int64_t vocabulary) {
    enum { MOST = 1 << 24 };
    if (vocabulary < 2)
        return hn_fail(HONE_ERROR_ARGUMENT, "a vocabulary of %lld has no two different tokens",
                       (long long)vocabulary);
    if (options->prompt_tokens < 1 || options->prompt_tokens > MOST || options->completion_tokens < 1 ||
        options->completion_tokens > MOST)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "prompts of %lld and completions of %lld tokens: each takes 1 to %d",
                       (long long)options->prompt_tokens, (long long)options->completion_tokens, MOST);
    if (options->instruction_tokens < 0 || options->instruction_tokens > MOST)
        return hn_fail(HONE_ERROR_ARGUMENT, "an instruction of %lld tokens: it takes 0 to %d",
                       (long long)options->instruction_tokens, MOST);
    if (options->pairs < 1 || options->pairs > 4096)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld pairs a step: it takes 1 to 4096",
                       (long long)options->pairs);
    return HONE_OK;
}

hone_status hn_pairs_create(const hone_bench_step_options *options, int64_t vocabulary,
                            hn_examples *examples) {
    hone_status status = HONE_OK;

    memset(examples, 0, sizeof *examples);
    HN_TRY(check(options, vocabulary));
    examples->mask = hone_loss_conditionals(&options->loss);
    HN_GO(hn_alloc(&examples->item, (size_t)options->pairs, sizeof *examples->item, "pairs"));
    for (int64_t i = 0; i < options->pairs; i++) {
        examples->count++;
        HN_GO(fill(&examples->item[i], options, vocabulary, i, examples->mask));
    }
done:
    if (status != HONE_OK)
        hn_pairs_clear(examples);
    return status;
}

void hn_pairs_clear(hn_examples *examples) {
    for (int64_t i = 0; i < examples->count; i++) {
        pair_tokens *tokens = examples->item[i].storage;
        for (int side = 0; tokens != NULL && side < 2; side++) {
            hn_free(tokens->context[side]);
            hn_free(tokens->completion[side]);
        }
        hn_free(tokens);
    }
    hn_free(examples->item);
    memset(examples, 0, sizeof *examples);
}
