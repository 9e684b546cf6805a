#include "eval/answers.h"

#include <core/hash.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>

/** A policy while it is open. */
typedef struct policy {
    hone_model *model, *reference;
    hone_adapter *adapter;
    hone_tokenizer *tokenizer;
    hone_template *form;
    hone_sampler *sampler;
    char identity[33]; /**< of everything that drafts depend on, apart from prompt and number */
} policy;

const char *hn_eval_set_name(int set) { return set == 0 ? "in" : "out"; }

/** Sets draw different numbers. */
static int64_t number_of(int set, int64_t row) { return ((int64_t)set << 32) + row; }

void hn_eval_progress(const hn_eval_run *run, const char *what, int64_t done, int64_t total) {
    if (run->observer != NULL && run->observer->progress != NULL)
        run->observer->progress(run->observer->context, what, done, total);
}

static hone_status open_policy(const hn_eval_run *run, const hone_eval_policy *from, policy *p) {
    const hone_eval_options *o = run->options;

    HN_TRY(hone_tokenizer_open(from->model, &p->tokenizer));
    HN_TRY(hone_template_open(o->template_name != NULL ? o->template_name : "plain", p->tokenizer, &p->form));
    HN_TRY(hone_model_open_stored(run->device, from->model, o->weights, &p->model));
    if (from->adapter != NULL)
        HN_TRY(hone_adapter_open(p->model, from->adapter, &p->adapter));
    if (o->reference != NULL)
        HN_TRY(hone_model_open_stored(run->device, o->reference, o->weights, &p->reference));
    return hone_sampler_create(p->model, p->adapter, p->tokenizer, p->form, &o->sample, &p->sampler);
}

static void close_policy(policy *p) {
    hone_sampler_destroy(p->sampler);
    hone_adapter_destroy(p->adapter);
    hone_model_destroy(p->reference);
    hone_model_destroy(p->model);
    hone_template_destroy(p->form);
    hone_tokenizer_destroy(p->tokenizer);
}

/** Both contexts of a probe: templates that write the same are the same. */
static hone_status hash_template(const policy *p, hn_hasher *hasher) {
    int32_t x[] = {0}, y[] = {1};
    const hone_ids prompt = {x, 1, 1}, draft = {y, 1, 1};
    hone_ids context = {0};
    hone_status status = HONE_OK;

    for (int role = 0; role < 2; role++) {
        context.count = 0;
        HN_GO(hone_template_context(p->form, &prompt, role == 0 ? NULL : &draft, &context));
        hn_hasher_update(hasher, context.data, (size_t)context.count * sizeof *context.data);
    }
done:
    hone_ids_clear(&context);
    return status;
}

static hone_status identify(policy *p, const hone_eval_options *o) {
    const hone_sample_options *sample = &o->sample;
    const int64_t numbers[] = {sample->max_tokens, sample->top_k, sample->seed};
    const double reals[] = {sample->temperature, sample->top_p};
    char digest[33] = "";
    hn_hasher *hasher = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&hasher));
    HN_GO(hone_model_digest(p->model, digest));
    hn_hasher_text(hasher, digest);
    digest[0] = '\0';
    if (p->adapter != NULL)
        HN_GO(hone_adapter_digest(p->adapter, digest));
    hn_hasher_text(hasher, digest);
    hn_hasher_text(hasher, hone_tokenizer_digest(p->tokenizer));
    HN_GO(hash_template(p, hasher));
    hn_hasher_update(hasher, numbers, sizeof numbers);
    hn_hasher_update(hasher, reals, sizeof reals);
    hn_hasher_text(hasher, o->on.dtype != NULL ? o->on.dtype : "f32");
    hn_hasher_digest(hasher, p->identity);
done:
    hn_hasher_destroy(hasher);
    return status;
}

static hone_status make_key(const policy *p, const char *prompt, int64_t number, char key[33]) {
    hn_hasher *hasher = NULL;

    HN_TRY(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, p->identity);
    hn_hasher_text(hasher, prompt);
    hn_hasher_update(hasher, &number, sizeof number);
    hn_hasher_digest(hasher, key);
    hn_hasher_destroy(hasher);
    return HONE_OK;
}

static json_t *about_row(const hone_eval_policy *from, int set, int64_t row, const hone_case *c) {
    json_t *about = json_pack("{s:s,s:s,s:I,s:s}", "policy", from->name, "set", hn_eval_set_name(set), "row",
                              (json_int_t)row, "prompt", c->prompt);
    if (c->reference != NULL)
        json_object_set_new(about, "reference", json_string(c->reference));
    return about;
}

