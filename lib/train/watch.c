#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <train/metrics.h>
#include <train/run.h>
#include <train/tensorboard.h>
#include <train/watch.h>

enum { FILE_LIMIT = 1 << 28 };

struct hn_watch {
    hn_mixture mixture;
    hn_examples examples;
    double (*reference)[HONE_CONDITIONAL_COUNT]; /**< [examples]; zeros for a method without reference */
    hn_network *network;                         /**< of what is trained, without gradient or dropout */
    float *edges;
    int64_t *order;
    char *path;
    int64_t best_step, misses; /**< misses: evaluations since the best */
    double best_loss;
};

/** One pass over the rows by a network; logp[row]. */
static hone_status score(hn_watch *w, const hn_run_state *run, hn_network *network,
                         double (*logp)[HONE_CONDITIONAL_COUNT]) {
    hn_batch batch = {0};
    int64_t fitting = 0;
    hone_status status = HONE_OK;

    for (int64_t i = 0; i < w->examples.count; i += fitting) {
        HN_GO(hn_batch_fill(&w->examples, w->order + i, w->examples.count - i, HONE_PACK_TRIE,
                            run->options->pack_tokens, &fitting));
        HN_GO(hn_batch_create(&w->examples, w->order + i, fitting, HONE_PACK_TRIE, &batch));
        HN_GO(hn_batch_score(&batch, network, 0, w->edges, logp + i));
        hn_batch_clear(&batch);
    }
done:
    hn_batch_clear(&batch);
    return status;
}

static hone_status read_rows(hn_watch *w, const hn_run_state *run) {
    const hone_train_options *o = run->options;
    const int64_t positions = hone_model_configuration(run->model)->max_positions;
    const int64_t longest = o->max_length > 0 && o->max_length < positions ? o->max_length : positions;
    int64_t fitting = 0;

    const hn_part part = {o->eval_split, (uint64_t)o->seed, true};

    HN_TRY(hn_mixture_parse(o->eval_data != NULL ? o->eval_data : o->data, &w->mixture));
    const hn_example_source source = {.mixture = &w->mixture,
                                      .part = o->eval_data == NULL ? &part : NULL,
                                      .form = run->form,
                                      .tokenizer = run->tokenizer,
                                      .loss = &o->loss,
                                      .max_length = longest,
                                      .folder = o->stream ? run->cache : NULL,
                                      .observer = run->observer};
    HN_TRY(hn_examples_create(&source, &w->examples));
    if (w->examples.count == 0 && o->eval_data == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "--eval-split %g of %s holds out no row: raise it", o->eval_split,
                       o->data);
    if (w->examples.count == 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "%s: no row is left to evaluate", o->eval_data);
    for (int64_t i = 0; i < w->examples.count; i++) {
        const hone_status status =
            hn_batch_fill(&w->examples, &i, 1, HONE_PACK_TRIE, o->pack_tokens, &fitting);
        if (status != HONE_OK)
            return hn_fail_in(status, "%s", w->mixture.file[w->examples.item[i].file].path);
    }
    return HONE_OK;
}

/** The reference's numbers, by the folder that was named or the base as it is now. */
static hone_status score_reference(hn_watch *w, const hn_run_state *run, const hn_network_budget *budget) {
    hone_model *other = NULL;
    hn_network *network = NULL;
    hone_status status = HONE_OK;

    if (!hone_loss_needs_reference(&run->options->loss))
        return HONE_OK;
    if (run->options->reference != NULL)
        HN_GO(hone_model_open(run->device, run->options->reference, &other));
    HN_GO(hn_network_create(other != NULL ? other : run->model, NULL, false, 0, budget, &network));
    HN_GO(score(w, run, network, w->reference));
done:
    hn_network_destroy(network);
    hone_model_destroy(other);
    return status;
}

