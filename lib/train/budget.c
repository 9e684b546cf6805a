/* How large the packs of a run can get: known before step 1, since every row is tokens already. */
#include <core/memory.h>
#include <core/status.h>
#include <stdlib.h>
#include <train/plan.h>

/** What one example adds to a pack, at most. */
typedef struct cost {
    int64_t tokens, edges;
} cost;

static cost cost_of(const hn_run_state *run, int64_t i) {
    const hn_example *example = &run->examples.item[i];
    cost result = {.tokens = hn_example_cost(example, run->layout)};

    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((run->examples.mask >> c & 1u) != 0)
            result.edges += example->sequence[c].completion_length;
    return result;
}

/** Every scored edge has one of the pack's tokens as its parent: rows are no more than either. Ranges take little room
 *  and stay as --pack-tokens has them. */
static hn_network_budget budget_of(cost most, int64_t pack_tokens) {
    const int64_t tokens = most.tokens < pack_tokens ? most.tokens : pack_tokens;
    hn_network_budget budget = hn_network_budget_for(pack_tokens);

    budget.tokens = budget.segments = tokens;
    budget.edges = most.edges;
    budget.rows = most.edges < tokens ? most.edges : tokens;
    return budget;
}

static int descending(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x > y ? -1 : x < y;
}

static int64_t sum_of_largest(int64_t *value, int64_t count, int64_t largest) {
    int64_t sum = 0;

    qsort(value, (size_t)count, sizeof *value, descending);
    for (int64_t i = 0; i < count && i < largest; i++)
        sum += value[i];
    return sum;
}

/** Shuffling may bring any examples together, but no more than a micro-batch. */
hone_status hn_run_training_budget(const hn_run_state *run, hn_network_budget *budget) {
    const int64_t count = run->examples.count,
                  together = run->layout == HONE_PACK_PADDED ? 1 : run->options->batch_pairs;
    int64_t *tokens = NULL, *edges = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&tokens, (size_t)count, sizeof *tokens, "sizes of examples"));
    HN_GO(hn_alloc(&edges, (size_t)count, sizeof *edges, "sizes of examples"));
    for (int64_t i = 0; i < count; i++) {
        const cost one = cost_of(run, i);
        tokens[i] = one.tokens;
        edges[i] = one.edges;
    }
    *budget =
        budget_of((cost){sum_of_largest(tokens, count, together), sum_of_largest(edges, count, together)},
                  run->options->pack_tokens);
done:
    hn_free(edges);
    hn_free(tokens);
    return status;
}

/** Its packs are in the order of the data: the very ones that will be made. */
hone_status hn_run_reference_budget(const hn_run_state *run, hn_network_budget *budget) {
    const int64_t count = run->examples.count;
    int64_t *order = NULL, fitting = 0;
    cost most = {0};
    hone_status status = HONE_OK;

    if (run->fresh_reference)
        return hn_run_training_budget(run, budget);
    HN_TRY(hn_alloc(&order, (size_t)count, sizeof *order, "order of examples"));
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = 0; i < count; i += fitting) {
        cost pack = {0};
        HN_GO(hn_batch_fill(&run->examples, order + i, count - i, run->layout, run->options->pack_tokens,
                            &fitting));
        for (int64_t j = i; j < i + fitting; j++) {
            const cost one = cost_of(run, j);
            pack.tokens += one.tokens;
            pack.edges += one.edges;
        }
        most.tokens = pack.tokens > most.tokens ? pack.tokens : most.tokens;
        most.edges = pack.edges > most.edges ? pack.edges : most.edges;
    }
    *budget = budget_of(most, run->options->pack_tokens);
done:
    hn_free(order);
    return status;
}
