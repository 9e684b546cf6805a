#include <bench/pairs.h>
#include <bench/profile.h>
#include <bench/trainer.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <train/batch.h>
#include <train/optimizer.h>

typedef double six[HONE_CONDITIONAL_COUNT];

enum { LAYOUTS = HONE_PACK_PADDED + 1 };

struct hn_trainer {
    hone_bench_step_options options;
    hone_model *model;
    hone_adapter *adapter;
    hn_parameters *trained;
    hn_optimizer *optimizer;
    hn_network *network, *reference_network; /**< the second only when the reference is computed anew */
    hn_examples examples;
    int64_t *index; /**< 0, 1, 2, ... */
    six *policy, *reference;
    bool referenced; /**< the reference's numbers are there */
    float *edges;
    bool every_layout;
    int64_t room, steps; /**< room: tokens of the largest pack */
    hn_profile *profile; /**< while profiling: told of visible pairs */
    hone_bench_step_result sums;
};

/** The largest pack of this layout that a step makes. */
static int64_t needed_tokens(const hn_trainer *t, hone_pack_layout layout) {
    int64_t sum = 0, largest = 0;

    if (t->options.pack_tokens > 0)
        return t->options.pack_tokens;
    for (int64_t i = 0; i < t->examples.count; i++) {
        const int64_t cost = hn_example_cost(&t->examples.item[i], layout);
        sum += cost;
        largest = cost > largest ? cost : largest;
    }
    /* A padded pack holds one pair. */
    return layout == HONE_PACK_PADDED ? largest : sum;
}

/** Everything of a pair that a step reads or writes. */
static hone_status make_pairs(hn_trainer *t) {
    const int64_t vocabulary = hone_model_configuration(t->model)->vocabulary;

    HN_TRY(hn_pairs_create(&t->options, vocabulary, &t->examples));
    HN_TRY(hn_alloc(&t->index, (size_t)t->examples.count, sizeof *t->index, "order of pairs"));
    HN_TRY(hn_alloc(&t->policy, (size_t)t->examples.count, sizeof *t->policy, "log-probabilities"));
    HN_TRY(hn_alloc(&t->reference, (size_t)t->examples.count, sizeof *t->reference, "log-probabilities"));
    for (int64_t i = 0; i < t->examples.count; i++)
        t->index[i] = i;
    t->room = needed_tokens(t, t->options.layout);
    for (int l = 0; t->every_layout && l < LAYOUTS; l++) {
        const int64_t needed = needed_tokens(t, (hone_pack_layout)l);
        t->room = needed > t->room ? needed : t->room;
    }
    return hn_alloc(&t->edges, (size_t)(2 * t->room), sizeof *t->edges, "edges");
}

static hone_status make_networks(hn_trainer *t) {
    const hn_optimizer_options adamw = {
        .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = 0.01, .clip = 1.0};
    const hn_network_budget budget = hn_network_budget_for(t->room);

    if (!t->options.full)
        HN_TRY(hone_adapter_create(t->model, &t->options.lora, (uint64_t)t->options.seed, &t->adapter));
    t->trained = t->options.full ? hn_model_weights(t->model) : hn_adapter_weights(t->adapter);
    HN_TRY(hn_optimizer_create(t->trained, &adamw, &t->optimizer));
    HN_TRY(hn_network_create(t->model, t->adapter, true, (uint64_t)t->options.seed, &budget, &t->network));
    if (t->options.reference_anew || t->every_layout)
        HN_TRY(hn_network_create(t->model, NULL, false, 0, &budget, &t->reference_network));
    return HONE_OK;
}

hone_status hn_trainer_create(hone_model *model, const hone_bench_step_options *options, bool every_layout,
                              hn_trainer **out) {
    hn_trainer *t = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_TRY(hone_loss_check(&options->loss));
    if (options->pack_tokens < 0 || options->pack_tokens > 1 << 24)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--pack-tokens is %lld: it takes 1 to %d, or 0 for what is needed",
                       (long long)options->pack_tokens, 1 << 24);
    HN_GO(hn_alloc(&t, 1, sizeof *t, "benchmark"));
    t->options = *options;
    t->model = model;
    t->every_layout = every_layout;
    HN_GO(make_pairs(t));
    HN_GO(make_networks(t));
    *out = t;
    t = NULL;
done:
    hn_trainer_destroy(t);
    return status;
}

void hn_trainer_destroy(hn_trainer *t) {
    if (t == NULL)
        return;
    hn_network_destroy(t->network);
    hn_network_destroy(t->reference_network);
    hn_optimizer_destroy(t->optimizer);
    hone_adapter_destroy(t->adapter);
    hn_examples_clear(&t->examples);
    hn_free(t->index);
    hn_free(t->policy);
    hn_free(t->reference);
    hn_free(t->edges);
    hn_free(t);
}

void hn_trainer_use(hn_trainer *t, hone_pack_layout layout, bool reference_anew) {
    t->options.layout = layout;
    t->options.reference_anew = reference_anew;
}

hone_status hn_trainer_plan(hn_trainer *t, hone_pack_layout layout, uint64_t *bytes) {
    const hn_network_budget budget = hn_network_budget_for(needed_tokens(t, layout));
    hn_network *network = NULL;

    *bytes = 0;
    HN_TRY(hn_network_create(t->model, t->adapter, true, 0, &budget, &network));
    const hn_program_memory memory = hn_program_plan(hn_network_program(network));
    *bytes = memory.arena + memory.inputs + memory.workspace;
    hn_network_destroy(network);
    return HONE_OK;
}