static hone_status open_watch(hn_watch *w, const hn_run_state *run) {
    const hn_network_budget budget = hn_network_budget_for(run->options->pack_tokens);

    HN_TRY(read_rows(w, run));
    const size_t count = (size_t)w->examples.count;
    HN_TRY(hn_alloc(&w->reference, count, sizeof *w->reference, "reference log-probabilities"));
    HN_TRY(hn_alloc(&w->order, count, sizeof *w->order, "order of held-out rows"));
    HN_TRY(hn_alloc(&w->edges, (size_t)budget.edges, sizeof *w->edges, "edges"));
    for (int64_t i = 0; i < w->examples.count; i++)
        w->order[i] = i;
    HN_TRY(hn_path_join(run->options->out, "eval.jsonl", &w->path));
    HN_TRY(score_reference(w, run, &budget));
    return hn_network_create(run->model, run->adapter, false, 0, &budget, &w->network);
}

hone_status hn_watch_create(const hn_run_state *run, hn_watch **out) {
    hn_watch *w = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    if (run->options->eval_data == NULL && !(run->options->eval_split > 0.0))
        return HONE_OK;
    HN_GO(hn_alloc(&w, 1, sizeof *w, "held-out rows"));
    w->best_loss = INFINITY;
    HN_GO(open_watch(w, run));
    *out = w;
    w = NULL;
done:
    hn_watch_destroy(w);
    return status;
}

void hn_watch_destroy(hn_watch *w) {
    if (w == NULL)
        return;
    hn_network_destroy(w->network);
    hn_examples_clear(&w->examples);
    hn_mixture_clear(&w->mixture);
    hn_free(w->reference);
    hn_free(w->edges);
    hn_free(w->order);
    hn_free(w->path);
    hn_free(w);
}

/** Whether the loss is the lowest so far; a loss that is none never is. */
static bool note(hn_watch *w, int64_t step, double loss) {
    const bool best = loss < w->best_loss;
    if (best) {
        w->best_loss = loss;
        w->best_step = step;
    }
    w->misses = best ? 0 : w->misses + 1;
    return best;
}

static bool is_enough(const hn_watch *w, const hn_run_state *run) {
    return run->options->patience > 0 && w->misses >= run->options->patience;
}

static hone_status read_line(hn_watch *w, const char *line, size_t length) {
    json_t *object = NULL;
    int64_t step = 0;
    double loss = 0.0;
    hone_status status = HONE_OK;

    HN_GO(hn_json_parse(line, length, w->path, &object));
    HN_GO(hn_json_integer(object, "step", w->path, &step));
    HN_GO(hn_json_real(object, "eval_loss", w->path, &loss));
    (void)note(w, step, loss);
done:
    json_decref(object);
    return status;
}

hone_status hn_watch_begin(hn_watch *w, const hn_run_state *run, bool *enough) {
    char *text = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    *enough = false;
    if (w == NULL)
        return HONE_OK;
    HN_GO(hn_metrics_begin(w->path, run->step));
    HN_GO(hn_file_read(w->path, FILE_LIMIT, &text, &length));
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        const size_t n = end != NULL ? (size_t)(end - text) - at : length - at;
        HN_GO(read_line(w, text + at, n));
        at += n + 1;
    }
    *enough = is_enough(w, run);
done:
    hn_free(text);
    return status;
}

/** Means over the rows; SFT's loss over the completion tokens. */
static hone_status add_up(const hn_watch *w, const hn_run_state *run,
                          const double (*policy)[HONE_CONDITIONAL_COUNT], hone_train_evaluation *e) {
    double divisor = 0.0;

    for (int64_t i = 0; i < w->examples.count; i++) {
        const hn_example *example = &w->examples.item[i];
        hone_pair_logps pair = {.tokens = {example->tokens[0], example->tokens[1]},
                                .preference = example->preference};
        hone_loss_value value;

        memcpy(pair.policy, policy[i], sizeof pair.policy);
        memcpy(pair.reference, w->reference[i], sizeof pair.reference);
        const hone_status status = hone_loss_evaluate(&run->options->loss, &pair, &value);
        if (status != HONE_OK)
            return hn_fail_in(status, "step %lld, held out, %s:%lld", (long long)run->step,
                              w->mixture.file[example->file].path, (long long)example->line);
        e->loss += value.loss;
        e->margin += value.reward_chosen - value.reward_rejected;
        e->accuracy += value.reward_chosen > value.reward_rejected ? 1.0 : 0.0;
        divisor += run->options->loss.method == HONE_SFT ? (double)example->tokens[0] : 1.0;
    }
    e->loss /= divisor;
    e->margin /= (double)w->examples.count;
    e->accuracy /= (double)w->examples.count;
    return HONE_OK;
}

