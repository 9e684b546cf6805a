#include <core/file.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/process.h>
#include <core/status.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <train/metrics.h>
#include <train/options.h>
#include <train/plan.h>
#include <train/run.h>
#include <train/tensorboard.h>

static hone_status open_device(hn_run_state *run) {
    const hone_train_options *options = run->options;
    const hone_device_options wanted = {.threads = (int)options->threads,
                                        .isa = options->isa,
                                        .matmul = options->matmul,
                                        .dtype = options->dtype,
                                        .allow_fallback = options->allow_fallback};
    return hone_device_open(options->device, &wanted, &run->device);
}

static hone_status open_adapter(hn_run_state *run) {
    const hone_train_options *options = run->options;
    const hone_lora_options lora = {.rank = options->lora_rank,
                                    .alpha = options->lora_alpha,
                                    .dropout = options->lora_dropout,
                                    .targets = options->lora_targets};
    if (options->full)
        return HONE_OK;
    if (options->adapter != NULL)
        return hone_adapter_open(run->model, options->adapter, &run->adapter);
    return hone_adapter_create(run->model, &lora, (uint64_t)options->seed, &run->adapter);
}

/** What is trained is in full; a frozen base follows --base-dtype, and in bf16 products it is bf16 anyway. */
static hone_status base_weights(const hone_train_options *options, hone_weights *weights) {
    HN_TRY(hone_weights_parse(options->base_dtype, weights));
    if (options->full)
        *weights = HONE_WEIGHTS_FULL;
    else if (*weights == HONE_WEIGHTS_AUTO && strcmp(options->dtype, "bf16") == 0)
        *weights = HONE_WEIGHTS_BF16;
    return HONE_OK;
}

static hone_status open_model(hn_run_state *run) {
    hone_weights weights = HONE_WEIGHTS_FULL;
    hone_status status = HONE_OK;

    HN_TRY(base_weights(run->options, &weights));
    HN_TRY(hn_run_check_weights(run, weights));
    HN_TRY(hone_model_open_stored(run->device, run->options->model, weights, &run->model));
    HN_TRY(hone_tokenizer_open(run->options->model, &run->tokenizer));
    status = hone_model_digest(run->model, run->base_digest);
    if (status != HONE_OK)
        return hn_fail_in(status, "%s", run->options->model);
    HN_TRY(open_adapter(run));
    if (run->adapter == NULL) {
        run->trained = hn_model_weights(run->model);
        return hn_format(&run->trained_text, "full");
    }
    const hone_lora_options *lora = hone_adapter_options(run->adapter);
    run->trained = hn_adapter_weights(run->adapter);
    return hn_format(&run->trained_text, "lora %lld %s", (long long)lora->rank, lora->targets);
}

/** Rows as tokens. A pair over the pack's budget is an error before step 1, not a silent drop. */
static hone_status open_data(hn_run_state *run) {
    const hone_train_options *options = run->options;
    const int64_t positions = hone_model_configuration(run->model)->max_positions;
    const int64_t longest =
        options->max_length > 0 && options->max_length < positions ? options->max_length : positions;
    int64_t fitting = 0;

    HN_TRY(hone_template_open(options->template_name, run->tokenizer, &run->form));
    const hn_part part = {options->eval_split, (uint64_t)options->seed, false};

    HN_TRY(hn_mixture_parse(options->data, &run->mixture));
    if (options->cache != NULL)
        HN_TRY(hn_strdup(&run->cache, options->cache));
    else
        HN_TRY(hn_format(&run->cache, "%s.hone", run->mixture.file[0].path));
    const hn_example_source source = {.mixture = &run->mixture,
                                      .part = &part,
                                      .form = run->form,
                                      .tokenizer = run->tokenizer,
                                      .loss = &options->loss,
                                      .max_length = longest,
                                      .folder = options->stream ? run->cache : NULL,
                                      .observer = run->observer};
    HN_TRY(hn_examples_create(&source, &run->examples));
    if (run->examples.count == 0 && run->examples.dropped == 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "%s: no row is left to train on: all are held out: lower --eval-split", options->data);
    if (run->examples.count == 0)
        return hn_fail(
            HONE_ERROR_ARGUMENT,
            "%s: no row is left to train on: all %lld are longer than %lld tokens: raise --max-length",
            options->data, (long long)run->examples.dropped, (long long)longest);
    if (run->examples.cut > 0 || run->examples.dropped > 0)
        hn_log(HONE_LOG_WARNING,
               "%lld rows lost the start of their prompt, %lld rows were left out: longer than %lld tokens",
               (long long)run->examples.cut, (long long)run->examples.dropped, (long long)longest);
    run->examples_per_epoch = hn_mixture_epoch(&run->mixture, run->examples.rows);
    if (run->examples_per_epoch < 1)
        return hn_fail(HONE_ERROR_ARGUMENT, "--data %s: its weights leave no row in an epoch", options->data);
    for (int64_t i = 0; i < run->examples.count; i++) {
        const hone_status status =
            hn_batch_fill(&run->examples, &i, 1, run->layout, options->pack_tokens, &fitting);
        if (status != HONE_OK)
            return hn_fail_in(status, "%s", run->mixture.file[run->examples.item[i].file].path);
    }
    return HONE_OK;
}

