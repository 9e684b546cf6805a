#include "eval/candidates.h"
#include "eval/judge.h"

#include <core/file.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CANDIDATES = 1024 };

/** While pairs are made. */
typedef struct maker {
    const hone_pairs_options *options;
    hone_eval_options sampling; /**< what sampling wants of the options */
    hn_eval_run run;
    hn_behaviour behaviour;
    hone_judge *judge;
    const json_t **answer; /**< [prompts * samples] */
    hn_candidate *candidate;
    hn_pair *pair;
    double *logit, *mean;
    hn_bytes text; /**< of pairs.jsonl */
    hn_candidate_counts counts;
    int64_t prompts, pairs, ties, no_verdict, alone, chosen_tokens, rejected_tokens;
    double preference, chosen_score, rejected_score;
} maker;

static hone_status parse_name(const char *text, const char *const *name, int count, const char *what,
                              int *out) {
    for (*out = 0; *out < count; ++*out)
        if (strcmp(text, name[*out]) == 0)
            return HONE_OK;
    return hn_fail(HONE_ERROR_ARGUMENT, "%s \"%s\": must be %s, %s or %s", what, text, name[0], name[1],
                   name[2]);
}

static const char *const select_names[] = {"draw", "best", "all"};
static const char *const label_names[] = {"soft", "hard", "sampled"};

hone_status hone_pairs_select_parse(const char *text, hone_pairs_select *select) {
    int found = 0;
    *select = HONE_PAIRS_DRAW;
    HN_TRY(parse_name(text, select_names, 3, "--select", &found));
    *select = (hone_pairs_select)found;
    return HONE_OK;
}

hone_status hone_pairs_label_parse(const char *text, hone_pairs_label *label) {
    int found = 0;
    *label = HONE_PAIRS_SOFT;
    HN_TRY(parse_name(text, label_names, 3, "--label", &found));
    *label = (hone_pairs_label)found;
    return HONE_OK;
}

hone_pairs_options hone_pairs_defaults(void) {
    hone_pairs_options o = {.sample = hone_sample_defaults(),
                            .samples = 2,
                            .judge = hone_judge_defaults(),
                            .count = 1,
                            .weights = HONE_WEIGHTS_AUTO};
    o.sample.temperature = 1.0;
    return o;
}

static hone_status check(const hone_pairs_options *o) {
    if (o->data == NULL || o->out == NULL || o->policy.model == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "pairs need a model, prompts and a folder to go to");
    if (o->limit < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--limit is %lld, must be at least 0", (long long)o->limit);
    if (o->sample.revisions < 0 || o->samples < 1 || o->samples > MOST_CANDIDATES ||
        o->sample.revisions >= MOST_CANDIDATES || o->samples * (o->sample.revisions + 1) < 2 ||
        o->samples * (o->sample.revisions + 1) > MOST_CANDIDATES)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--samples is %lld and --revisions %lld: samples * (revisions + 1) must be in [2, %d]",
                       (long long)o->samples, (long long)o->sample.revisions, MOST_CANDIDATES);
    if (o->count < 1)
        return hn_fail(HONE_ERROR_ARGUMENT, "--pairs is %lld, must be at least 1", (long long)o->count);
    if (!(o->sample.temperature > 0.0) && o->sample.revisions == 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "--temperature is %g: samples of a prompt would all be the same; must be > 0",
                       o->sample.temperature);
    return HONE_OK;
}

