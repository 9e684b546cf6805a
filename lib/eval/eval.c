#include "eval/answers.h"
#include "eval/judge.h"
#include "eval/tables.h"

#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdlib.h>
#include <string.h>

static hone_status check_names(const hone_eval_options *o) {
    bool known = o->against == NULL;

    if (o->policies == 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "there is no model to evaluate");
    for (size_t i = 0; i < o->policies; i++) {
        known = known || strcmp(o->against, o->policy[i].name) == 0;
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->policy[i].name, o->policy[k].name) == 0)
                return hn_fail(HONE_ERROR_ARGUMENT, "two models are named \"%s\": tables need distinct names",
                               o->policy[i].name);
    }
    if (!known)
        return hn_fail(HONE_ERROR_ARGUMENT, "--against \"%s\" is none of the models evaluated", o->against);
    return HONE_OK;
}

static hone_status check(const hone_eval_options *o) {
    HN_TRY(check_names(o));
    if (o->data == NULL || o->out == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "an evaluation needs data and a folder for its results");
    if (o->limit < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--limit is %lld, must be at least 0", (long long)o->limit);
    if (o->examples < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--show is %lld, must be at least 0", (long long)o->examples);
    if (o->bootstrap.resamples < 2 || o->bootstrap.size < 1)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--resamples is %lld and --resample-size %lld, must be at least 2 and 1",
                       (long long)o->bootstrap.resamples, (long long)o->bootstrap.size);
    if (o->sample.revisions < 0 || o->sample.revisions > 1000)
        return hn_fail(HONE_ERROR_ARGUMENT, "--revisions is %lld, must be in [0, 1000]",
                       (long long)o->sample.revisions);
    return HONE_OK;
}

static hone_status open_run(hn_eval_run *run) {
    const hone_eval_options *o = run->options;
    char *path = NULL;
    hone_status status = HONE_OK;

    run->sets = o->ood != NULL ? 2 : 1;
    for (int set = 0; set < run->sets; set++)
        HN_GO(hn_eval_rows_read(set == 0 ? o->data : o->ood, o->limit, &run->rows[set]));
    HN_GO(hn_lock_take(o->out, &run->lock));
    HN_GO(hn_path_join(o->out, "drafts.jsonl", &path));
    HN_GO(hn_drafts_open(path, &run->drafts));
    HN_GO(hone_device_open(o->device, &o->on, &run->device));
done:
    hn_free(path);
    return status;
}

static void close_run(hn_eval_run *run) {
    hone_device_close(run->device);
    hn_drafts_close(&run->drafts);
    for (int set = 0; set < run->sets; set++)
        hn_eval_rows_clear(&run->rows[set]);
    hn_lock_release(run->lock);
}

static json_t *policies_json(const hone_eval_options *o) {
    json_t *list = json_array();
    for (size_t i = 0; i < o->policies; i++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:s?}", "name", o->policy[i].name, "model",
                                              o->policy[i].model, "adapter", o->policy[i].adapter));
    return list;
}

static json_t *sets_json(const hn_eval_run *run) {
    json_t *list = json_array();
    for (int set = 0; set < run->sets; set++)
        json_array_append_new(list, json_pack("{s:s,s:s,s:I}", "name", hn_eval_set_name(set), "data",
                                              set == 0 ? run->options->data : run->options->ood, "rows",
                                              (json_int_t)run->rows[set].count));
    return list;
}

/** Everything but the numbers. */
static json_t *head_json(const hn_eval_run *run) {
    const hone_eval_options *o = run->options;
    json_t *sampling = json_pack("{s:I,s:f,s:I,s:f,s:I}", "max_tokens", (json_int_t)o->sample.max_tokens,
                                 "temperature", o->sample.temperature, "top_k", (json_int_t)o->sample.top_k,
                                 "top_p", o->sample.top_p, "seed", (json_int_t)o->sample.seed);
    json_t *bootstrap = json_pack("{s:I,s:I,s:I}", "resamples", (json_int_t)o->bootstrap.resamples, "size",
                                  (json_int_t)o->bootstrap.size, "seed", (json_int_t)o->bootstrap.seed);
    return json_pack("{s:s,s:f,s:s,s:I,s:o,s:o,s:o,s:o,s:[],s:[],s:[],s:[],s:[]}", "judge", o->judge.spec,
                     "judge_temperature", o->judge.temperature, "opponent",
                     o->against != NULL ? o->against : "reference", "revisions",
                     (json_int_t)o->sample.revisions, "sampling", sampling, "bootstrap", bootstrap,
                     "policies", policies_json(o), "sets", sets_json(run), "results", "kept", "paired",
                     "head_to_head", "examples");
}