/** Losses of a scored batch; `policy` becomes d loss / d logp. */
static hone_status losses(hn_trainer *t, const hn_batch *batch, six *policy, six *reference) {
    /* Before the first update policy = reference: its first numbers are the reference's. */
    if (!t->referenced && !t->options.reference_anew)
        memcpy(reference, policy, (size_t)batch->count * sizeof *policy);
    for (int64_t i = 0; i < batch->count; i++) {
        const hn_example *example = &t->examples.item[batch->index[i]];
        hone_pair_logps pair = {.tokens = {example->tokens[0], example->tokens[1]}, .preference = 1.0};
        hone_loss_value value;

        memcpy(pair.policy, policy[i], sizeof pair.policy);
        memcpy(pair.reference, reference[i], sizeof pair.reference);
        HN_TRY(hone_loss_evaluate(&t->options.loss, &pair, &value));
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            policy[i][c] = value.derivative[c] / (double)t->examples.count;
    }
    return HONE_OK;
}

static void count(hn_trainer *t, const hone_pack *pack) {
    t->sums.packs++;
    t->sums.packed_tokens += pack->tokens;
    t->sums.naive_tokens += pack->naive_tokens;
    t->sums.padded_tokens += pack->padded_tokens;
    t->sums.scored_rows += pack->rows;
    t->sums.visible_pairs += pack->visible_pairs;
    if (t->profile != NULL)
        t->profile->pairs = (double)pack->visible_pairs;
}

static hone_status run_batch(hn_trainer *t, const hn_batch *batch) {
    six *policy = t->policy + batch->index[0], *reference = t->reference + batch->index[0];
    const bool first = t->sums.packs == 0;

    count(t, batch->pack);
    if (t->options.reference_anew)
        HN_TRY(hn_batch_score(batch, t->reference_network, 0, t->edges, reference));
    HN_TRY(hn_batch_score(batch, t->network, (uint32_t)t->steps, t->edges, policy));
    HN_TRY(losses(t, batch, policy, reference));
    return hn_batch_backward(batch, t->network, t->edges, (const double(*)[HONE_CONDITIONAL_COUNT])policy,
                             !first);
}

static hone_status run_packs(hn_trainer *t) {
    hn_batch batch = {0};
    int64_t fitting = 0;
    hone_status status = HONE_OK;

    memset(&t->sums, 0, sizeof t->sums);
    for (int64_t i = 0; i < t->examples.count; i += fitting) {
        HN_GO(hn_batch_fill(&t->examples, t->index + i, t->examples.count - i, t->options.layout,
                            needed_tokens(t, t->options.layout), &fitting));
        HN_GO(hn_batch_create(&t->examples, t->index + i, fitting, t->options.layout, &batch));
        HN_GO(run_batch(t, &batch));
        hn_batch_clear(&batch);
    }
done:
    hn_batch_clear(&batch);
    return status;
}

hone_status hn_trainer_step(hn_trainer *t, double *seconds) {
    hone_device *device = hone_model_device(t->model);
    const double began = hn_seconds();
    double norm = 0.0;

    t->steps++;
    HN_TRY(run_packs(t));
    t->referenced = true;
    /* Small, so that however many steps are timed, weights stay near where they were. */
    HN_TRY(hn_optimizer_step(t->optimizer, t->steps, 1e-6, &norm));
    HN_TRY(hn_synchronise(device));
    *seconds = hn_seconds() - began;
    return HONE_OK;
}

hone_status hn_trainer_profile(hn_trainer *t, hone_profile *rows) {
    hone_device *device = hone_model_device(t->model);
    hn_profile profile = {0};
    double seconds = 0.0;

    t->profile = &profile;
    hn_device_set_profile(device, &profile);
    const hone_status status = hn_trainer_step(t, &seconds);
    hn_device_set_profile(device, NULL);
    t->profile = NULL;
    if (status == HONE_OK)
        hn_profile_rows(&profile, seconds, rows);
    return status;
}

void hn_trainer_describe(const hn_trainer *t, hone_bench_step_result *result) {
    const hone_times step = result->step;
    const hone_profile profile = result->profile;

    *result = t->sums;
    result->step = step;
    result->profile = profile;
    for (int64_t i = 0; i < profile.rows; i++)
        result->flops += profile.row[i].flops;
    result->pairs_per_second = (double)t->examples.count / step.median;
    result->tokens_per_second = (double)t->sums.packed_tokens / step.median;
    result->parameters = hone_model_parameters(t->model);
    result->trainable = hn_parameters_elements(t->trained);
    result->dtype = hn_model_weights(t->model)->storage;
    result->peak_bytes = hn_peak_bytes();
    result->device_peak_bytes = hone_device_peak_bytes(hone_model_device(t->model));
}

hn_parameters *hn_trainer_parameters(hn_trainer *t) { return t->trained; }

hone_tensor hn_trainer_state(const hn_trainer *t, size_t i, int state) {
    return state == HN_TRAINER_FIRST    ? hn_optimizer_m(t->optimizer, i)
           : state == HN_TRAINER_SECOND ? hn_optimizer_v(t->optimizer, i)
                                        : t->trained->item[i].value;
}