static hone_status prepare(maker *m) {
    const hone_pairs_options *o = m->options;
    const size_t most = (size_t)(o->samples * (o->sample.revisions + 1));
    char *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_behaviour_parse(o->behaviour, &m->behaviour));
    HN_GO(hn_judge_open_beside(&o->judge, o->out, m->run.observer, &m->judge));
    if (m->behaviour.strength[HN_SCORE] != 0.0 && !hone_judge_has_scores(m->judge))
        HN_GO(hn_fail(HONE_ERROR_ARGUMENT,
                      "behaviour \"%s\": the judge \"%s\" compares texts and has no score", o->behaviour,
                      o->judge.spec));
    HN_GO(hn_alloc(&m->candidate, most, sizeof *m->candidate, "candidates"));
    HN_GO(hn_alloc(&m->logit, most, sizeof *m->logit, "candidates"));
    HN_GO(hn_alloc(&m->mean, most, sizeof *m->mean, "candidates"));
    HN_GO(hn_alloc(&m->pair, most * (most - 1) / 2, sizeof *m->pair, "pairs"));
    HN_GO(hn_candidates_rows(o->data, o->limit, o->samples, &m->run.rows[0]));
    m->prompts = m->run.rows[0].count;
    m->run.rows[0].count *= o->samples;
    HN_GO(hn_alloc(&m->answer, (size_t)m->run.rows[0].count, sizeof *m->answer, "answers"));
    HN_GO(hn_lock_take(o->out, &m->run.lock));
    HN_GO(hn_path_join(o->out, "drafts.jsonl", &path));
    HN_GO(hn_drafts_open(path, &m->run.drafts));
    HN_GO(hone_device_open(o->device, &o->on, &m->run.device));
done:
    hn_free(path);
    return status;
}

static void destroy(maker *m) {
    /* Repeated rows share what they hold. */
    if (m->prompts > 0)
        m->run.rows[0].count = m->prompts;
    hn_eval_rows_clear(&m->run.rows[0]);
    hn_drafts_close(&m->run.drafts);
    hn_lock_release(m->run.lock);
    hone_device_close(m->run.device);
    hone_judge_close(m->judge);
    hn_bytes_clear(&m->text);
    hn_free((void *)m->answer);
    hn_free(m->candidate);
    hn_free(m->pair);
    hn_free(m->logit);
    hn_free(m->mean);
}

static json_t *side_json(const hn_candidate *c) {
    return json_pack("{s:I,s:I,s:I,s:o}", "sample", (json_int_t)c->sample, "revision",
                     (json_int_t)c->revision, "tokens", (json_int_t)c->tokens, "score",
                     isnan(c->score) ? json_null() : json_real(c->score));
}

static json_t *row_json(const maker *m, int64_t row, const hn_candidate *w, const hn_candidate *l, double p) {
    const hone_pairs_options *o = m->options;
    json_t *out = json_pack("{s:s,s:s,s:s,s:{s:s,s:s,s:s?,s:I,s:I,s:f,s:o,s:o}}", "prompt",
                            m->run.rows[0].row[row * o->samples].prompt, "chosen", w->text, "rejected",
                            l->text, "source", "policy", o->policy.name, "judge", o->judge.spec, "behaviour",
                            o->behaviour, "seed", (json_int_t)o->sample.seed, "row", (json_int_t)row, "p", p,
                            "chosen", side_json(w), "rejected", side_json(l));
    if (out != NULL && o->label == HONE_PAIRS_SOFT && p < 1.0)
        json_object_set_new(out, "preference", json_real(p));
    return out;
}

static hone_status write_row(maker *m, int64_t row, const hn_candidate *w, const hn_candidate *l, double p) {
    json_t *object = row_json(m, row, w, l, p);
    char *line = object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    hone_status status = HONE_OK;

    if (line == NULL)
        HN_GO(hn_fail(HONE_ERROR_MEMORY, "no memory for a pair"));
    HN_GO(hn_bytes_append(&m->text, line, strlen(line)));
    HN_GO(hn_bytes_append(&m->text, "\n", 1));
    m->pairs++;
    m->preference += p;
    m->chosen_tokens += w->tokens;
    m->rejected_tokens += l->tokens;
    m->chosen_score += w->score;
    m->rejected_score += l->score;
done:
    free(line);
    json_decref(object);
    return status;
}