const char *hn_run_reference_folder(const hn_run_state *run) {
    if (run->options->reference != NULL)
        return run->options->reference;
    return run->fresh_reference && run->options->full ? run->options->model : NULL;
}

static hone_status open_reference(hn_run_state *run) {
    const hone_train_options *options = run->options;
    hn_pack_budget budget;

    if (!hone_loss_needs_reference(&options->loss))
        return HONE_OK;
    HN_TRY(hn_run_reference_budget(run, &budget));
    if (hn_run_reference_folder(run) != NULL)
        HN_TRY(hone_model_open_stored(run->device, hn_run_reference_folder(run), HONE_WEIGHTS_AUTO,
                                      &run->reference_model));
    hone_model *model = run->reference_model != NULL ? run->reference_model : run->model;
    if (run->fresh_reference)
        return hn_network_create(model, NULL, false, 0, &budget.network, &run->reference_network);
    const hn_reference_source source = {.model = model,
                                        .examples = &run->examples,
                                        .layout = run->layout,
                                        .pack_tokens = options->pack_tokens,
                                        .budget = budget.network,
                                        .folder = run->cache,
                                        .observer = run->observer};
    const hone_status status = hn_reference_create(&source, &run->reference);
    hone_model_destroy(run->reference_model);
    run->reference_model = NULL;
    return status;
}

static hone_status open_training(hn_run_state *run) {
    const hone_train_options *options = run->options;
    const hn_optimizer_options adamw = {.beta1 = options->adam_beta1,
                                        .beta2 = options->adam_beta2,
                                        .epsilon = options->adam_epsilon,
                                        .weight_decay = options->weight_decay,
                                        .clip = options->clip};
    hn_pack_budget budget;

    HN_TRY(hn_run_training_budget(run, &budget));
    budget.network.recompute = run->recompute;
    HN_TRY(hn_optimizer_create(run->trained, &adamw, &run->optimizer));
    HN_TRY(hn_network_create(run->model, run->adapter, true, (uint64_t)options->seed, &budget.network,
                             &run->network));
    HN_TRY(hn_batch_reserve(&run->batch, &budget.batch));
    HN_TRY(hn_alloc(&run->edges, (size_t)budget.network.edges, sizeof *run->edges, "edges"));
    const size_t order = (size_t)run->examples_per_epoch, all = (size_t)run->examples.count;
    HN_TRY(hn_alloc(&run->order_scratch, order > all ? order : all, sizeof *run->order, "order of examples"));
    return hn_alloc(&run->order, order, sizeof *run->order, "order of examples");
}

static void count_steps(hn_run_state *run) {
    const hone_train_options *options = run->options;

    run->pairs_per_step = options->batch_pairs * options->accumulate;
    run->steps_per_epoch = (run->examples_per_epoch + run->pairs_per_step - 1) / run->pairs_per_step;
    run->steps =
        options->steps > 0 ? options->steps : (int64_t)ceil(options->epochs * (double)run->steps_per_epoch);
    run->order_epoch = -1;
}

/** A run that reads few of many rows would wait for numbers that it never asks for. A copy of the model is too much to
 *  save that. */
static bool reads_few(const hn_run_state *run) {
    enum { MANY = 4096, TIMES = 4 };
    return hn_run_reference_folder(run) == NULL && !run->options->full && run->examples.count >= MANY &&
           run->steps <= run->examples.count / TIMES / run->pairs_per_step;
}

hn_identity hn_run_identity(const hn_run_state *run) {
    return (hn_identity){.base = run->base_digest,
                         .data = run->examples.digest,
                         .method = run->options->method,
                         .trained = run->trained_text,
                         .numerics = hone_device_numerics(run->device),
                         .seed = run->options->seed,
                         .batch = run->pairs_per_step};
}

/** The run folder: the effective options, metrics kept up to where the checkpoint stands. */
static hone_status open_folder(hn_run_state *run) {
    const hn_identity identity = hn_run_identity(run);
    char *text = NULL, *path = NULL, *events = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_folder_make(run->options->out));
    HN_GO(hn_path_join(run->options->out, "checkpoints", &run->checkpoints));
    HN_GO(hn_path_join(run->options->out, "metrics.jsonl", &run->metrics));
    if (run->options->resume)
        HN_GO(hn_snapshot_restore(run->checkpoints, &identity, run->trained, run->optimizer, &run->step));
    HN_GO(hn_metrics_begin(run->metrics, run->step));
    if (run->options->tensorboard) {
        HN_GO(hn_path_join(run->options->out, "tensorboard", &events));
        HN_GO(hn_tensorboard_begin(events, run->step + 1, &run->events));
    }
    HN_GO(hone_train_options_text(run->options, &text));
    HN_GO(hn_path_join(run->options->out, "config.yaml", &path));
    HN_GO(hn_file_replace(path, text, strlen(text)));