static hone_status measure(hn_watch *w, const hn_run_state *run, hone_train_evaluation *e) {
    double(*policy)[HONE_CONDITIONAL_COUNT] = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&policy, (size_t)w->examples.count, sizeof *policy, "log-probabilities"));
    HN_GO(score(w, run, w->network, policy));
    HN_GO(add_up(w, run, (const double(*)[HONE_CONDITIONAL_COUNT])policy, e));
done:
    hn_free(policy);
    return status;
}

static json_t *scalars(const hn_run_state *run, const hone_train_evaluation *e) {
    json_t *object = json_pack("{s:f}", "eval_loss", e->loss);
    if (run->options->loss.method != HONE_SFT) {
        json_object_set_new(object, "eval_rewards/margins", json_real(e->margin));
        json_object_set_new(object, "eval_rewards/accuracies", json_real(e->accuracy));
    }
    return object;
}

/** A line of eval.jsonl; the same numbers for TensorBoard. */
static hone_status append(const hn_watch *w, const hn_run_state *run, const hone_train_evaluation *e) {
    json_t *numbers = scalars(run, e);
    json_t *object = json_pack("{s:I,s:f,s:b}", "step", (json_int_t)e->step, "epoch",
                               (double)e->step / (double)run->steps_per_epoch, "best", (int)e->best);
    char *text = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    text = json_object_update(object, numbers) == 0
               ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(17))
               : NULL;
    if (text == NULL)
        HN_GO(hn_fail(HONE_ERROR_MEMORY, "no memory for a line of %s", w->path));
    length = strlen(text);
    text[length] = '\n'; /* in the place of the zero: one write */
    HN_GO(hn_file_append(w->path, text, length + 1));
    if (run->events != NULL)
        HN_GO(hn_tensorboard_append(run->events, e->step, numbers));
done:
    free(text);
    json_decref(object);
    json_decref(numbers);
    return status;
}

/** OUT/best. Every file is replaced as a whole, and only the weights differ between two states. */
static hone_status save_best(const hn_run_state *run) {
    char *folder = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_path_join(run->options->out, "best", &folder));
    if (run->adapter != NULL)
        HN_GO(hone_adapter_save(run->adapter, folder, run->options->model));
    else {
        HN_GO(hone_model_save(run->model, folder, HONE_F32));
        HN_GO(hone_tokenizer_save(run->tokenizer, folder));
    }
done:
    hn_free(folder);
    return status;
}

hone_status hn_watch_look(hn_watch *w, const hn_run_state *run, bool *enough) {
    hone_train_evaluation e = {.step = run->step};

    *enough = false;
    if (w == NULL || (run->step % run->options->eval_every != 0 && run->step != run->steps))
        return HONE_OK;
    HN_TRY(measure(w, run, &e));
    e.best = note(w, run->step, e.loss);
    e.best_step = w->best_step;
    e.best_loss = w->best_loss;
    /* The weights before the line: a run that dies between the two measures this step again. */
    if (e.best)
        HN_TRY(save_best(run));
    HN_TRY(append(w, run, &e));
    *enough = is_enough(w, run);
    if (run->observer->evaluated != NULL)
        run->observer->evaluated(run->observer->context, &e);
    return HONE_OK;
}

void hn_watch_summarise(const hn_watch *w, hone_train_summary *summary) {
    summary->best_step = w != NULL ? w->best_step : 0;
    summary->best_loss = w != NULL ? w->best_loss : 0.0;
}
