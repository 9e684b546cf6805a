#include <core/file.h>
#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <string.h>
#include <train/run.h>
#include <train/schedule.h>

/** The pairs of one step: where they lie in the epoch's order, and what the loss is divided by. */
typedef struct span {
    const int64_t *index;
    int64_t count;
    double divisor; /**< pairs; SFT: completion tokens */
} span;

/** Sums over the pairs of a step. */
typedef struct tally {
    double loss, reference_loss, reward_chosen, reward_rejected, correct, logp_chosen, logp_rejected,
        improvement, generation;
    bool reference_known;
    int64_t pairs, packs, packed_tokens, naive_tokens;
} tally;

/** The step's place in the data is a function of its number: nothing of it needs saving. */
static span step_span(hn_run_state *run, int64_t step) {
    const int64_t epoch = step / run->steps_per_epoch,
                  first = step % run->steps_per_epoch * run->pairs_per_step;
    const int64_t left = run->examples_per_epoch - first;
    span result = {.count = left < run->pairs_per_step ? left : run->pairs_per_step};

    if (epoch != run->order_epoch) {
        hn_mixture_order(&run->mixture, run->examples.rows, (uint64_t)run->options->seed, epoch,
                         run->order_scratch, run->order);
        run->order_epoch = epoch;
    }
    result.index = run->order + first;
    for (int64_t i = 0; i < result.count; i++)
        result.divisor += run->options->loss.method == HONE_SFT
                              ? (double)run->examples.item[result.index[i]].tokens[0]
                              : 1.0;
    return result;
}

static void add(tally *sum, const hone_pair_logps *pair, const hone_loss_value *value,
                const hone_loss_options *loss) {
    double at_reference = 0.0;

    sum->loss += value->loss;
    sum->reference_known = hone_loss_at_reference(loss, pair, &at_reference);
    sum->reference_loss += at_reference;
    sum->reward_chosen += value->reward_chosen;
    sum->reward_rejected += value->reward_rejected;
    sum->correct += value->reward_chosen > value->reward_rejected ? 1.0 : 0.0;
    sum->logp_chosen += pair->policy[HONE_W];
    sum->logp_rejected += pair->policy[HONE_L];
    sum->improvement += value->improvement;
    sum->generation += value->generation;
    sum->pairs++;
}

/** Reference numbers of the batch: looked up, or computed now (naive). */
static hone_status reference_of(hn_run_state *run, const hn_batch *batch,
                                double (*logp)[HONE_CONDITIONAL_COUNT]) {
    if (run->reference_network != NULL)
        return hn_batch_score(batch, run->reference_network, 0, run->edges, logp);
    for (int64_t i = 0; i < batch->count; i++)
        if (run->reference.logp != NULL)
            memcpy(logp[i], run->reference.logp[batch->index[i]], sizeof logp[i]);
        else
            memset(logp[i], 0, sizeof logp[i]);
    return HONE_OK;
}

static hone_status check_weights(const hn_run_state *run) {
    HN_TRY(hn_parameters_check(hn_model_weights(run->model)));
    return run->adapter != NULL ? hn_parameters_check(hn_adapter_weights(run->adapter)) : HONE_OK;
}

/** A number that is not finite is the weights' fault where one of them is not: the message names that one. */
static hone_status blame(const hn_run_state *run, hone_status status, const hn_example *example) {
    status = hn_fail_in(status, "step %lld, %s:%lld", (long long)run->step + 1,
                        run->mixture.file[example->file].path, (long long)example->line);
    return status == HONE_ERROR_NUMERIC && check_weights(run) != HONE_OK ? HONE_ERROR_NUMERIC : status;
}

/** Losses of a scored batch; `policy` becomes d loss / d logp, divided by the step's divisor. */
static hone_status losses(hn_run_state *run, const hn_batch *batch, double (*policy)[HONE_CONDITIONAL_COUNT],
                          double (*reference)[HONE_CONDITIONAL_COUNT], double divisor, tally *sum) {
    for (int64_t i = 0; i < batch->count; i++) {
        const hn_example *example = &run->examples.item[batch->index[i]];
        hone_pair_logps pair = {.tokens = {example->tokens[0], example->tokens[1]},
                                .preference = example->preference};
        hone_loss_value value;

        memcpy(pair.policy, policy[i], sizeof pair.policy);
        memcpy(pair.reference, reference[i], sizeof pair.reference);
        const hone_status status = hone_loss_evaluate(&run->options->loss, &pair, &value);
        if (status != HONE_OK)
            return blame(run, status, example);
        add(sum, &pair, &value, &run->options->loss);
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
            policy[i][c] = value.derivative[c] / divisor;
    }
    return HONE_OK;
}

static hone_status run_batch(hn_run_state *run, const hn_batch *batch, double divisor, tally *sum) {
    HN_TRY(reference_of(run, batch, batch->reference));
    HN_TRY(hn_batch_score(batch, run->network, (uint32_t)(run->step + 1), run->edges, batch->policy));
    HN_TRY(losses(run, batch, batch->policy, batch->reference, divisor, sum));
    HN_TRY(hn_batch_backward(batch, run->network, run->edges, (const hn_pair_numbers *)batch->policy,
                             sum->packs > 0));
    sum->packs++;
    sum->packed_tokens += batch->pack->tokens;
    sum->naive_tokens += batch->pack->naive_tokens;
    return HONE_OK;
}