static hone_status write_results(const hn_eval_run *run, const json_t *out, char **text) {
    char *path = NULL, *dumped = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_path_join(run->options->out, "results.json", &path));
    HN_GO(hn_json_write(path, out));
    dumped = json_dumps(out, JSON_COMPACT);
    if (dumped == NULL)
        HN_GO(hn_fail(HONE_ERROR_MEMORY, "out of memory for the results"));
    status = hn_strdup(text, dumped);
done:
    free(dumped);
    hn_free(path);
    return status;
}

static hone_status judge_run(const hn_eval_run *run, hone_judge *judge,
                             const hn_eval_answered answered[HN_EVAL_SETS], char **text) {
    json_t *out = head_json(run);
    hone_status status = HONE_OK;

    if (out == NULL)
        return hn_fail(HONE_ERROR_MEMORY, "out of memory for the results");
    for (int set = 0; set < run->sets; set++)
        HN_GO(hn_eval_tables(run, judge, set, &answered[set], out));
    const hone_judge_counts counts = hone_judge_counted(judge);
    json_object_set_new(out, "judged",
                        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "asked", (json_int_t)counts.asked, "failed",
                                  (json_int_t)counts.failed, "requests", (json_int_t)counts.requests,
                                  "retried", (json_int_t)counts.retried, "cached", (json_int_t)counts.cached,
                                  "unreadable", (json_int_t)counts.unreadable));
    HN_GO(write_results(run, out, text));
done:
    json_decref(out);
    return status;
}

/** The answers of all policies, [policy * rows + row]. */
static hone_status collect(hn_eval_run *run, hn_eval_answered answered[HN_EVAL_SETS]) {
    const hone_eval_options *o = run->options;
    const bool best = o->reference != NULL && o->sample.revisions > 0;

    for (int set = 0; set < run->sets; set++) {
        const size_t count = o->policies * (size_t)run->rows[set].count;
        HN_TRY(hn_alloc(&answered[set].drafts, count, sizeof *answered[set].drafts, "answers"));
        if (best)
            HN_TRY(hn_alloc(&answered[set].best, count, sizeof *answered[set].best, "answers"));
    }
    for (size_t i = 0; i < o->policies; i++) {
        hn_eval_answered own[HN_EVAL_SETS] = {{NULL, NULL}};
        for (int set = 0; set < run->sets; set++) {
            const int64_t first = (int64_t)i * run->rows[set].count;
            own[set].drafts = answered[set].drafts + first;
            own[set].best = best ? answered[set].best + first : NULL;
        }
        HN_TRY(hn_eval_answers(run, &o->policy[i], own));
    }
    return HONE_OK;
}

hone_status hone_eval(const hone_eval_options *options, const hone_eval_observer *observer, char **json) {
    hn_eval_run run = {.options = options, .observer = observer};
    hn_eval_answered answered[HN_EVAL_SETS] = {{NULL, NULL}};
    hone_judge *judge = NULL;
    hone_status status = HONE_OK;

    *json = NULL;
    HN_GO(check(options));
    HN_GO(hn_judge_open_beside(&options->judge, options->out, observer, &judge));
    HN_GO(open_run(&run));
    HN_GO(collect(&run, answered));
    HN_GO(judge_run(&run, judge, answered, json));
done:
    for (int set = 0; set < HN_EVAL_SETS; set++) {
        hn_free((void *)answered[set].drafts);
        hn_free(answered[set].best);
    }
    close_run(&run);
    hone_judge_close(judge);
    return status;
}