/** The label of a pair whose p(a > b) is known. */
static hone_status label(maker *m, int64_t row, const hn_pair *pair, double p) {
    const hn_candidate *a = &m->candidate[pair->a], *b = &m->candidate[pair->b];
    bool first = p > 0.5;

    if (isnan(p)) {
        m->no_verdict++;
        return HONE_OK;
    }
    if (m->options->label == HONE_PAIRS_SAMPLED)
        first = hn_random_uniform((uint64_t)m->options->sample.seed, HN_PURPOSE_LABELS, 0,
                                  (uint64_t)row << 32 | (uint64_t)(pair->a << 16) | (uint64_t)pair->b) < p;
    else if (p == 0.5) {
        m->ties++;
        return HONE_OK;
    }
    return first ? write_row(m, row, a, b, p) : write_row(m, row, b, a, 1.0 - p);
}

static hone_status compare(const maker *m, int64_t row, int64_t a, int64_t b, double *p) {
    HN_TRY(hn_eval_check_stop(&m->run));
    return hone_judge_compare(m->judge, &m->run.rows[0].row[row * m->options->samples], m->candidate[a].text,
                              m->candidate[b].text, p);
}

/** The best and the worst by mean p against the others; pairs without a verdict say nothing. */
static hone_status extremes(maker *m, int64_t row, int64_t count, hn_pair *out) {
    double p = 0.0;

    memset(m->mean, 0, (size_t)count * sizeof *m->mean);
    for (int64_t a = 0; a < count; a++)
        for (int64_t b = a + 1; b < count; b++) {
            HN_TRY(compare(m, row, a, b, &p));
            m->mean[a] += isnan(p) ? 0.0 : p - 0.5;
            m->mean[b] += isnan(p) ? 0.0 : 0.5 - p;
        }
    *out = (hn_pair){0, 0, 0.0};
    for (int64_t i = 1; i < count; i++) {
        out->a = m->mean[i] > m->mean[out->a] ? i : out->a;
        out->b = m->mean[i] <= m->mean[out->b] ? i : out->b;
    }
    return HONE_OK;
}

static hone_status make_row(maker *m, int64_t row) {
    const hone_pairs_options *o = m->options;
    const hone_case *about = &m->run.rows[0].row[row * o->samples];
    int64_t count = 0, pairs = 1;
    double p = 0.0;

    HN_TRY(hn_candidates_of(m->answer + row * o->samples, o->samples, o->sample.revisions + 1, about,
                            m->judge, m->candidate, &count, &m->counts));
    if (count < 2) {
        m->alone++;
        return HONE_OK;
    }
    if (o->select == HONE_PAIRS_BEST)
        HN_TRY(extremes(m, row, count, &m->pair[0]));
    else {
        hn_behaviour_logits(&m->behaviour, m->candidate, count, m->logit);
        pairs = hn_behaviour_draw(m->logit, count, (uint64_t)o->sample.seed, row,
                                  o->select == HONE_PAIRS_ALL ? INT64_MAX : o->count, m->pair);
    }
    for (int64_t i = 0; i < pairs; i++) {
        HN_TRY(compare(m, row, m->pair[i].a, m->pair[i].b, &p));
        HN_TRY(label(m, row, &m->pair[i], p));
    }
    return HONE_OK;
}

static json_t *counts_json(hone_judge_counts c) {
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "asked", (json_int_t)c.asked, "failed",
                     (json_int_t)c.failed, "requests", (json_int_t)c.requests, "retried",
                     (json_int_t)c.retried, "cached", (json_int_t)c.cached, "unreadable",
                     (json_int_t)c.unreadable);
}

static json_t *mean_json(double sum, int64_t count) {
    return isnan(sum) ? json_null() : json_real(sum / (double)count);
}