/** A micro-batch as packs, each run forward and backward; gradients add up over the step. */
static hone_status run_micro(hn_run_state *run, const int64_t *index, int64_t count, double divisor,
                             tally *sum) {
    int64_t fitting = 0;

    for (int64_t i = 0; i < count; i += fitting) {
        HN_TRY(hn_batch_fill(&run->examples, index + i, count - i, run->layout, run->options->pack_tokens,
                             &fitting));
        HN_TRY(hn_batch_create(&run->examples, index + i, fitting, run->layout, &run->batch));
        HN_TRY(run_batch(run, &run->batch, divisor, sum));
    }
    return HONE_OK;
}

/** How far apart the same log-probabilities may be, as a share of the loss. Packs of another composition add in
 * another order; where factors are rounded to bf16, a difference in the last bit of float32 grows to one of bf16,
 * and its sums over a completion have moved the first loss by up to 1 %. */
static double self_check_tolerance(const hn_run_state *run) {
    return strcmp(run->options->dtype, "bf16") == 0 ? 5e-2 : 1e-3;
}

/** At step 0 policy = reference, and the loss is a known constant: anything else is a bug, a wrong template
 * or a wrong reference, and would be trained on silently. */
static hone_status self_check(const hn_run_state *run, const tally *sum, double divisor) {
    const double found = sum->loss / divisor, wanted = sum->reference_loss / divisor;

    if (run->step > 0 || !sum->reference_known || run->options->adapter != NULL ||
        run->options->reference != NULL)
        return HONE_OK;
    if (fabs(found - wanted) <= self_check_tolerance(run) * fmax(1.0, fabs(wanted)))
        return HONE_OK;
    return hn_fail(HONE_ERROR_NUMERIC,
                   "self-check: the loss before the first update is %.6f, %s with policy = reference is "
                   "%.6f: policy and reference "
                   "do not compute the same; please report this with the model's config.json",
                   found, run->options->method, wanted);
}

static void report(const hn_run_state *run, const tally *sum, double divisor, hone_train_metrics *metrics) {
    const double pairs = (double)sum->pairs;

    metrics->step = run->step + 1;
    metrics->steps = run->steps;
    metrics->epoch = (double)(run->step + 1) / (double)run->steps_per_epoch;
    metrics->loss = sum->loss / divisor;
    metrics->reward_chosen = sum->reward_chosen / pairs;
    metrics->reward_rejected = sum->reward_rejected / pairs;
    metrics->reward_margin = metrics->reward_chosen - metrics->reward_rejected;
    metrics->reward_accuracy = sum->correct / pairs;
    metrics->logp_chosen = sum->logp_chosen / pairs;
    metrics->logp_rejected = sum->logp_rejected / pairs;
    metrics->improvement = sum->improvement / pairs;
    metrics->generation = sum->generation / pairs;
    metrics->pairs = sum->pairs;
    metrics->packs = sum->packs;
    metrics->packed_tokens = sum->packed_tokens;
    metrics->naive_tokens = sum->naive_tokens;
}

/** Rates over this process's steps so far: single steps are noisy. */
static void rates(hn_run_state *run, double began, hone_train_metrics *metrics) {
    const double now = hn_seconds();

    run->started_pairs += metrics->pairs;
    run->started_tokens += metrics->packed_tokens;
    metrics->seconds = now - began;
    metrics->pairs_per_second = (double)run->started_pairs / (now - run->started);
    metrics->tokens_per_second = (double)run->started_tokens / (now - run->started);
    metrics->seconds_left =
        (now - run->started) / (double)(run->step - run->started_step) * (double)(run->steps - run->step);
}

hone_status hn_run_step(hn_run_state *run, hone_train_metrics *metrics) {
    const double began = hn_seconds();
    const span pairs = step_span(run, run->step);
    const int64_t micro = run->options->batch_pairs;
    tally sum = {0};

    memset(metrics, 0, sizeof *metrics);
    if (run->started <= 0.0) {
        run->started = began;
        run->started_step = run->step;
    }
    for (int64_t i = 0; i < pairs.count; i += micro)
        HN_TRY(run_micro(run, pairs.index + i, pairs.count - i < micro ? pairs.count - i : micro,
                         pairs.divisor, &sum));
    HN_TRY(self_check(run, &sum, pairs.divisor));
    report(run, &sum, pairs.divisor, metrics);
    metrics->learning_rate =
        run->options->lr * hn_schedule_factor(run->schedule, run->step + 1, run->steps,
                                              hn_schedule_warmup(run->options->warmup, run->steps));
    HN_TRY(hn_optimizer_step(run->optimizer, run->step + 1, metrics->learning_rate, &metrics->grad_norm));
    run->step++;
    rates(run, began, metrics);
    return HONE_OK;
}
