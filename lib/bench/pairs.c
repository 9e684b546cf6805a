#include <bench/pairs.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <string.h>

/** Tokens of one pair: x; x, a draft without its end, and the instruction; w and l. */
typedef struct pair_tokens {
    hone_ids x, context[2], completion[2];
} pair_tokens;

static hone_status draw(hone_ids *out, int64_t count, const hone_bench_step_options *options,
                        int64_t vocabulary, uint32_t stream) {
    for (int64_t i = 0; i < count; i++) {
        const int32_t id = (int32_t)hn_random_below((uint64_t)options->seed, HN_PURPOSE_TEST, stream,
                                                    (uint64_t)i, (uint64_t)vocabulary);
        HN_TRY(hone_ids_append(out, &id, 1));
    }
    return HONE_OK;
}

static hone_status draw_pair(const hone_bench_step_options *options, int64_t vocabulary, uint32_t index,
                             pair_tokens *tokens) {
    const int64_t c = options->completion_tokens;

    HN_TRY(draw(&tokens->x, options->prompt_tokens, options, vocabulary, 3 * index + 1));
    for (uint32_t side = 0; side < 2; side++) {
        hone_ids *context = &tokens->context[side], *completion = &tokens->completion[side];
        HN_TRY(draw(completion, c, options, vocabulary, 3 * index + 2 + side));
        /* The completions part at their first token, whatever was drawn. */
        completion->data[0] = (int32_t)(((int64_t)tokens->completion[0].data[0] + side) % vocabulary);
        HN_TRY(hone_ids_append(context, tokens->x.data, tokens->x.count));
        HN_TRY(hone_ids_append(context, completion->data, c - 1));
        HN_TRY(draw(context, options->instruction_tokens, options, vocabulary, 0));
    }
    return HONE_OK;
}

static hone_status add(hn_examples *examples, const hone_bench_step_options *options, int64_t vocabulary,
                       int64_t index) {
    pair_tokens tokens = {.x = {0}};
    hone_status status = HONE_OK;

    HN_GO(draw_pair(options, vocabulary, (uint32_t)index, &tokens));
    const hn_example_texts texts = {.part = {&tokens.x, &tokens.context[0], &tokens.context[1],
                                             &tokens.completion[0], &tokens.completion[1]},
                                    .preference = 1.0,
                                    .line = index + 1};
    HN_GO(hn_examples_add(examples, &texts, NULL));
done:
    hone_ids_clear(&tokens.x);
    for (int side = 0; side < 2; side++) {
        hone_ids_clear(&tokens.context[side]);
        hone_ids_clear(&tokens.completion[side]);
    }
    return status;
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
    HN_GO(hn_examples_begin(hone_loss_conditionals(&options->loss), examples));
    for (int64_t i = 0; i < options->pairs; i++)
        HN_GO(add(examples, options, vocabulary, i));
done:
    if (status != HONE_OK)
        hn_examples_clear(examples);
    return status;
}