static json_t *summary_json(const maker *m) {
    const hone_pairs_options *o = m->options;
    json_t *sampling =
        json_pack("{s:I,s:I,s:I,s:f,s:I,s:f,s:I}", "samples", (json_int_t)o->samples, "revisions",
                  (json_int_t)o->sample.revisions, "max_tokens", (json_int_t)o->sample.max_tokens,
                  "temperature", o->sample.temperature, "top_k", (json_int_t)o->sample.top_k, "top_p",
                  o->sample.top_p, "seed", (json_int_t)o->sample.seed);
    return json_pack("{s:{s:s,s:s,s:s?},s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o,s:{s:o,s:o},s:{s:o,s:"
                     "o},s:s,s:f,s:s?,"
                     "s:s,s:s,s:o,s:o}",
                     "policy", "name", o->policy.name, "model", o->policy.model, "adapter", o->policy.adapter,
                     "data", o->data, "template", o->template_name != NULL ? o->template_name : "plain",
                     "rows", (json_int_t)m->prompts, "candidates", (json_int_t)m->counts.kept, "unended",
                     (json_int_t)m->counts.unended, "empty", (json_int_t)m->counts.empty, "repeated",
                     (json_int_t)m->counts.repeated, "pairs", (json_int_t)m->pairs, "ties",
                     (json_int_t)m->ties, "no_verdict", (json_int_t)m->no_verdict, "alone",
                     (json_int_t)m->alone, "preference", mean_json(m->preference, m->pairs), "tokens",
                     "chosen", mean_json((double)m->chosen_tokens, m->pairs), "rejected",
                     mean_json((double)m->rejected_tokens, m->pairs), "score", "chosen",
                     mean_json(m->chosen_score, m->pairs), "rejected", mean_json(m->rejected_score, m->pairs),
                     "judge", o->judge.spec, "judge_temperature", o->judge.temperature, "behaviour",
                     o->behaviour, "label", label_names[o->label], "select", select_names[o->select],
                     "sampling", sampling, "judged", counts_json(hone_judge_counted(m->judge)));
}

/** The pairs first: a summary without them would be of nothing. */
static hone_status write_files(const maker *m, char **json) {
    json_t *summary = summary_json(m);
    char *pairs = NULL, *path = NULL, *text = NULL;
    hone_status status = HONE_OK;

    if (summary == NULL || (text = json_dumps(summary, JSON_COMPACT)) == NULL)
        HN_GO(hn_fail(HONE_ERROR_MEMORY, "no memory for the summary"));
    HN_GO(hn_path_join(m->options->out, "pairs.jsonl", &pairs));
    HN_GO(hn_file_replace(pairs, m->text.data, m->text.length));
    HN_GO(hn_path_join(m->options->out, "summary.json", &path));
    HN_GO(hn_json_write(path, summary));
    status = hn_strdup(json, text);
done:
    free(text);
    hn_free(path);
    hn_free(pairs);
    json_decref(summary);
    return status;
}

static hone_status make(maker *m, char **json) {
    const hone_pairs_options *o = m->options;
    hn_eval_answered own[HN_EVAL_SETS] = {{NULL, NULL}};

    HN_TRY(check(o));
    HN_TRY(prepare(m));
    own[0].drafts = m->answer;
    HN_TRY(hn_eval_answers(&m->run, &o->policy, own));
    for (int64_t row = 0; row < m->prompts; row++) {
        HN_TRY(make_row(m, row));
        hn_eval_progress(&m->run, "judging", row + 1, m->prompts);
    }
    if (m->pairs == 0)
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: no pair out of %lld prompts: %lld ties, %lld without a verdict, %lld prompts with "
            "fewer than two different answers that ended within %lld tokens",
            o->data, (long long)m->prompts, (long long)m->ties, (long long)m->no_verdict, (long long)m->alone,
            (long long)o->sample.max_tokens);
    return write_files(m, json);
}

hone_status hone_pairs_make(const hone_pairs_options *options, const hone_eval_observer *observer,
                            char **json) {
    maker m = {.options = options,
               .sampling = {.policy = &options->policy,
                            .policies = 1,
                            .data = options->data,
                            .template_name = options->template_name,
                            .on = options->on,
                            .weights = options->weights,
                            .sample = options->sample},
               .run = {.observer = observer, .sets = 1}};

    *json = NULL;
    m.run.options = &m.sampling;
    const hone_status status = make(&m, json);
    destroy(&m);
    return status;
}