done:
    hn_free(events);
    hn_free(path);
    hn_free(text);
    return status;
}

static hone_status prepare(hn_run_state *run) {
    HN_TRY(hn_schedule_parse(run->options->schedule, &run->schedule));
    HN_TRY(hn_pack_parse(run->options->pack, &run->layout));
    run->fresh_reference = run->layout == HONE_PACK_PADDED;
    HN_TRY(open_device(run));
    run->base_bytes = hn_resident_bytes();
    HN_TRY(open_model(run));
    HN_TRY(open_data(run));
    count_steps(run);
    run->fresh_reference = run->fresh_reference || reads_few(run);
    return hn_parameters_make_trainable(run->trained);
}

hone_status hn_run_prepare(const hone_train_options *options, const hone_train_observer *observer,
                           hn_run_state *run) {
    memset(run, 0, sizeof *run);
    run->options = options;
    run->observer = observer;
    const hone_status status = prepare(run);
    if (status != HONE_OK)
        hn_run_close(run);
    return status;
}

/** What can't fit is refused before anything large is made. */
static hone_status plan(hn_run_state *run) {
    hone_train_memory memory;

    HN_TRY(hn_run_plan(run, &memory));
    if (memory.recomputed > 0)
        hn_log(HONE_LOG_INFO, "%lld of %lld layers are recomputed in backward, to stay under %.0f MB",
               (long long)memory.recomputed, (long long)memory.layers, (double)memory.limit / 1e6);
    return HONE_OK;
}

/** Before anything that takes long: a folder that is taken, or holds another run. The lock comes first: while a run goes
 *  on, --resume is no advice. */
static hone_status claim(const hone_train_options *options, hn_lock **out) {
    char *path = NULL;
    hn_lock *lock = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_path_join(options->out, "checkpoints", &path));
    HN_GO(hn_lock_take(options->out, &lock));
    if (!options->resume && hn_folder_exists(path))
        HN_GO(hn_fail(HONE_ERROR_ARGUMENT,
                      "%s holds a run already: pass --resume to go on with it, or another --out",
                      options->out));
    *out = lock;
    lock = NULL;
done:
    hn_lock_release(lock);
    hn_free(path);
    return status;
}

/** What can't be gone on with is refused before the reference is computed. */
static hone_status check_resume(const hn_run_state *run) {
    const hn_identity identity = hn_run_identity(run);
    char *path = NULL;

    if (!run->options->resume)
        return HONE_OK;
    HN_TRY(hn_path_join(run->options->out, "checkpoints", &path));
    const hone_status status = hn_snapshot_check(path, &identity);
    hn_free(path);
    return status;
}

static hone_status open_rest(hn_run_state *run) {
    HN_TRY(plan(run));
    HN_TRY(check_resume(run));
    HN_TRY(open_reference(run));
    HN_TRY(open_training(run));
    HN_TRY(hn_watch_create(run, &run->watch));
    return open_folder(run);
}

hone_status hn_run_open(const hone_train_options *options, const hone_train_observer *observer,
                        hn_run_state *run) {
    hn_lock *lock = NULL;

    memset(run, 0, sizeof *run);
    HN_TRY(claim(options, &lock));
    hone_status status = hn_run_prepare(options, observer, run);
    run->lock = lock;
    if (status == HONE_OK)
        status = open_rest(run);
    if (status != HONE_OK)
        hn_run_close(run);
    return status;
}

void hn_run_close(hn_run_state *run) {
    hn_saver_destroy(run->saver);
    hn_network_destroy(run->network);
    hn_network_destroy(run->reference_network);
    hn_optimizer_destroy(run->optimizer);
    hn_watch_destroy(run->watch);
    hn_reference_clear(&run->reference);
    hn_examples_clear(&run->examples);
    hn_mixture_clear(&run->mixture);
    hone_template_destroy(run->form);
    hone_tokenizer_destroy(run->tokenizer);
    hone_adapter_destroy(run->adapter);
    hone_model_destroy(run->reference_model);
    hone_model_destroy(run->model);
    hone_device_close(run->device);
    hn_batch_clear(&run->batch);
    hn_free(run->edges);
    hn_free(run->order);
    hn_free(run->order_scratch);
    hn_free(run->trained_text);
    hn_free(run->checkpoints);
    hn_free(run->metrics);
    hn_free(run->events);
    hn_free(run->cache);
    hn_lock_release(run->lock);
    memset(run, 0, sizeof *run);
}
