/* How large the packs of a run can get: known before step 1, since every row is tokens already. */
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <train/plan.h>

/** What one example adds to a pack, at most. */
typedef struct cost {
    int64_t tokens, edges, naive; /**< naive: the trie's nodes, were nothing merged */
} cost;

static cost cost_of(const hn_run_state *run, int64_t i) {
    const hn_example *example = &run->examples.item[i];
    return (cost){.tokens = hn_example_cost(example, run->layout),
                  .edges = example->edges,
                  .naive = run->layout == HONE_PACK_PADDED ? example->padded : example->naive};
}

/** Every scored edge has one of the pack's tokens as its parent: rows are no more than either. Ranges take little room
 *  and stay as --pack-tokens has them. */
static hn_pack_budget budget_of(const hn_run_state *run, cost most, int64_t pairs) {
    const int64_t pack_tokens = run->options->pack_tokens,
                  tokens = most.tokens < pack_tokens ? most.tokens : pack_tokens;
    hn_network_budget network = hn_network_budget_for(pack_tokens);

    network.tokens = network.segments = tokens;
    network.edges = most.edges;
    network.rows = most.edges < tokens ? most.edges : tokens;
    return (hn_pack_budget){.network = network,
                            .batch = {.pairs = pairs,
                                      .pack = {.sequences = pairs * HONE_CONDITIONAL_COUNT,
                                               .tokens = most.naive,
                                               .completions = most.edges,
                                               .ranges = network.ranges}}};
}

/** A size, and how often a pack may hold an example of that size: an epoch repeats rows of a file with a large weight. */
typedef struct size {
    int64_t value, times;
} size;

static int descending(const void *a, const void *b) {
    const int64_t x = ((const size *)a)->value, y = ((const size *)b)->value;
    return x > y ? -1 : x < y;
}

static int64_t sum_of_largest(size *item, int64_t count, int64_t largest) {
    int64_t sum = 0;

    qsort(item, (size_t)count, sizeof *item, descending);
    for (int64_t i = 0; i < count && largest > 0; i++) {
        const int64_t times = item[i].times < largest ? item[i].times : largest;
        sum += times * item[i].value;
        largest -= times;
    }
    return sum;
}

static int64_t tokens_of(cost one) { return one.tokens; }
static int64_t edges_of(cost one) { return one.edges; }
static int64_t naive_of(cost one) { return one.naive; }

/** The most that `together` examples of an epoch can add up to, in one of their costs. */
static int64_t sum_of(const hn_run_state *run, int64_t (*part_of)(cost one), int64_t together, size *item) {
    for (int64_t i = 0; i < run->examples.count; i++)
        item[i] = (size){part_of(cost_of(run, i)),
                         (int64_t)ceil(run->mixture.file[run->examples.item[i].file].weight)};
    return sum_of_largest(item, run->examples.count, together);
}

/** Shuffling may bring any examples together, but no more than a micro-batch. */
hone_status hn_run_training_budget(const hn_run_state *run, hn_pack_budget *budget) {
    const int64_t micro = run->layout == HONE_PACK_PADDED ? 1 : run->options->batch_pairs,
                  together = micro < run->examples_per_epoch ? micro : run->examples_per_epoch;
    size *item = NULL;

    HN_TRY(hn_alloc(&item, (size_t)run->examples.count, sizeof *item, "sizes of examples"));
    const cost most = {.tokens = sum_of(run, tokens_of, together, item),
                       .edges = sum_of(run, edges_of, together, item),
                       .naive = sum_of(run, naive_of, together, item)};
    *budget = budget_of(run, most, together);
    hn_free(item);
    return HONE_OK;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static void add(cost *sum, cost one) {
    sum->tokens += one.tokens;
    sum->edges += one.edges;
    sum->naive += one.naive;
}

/** Its packs are in the order of the data: the very ones that will be made. */
hone_status hn_run_reference_budget(const hn_run_state *run, hn_pack_budget *budget) {
    const int64_t count = run->examples.count;
    int64_t *order = NULL, fitting = 0, pairs = 0;
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
        for (int64_t j = i; j < i + fitting; j++)
            add(&pack, cost_of(run, j));
        most = (cost){larger(most.tokens, pack.tokens), larger(most.edges, pack.edges),
                      larger(most.naive, pack.naive)};
        pairs = larger(pairs, fitting);
    }
    *budget = budget_of(run, most, pairs);
done:
    hn_free(order);
    return status;
}
