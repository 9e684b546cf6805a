#include <core/file.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>
#include <train/metrics.h>
#include <train/run.h>

hone_status hn_run_save(hn_run_state *run) {
    const hn_identity identity = hn_run_identity(run);

    if (run->saver == NULL)
        HN_TRY(hn_saver_create(run->checkpoints, run->options->keep, &identity, run->trained, run->optimizer,
                               &run->saver));
    return hn_saver_begin(run->saver, run->step);
}

hone_status hn_run_finish(hn_run_state *run, char *folder, size_t size) {
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_path_join(run->options->out, "final", &path));
    if (run->adapter != NULL)
        HN_GO(hone_adapter_save(run->adapter, path, run->options->model));
    else {
        HN_GO(hone_model_save(run->model, path, HONE_F32));
        HN_GO(hone_tokenizer_save(run->tokenizer, path));
    }
    snprintf(folder, size, "%s", path);
done:
    hn_free(path);
    return status;
}

static bool asked_to_stop(const hn_run_state *run) {
    return run->observer->stop != NULL && run->observer->stop(run->observer->context);
}

static bool save_is_due(const hn_run_state *run) {
    return run->options->save_every > 0 && run->step % run->options->save_every == 0;
}

/** Steps until the end, a wish to stop, or the end of the patience; the last state is always saved. */
static hone_status loop(hn_run_state *run, hone_train_summary *summary) {
    hone_train_metrics metrics = {0};
    bool enough = false;

    HN_TRY(hn_watch_begin(run->watch, run, &enough));
    while (run->step < run->steps && !enough) {
        HN_TRY(hn_run_step(run, &metrics));
        HN_TRY(hn_metrics_append(run->metrics, run->events, &metrics, run->options->loss.method));
        summary->loss = metrics.loss;
        summary->pairs += metrics.pairs;
        summary->pairs_per_second = metrics.pairs_per_second;
        summary->tree_ratio = (double)metrics.naive_tokens / (double)metrics.packed_tokens;
        if (run->observer->stepped != NULL)
            run->observer->stepped(run->observer->context, &metrics);
        HN_TRY(hn_watch_look(run->watch, run, &enough));
        const bool stop = asked_to_stop(run);
        if (save_is_due(run) || stop || enough || run->step == run->steps)
            HN_TRY(hn_run_save(run));
        if (stop || enough || run->step == run->steps)
            HN_TRY(hn_saver_wait(run->saver));
        if (stop && !enough && run->step < run->steps)
            return hn_fail(HONE_ERROR_INTERRUPTED,
                           "stopped after step %lld of %lld; saved %s; go on with --resume",
                           (long long)run->step, (long long)run->steps, hn_saver_last(run->saver));
    }
    return HONE_OK;
}

hone_status hone_train(const hone_train_options *options, const hone_train_observer *observer,
                       hone_train_summary *summary) {
    static const hone_train_observer silent = {0};
    hn_run_state run;
    hone_status status = HONE_OK;
    const double began = hn_seconds();

    memset(summary, 0, sizeof *summary);
    HN_TRY(hn_run_open(options, observer != NULL ? observer : &silent, &run));
    summary->parameters = hone_model_parameters(run.model);
    summary->trainable = hn_parameters_elements(run.trained);
    if (run.step >= run.steps)
        hn_log(HONE_LOG_INFO, "the run is complete: step %lld of %lld", (long long)run.step,
               (long long)run.steps);
    status = loop(&run, summary);
    summary->steps = run.step;
    summary->planned = run.steps;
    summary->recomputed = run.recompute;
    hn_watch_summarise(run.watch, summary);
    summary->seconds = hn_seconds() - began;
    summary->peak_bytes = hn_peak_bytes();
    if (run.saver != NULL && hn_saver_last(run.saver) != NULL)
        snprintf(summary->checkpoint, sizeof summary->checkpoint, "%s", hn_saver_last(run.saver));
    if (status == HONE_OK)
        status = hn_run_finish(&run, summary->final_folder, sizeof summary->final_folder);
    hn_run_close(&run);
    return status;
}