/** Rows first .. first + count of a set, which must be one batch. */
static hone_status sample(hn_eval_run *run, const hone_eval_policy *from, policy *p, int set, int64_t first,
                          int64_t count) {
    const char **prompt = NULL;
    hone_answer *answer = NULL;
    char key[33];
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&prompt, (size_t)count, sizeof *prompt, "prompts"));
    HN_GO(hn_alloc(&answer, (size_t)count, sizeof *answer, "answers"));
    for (int64_t i = 0; i < count; i++)
        prompt[i] = run->rows[set].row[first + i].prompt;
    hone_sampler_seek(p->sampler, number_of(set, first));
    HN_GO(hone_sampler_run(p->sampler, prompt, count, NULL, NULL, answer));
    for (int64_t i = 0; i < count; i++) {
        HN_GO(make_key(p, prompt[i], number_of(set, first + i), key));
        HN_GO(hn_drafts_add(&run->drafts, key,
                            about_row(from, set, first + i, &run->rows[set].row[first + i]), &answer[i]));
    }
done:
    for (int64_t i = 0; answer != NULL && i < count; i++)
        hone_answer_clear(&answer[i]);
    hn_free(answer);
    hn_free((void *)prompt);
    return status;
}

/** Looks rows first .. up; returns in *missing how many from there on, at most `most`, are not stored. */
static hone_status look_up(const hn_eval_run *run, const policy *p, int set, int64_t first, int64_t most,
                           const json_t **answer, int64_t *missing) {
    char key[33];

    *missing = 0;
    for (int64_t i = first; i < run->rows[set].count && *missing < most; i++) {
        HN_TRY(make_key(p, run->rows[set].row[i].prompt, number_of(set, i), key));
        answer[i] = hn_drafts_find(&run->drafts, key, run->options->sample.revisions + 1);
        if (answer[i] != NULL)
            break;
        ++*missing;
    }
    return HONE_OK;
}

hone_status hn_eval_check_stop(const hn_eval_run *run) {
    if (run->observer != NULL && run->observer->stop != NULL && run->observer->stop(run->observer->context))
        return hn_fail(HONE_ERROR_INTERRUPTED, "stopped; what was sampled is in %s", run->drafts.path);
    return HONE_OK;
}

static hone_status answer_set(hn_eval_run *run, const hone_eval_policy *from, policy *p, int set,
                              const json_t **answer) {
    char what[256];
    int64_t missing = 0, again = 0;

    (void)snprintf(what, sizeof what, "%s, %s", from->name, hn_eval_set_name(set));
    for (int64_t i = 0; i<run->rows[set].count; i += missing> 0 ? missing : 1) {
        HN_TRY(look_up(run, p, set, i, run->options->sample.batch, answer, &missing));
        if (missing == 0)
            continue;
        HN_TRY(hn_eval_check_stop(run));
        HN_TRY(sample(run, from, p, set, i, missing));
        for (int64_t k = i; k < i + missing; k++)
            HN_TRY(look_up(run, p, set, k, 1, answer, &again));
        hn_eval_progress(run, what, i + missing, run->rows[set].count);
    }
    return HONE_OK;
}

/** The least improvable of one row's drafts. */
static hone_status find_best(const policy *p, const char *prompt, const json_t *list, int64_t count,
                             int64_t *best) {
    hone_answer answer = {.drafts = count};
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&answer.draft, (size_t)count, sizeof *answer.draft, "drafts"));
    for (int64_t i = 0; i < count; i++)
        HN_GO(hn_strdup(&answer.draft[i].text,
                        json_string_value(json_object_get(json_array_get(list, (size_t)i), "text"))));
    HN_GO(hone_answer_best(p->model, p->adapter, p->reference, p->tokenizer, p->form, prompt, &answer, best,
                           NULL));
done:
    hone_answer_clear(&answer);
    return status;
}

static hone_status find_all_best(const hn_eval_run *run, const hone_eval_policy *from, const policy *p,
                                 int set, const hn_eval_answered *answered) {
    const hn_eval_rows *rows = &run->rows[set];
    char what[256];

    (void)snprintf(what, sizeof what, "%s, %s: r(y|y)", from->name, hn_eval_set_name(set));
    for (int64_t i = 0; i < rows->count; i++) {
        HN_TRY(hn_eval_check_stop(run));
        HN_TRY(find_best(p, rows->row[i].prompt, answered->drafts[i], run->options->sample.revisions + 1,
                         &answered->best[i]));
        hn_eval_progress(run, what, i + 1, rows->count);
    }
    return HONE_OK;
}

hone_status hn_eval_answers(hn_eval_run *run, const hone_eval_policy *from,
                            const hn_eval_answered answered[HN_EVAL_SETS]) {
    policy p = {0};
    hone_status status = HONE_OK;

    HN_GO(open_policy(run, from, &p));
    HN_GO(identify(&p, run->options));
    for (int set = 0; set < run->sets; set++)
        HN_GO(answer_set(run, from, &p, set, answered[set].drafts));
    for (int set = 0; set < run->sets; set++)
        if (answered[set].best != NULL)
            HN_GO(find_all_best(run, from, &p, set, &answered[set]));
done:
    close_policy(&p);
    return status;
}
