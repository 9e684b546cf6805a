#include "eval/tables.h"

#include "eval/examples.h"

#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/** What is judged of one set: [policy][revision][row]. */
typedef struct verdicts {
    const hn_eval_run *run;
    const hn_eval_rows *rows;
    const hn_eval_answered *answered;
    const char *set;
    hone_judge *judge;
    double *win, *score; /**< p(draft better than the opponent), the draft's score; NAN: none */
    double *pair;        /**< [row]: two policies head to head, the drafts that a policy keeps */
    double *half;        /**< [row]: 1/2 */
    int64_t drafts, policies;
    bool scores;
} verdicts;

static const json_t *draft_of(const verdicts *v, int64_t policy, int64_t revision, int64_t row) {
    return json_array_get(v->answered->drafts[policy * v->rows->count + row], (size_t)revision);
}

static const char *text_of(const verdicts *v, int64_t policy, int64_t revision, int64_t row) {
    return json_string_value(json_object_get(draft_of(v, policy, revision, row), "text"));
}

static int64_t at(const verdicts *v, int64_t policy, int64_t revision) {
    return (policy * v->drafts + revision) * v->rows->count;
}

/** The policy that all are compared with, or -1: the reference completion. */
static int64_t opponent(const verdicts *v) {
    const hone_eval_options *o = v->run->options;
    for (size_t i = 0; o->against != NULL && i < o->policies; i++)
        if (strcmp(o->against, o->policy[i].name) == 0)
            return (int64_t)i;
    return -1;
}

static hone_status judge_row(const verdicts *v, int64_t policy, int64_t revision, int64_t row) {
    const hone_case *about = &v->rows->row[row];
    const int64_t other = opponent(v), index = at(v, policy, revision) + row;
    const char *text = text_of(v, policy, revision, row);
    const char *against = other >= 0 ? text_of(v, other, 0, row) : about->reference;

    HN_TRY(hn_eval_check_stop(v->run));
    if (v->scores)
        HN_TRY(hone_judge_score(v->judge, about, text, &v->score[index]));
    if (against == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "row %lld of the set \"%s\" has no reference completion to win against; give rows a "
                       "\"reference\", or name a policy with --against",
                       (long long)row + 1, v->set);
    return hone_judge_compare(v->judge, about, text, against, &v->win[index]);
}

static hone_status judge_all(const verdicts *v) {
    const int64_t total = v->policies * v->drafts;
    for (int64_t i = 0; i < total; i++) {
        for (int64_t row = 0; row < v->rows->count; row++)
            HN_TRY(judge_row(v, i / v->drafts, i % v->drafts, row));
        hn_eval_progress(v->run, "judging", i + 1, total);
    }
    return HONE_OK;
}

static json_t *real(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *estimate_json(const hone_estimate *e) {
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:I}", "value", real(e->value), "mean", real(e->mean), "deviation",
                     real(e->deviation), "low", real(e->low), "high", real(e->high), "count",
                     (json_int_t)e->count);
}

static hone_status put_estimate(const verdicts *v, json_t *object, const char *key, const double *value) {
    hone_estimate e;
    HN_TRY(hone_estimate_mean(value, v->rows->count, &v->run->options->bootstrap, &e));
    json_object_set_new(object, key, estimate_json(&e));
    return HONE_OK;
}

/** "wins", "draws", "losses" of probabilities, and what had no verdict. */
static hone_status put_counts(const verdicts *v, json_t *object, const double *p, bool test) {
    hone_paired sides;
    HN_TRY(hone_paired_test(p, v->half, v->rows->count, v->run->options->bootstrap.seed, &sides));
    json_object_set_new(object, "wins", json_integer(sides.wins));
    json_object_set_new(object, "draws", json_integer(sides.draws));
    json_object_set_new(object, "losses", json_integer(sides.losses));
    json_object_set_new(object, "failed",
                        json_integer(v->rows->count - sides.wins - sides.draws - sides.losses));
    if (test)
        json_object_set_new(object, "sign_p", real(sides.sign_p));
    return HONE_OK;
}

/** How the drafts look, whatever the judge says. */
static void put_looks(const verdicts *v, json_t *object, int64_t policy, int64_t revision) {
    const double rows = (double)v->rows->count;
    double tokens = 0.0, ended = 0.0, changed = 0.0;

    for (int64_t row = 0; row < v->rows->count; row++) {
        const json_t *draft = draft_of(v, policy, revision, row);
        tokens += (double)json_integer_value(json_object_get(draft, "tokens"));
        ended += json_is_true(json_object_get(draft, "ended"));
        changed += revision > 0 &&
                   strcmp(text_of(v, policy, revision, row), text_of(v, policy, revision - 1, row)) != 0;
    }
    json_object_set_new(object, "changed", revision > 0 ? json_real(changed / rows) : json_null());
    json_object_set_new(object, "tokens", json_real(tokens / rows));
    json_object_set_new(object, "ended", json_real(ended / rows));
}

static const char *name_of(const verdicts *v, int64_t policy) { return v->run->options->policy[policy].name; }

static hone_status put_results(const verdicts *v, json_t *list) {
    for (int64_t i = 0; i < v->policies * v->drafts; i++) {
        const int64_t policy = i / v->drafts, revision = i % v->drafts, index = at(v, policy, revision);
        json_t *object = json_pack("{s:s,s:s,s:I}", "policy", name_of(v, policy), "set", v->set, "revision",
                                   (json_int_t)revision);
        json_array_append_new(list, object);
        HN_TRY(put_estimate(v, object, "win_rate", v->win + index));
        HN_TRY(put_counts(v, object, v->win + index, false));
        if (v->scores)
            HN_TRY(put_estimate(v, object, "score", v->score + index));
        put_looks(v, object, policy, revision);
    }
    return HONE_OK;
}

/** The draft that a policy is surest of. Files of an older hone may lack "logp": then it is draft 0. */
static int64_t likeliest(const verdicts *v, int64_t policy, int64_t row) {
    int64_t best = 0;
    double largest = -INFINITY;
    for (int64_t i = 0; i < v->drafts; i++) {
        const json_t *logp = json_object_get(draft_of(v, policy, i, row), "logp");
        if (json_is_number(logp) && json_number_value(logp) >= largest) {
            largest = json_number_value(logp);
            best = i;
        }
    }
    return best;
}

/** Of the numbers [policy][revision][row], those of the kept drafts. */
static hone_status put_kept_estimate(const verdicts *v, json_t *object, const char *key, const double *value,
                                     int64_t policy, const int64_t *kept) {
    for (int64_t row = 0; row < v->rows->count; row++)
        v->pair[row] = value[at(v, policy, kept[row]) + row];
    return put_estimate(v, object, key, v->pair);
}

static hone_status put_kept(const verdicts *v, json_t *list, int64_t policy, const char *by,
                            const int64_t *kept) {
    json_t *object = json_pack("{s:s,s:s,s:s}", "policy", name_of(v, policy), "set", v->set, "by", by);
    double numbers = 0.0;

    json_array_append_new(list, object);
    for (int64_t row = 0; row < v->rows->count; row++)
        numbers += (double)kept[row];
    json_object_set_new(object, "revision", json_real(numbers / (double)v->rows->count));
    HN_TRY(put_kept_estimate(v, object, "win_rate", v->win, policy, kept));
    HN_TRY(put_counts(v, object, v->pair, false));
    return v->scores ? put_kept_estimate(v, object, "score", v->score, policy, kept) : HONE_OK;
}

/** What the policies would keep themselves. */
static hone_status put_all_kept(const verdicts *v, json_t *list) {
    const int64_t rows = v->rows->count;
    int64_t *kept = NULL;
    hone_status status = HONE_OK;

    if (v->drafts == 1)
        return HONE_OK;
    HN_GO(hn_alloc(&kept, (size_t)rows, sizeof *kept, "kept drafts"));
    for (int64_t policy = 0; policy < v->policies; policy++) {
        for (int64_t row = 0; row < rows; row++)
            kept[row] = likeliest(v, policy, row);
        HN_GO(put_kept(v, list, policy, "likeliest", kept));
        if (v->answered->best != NULL)
            HN_GO(put_kept(v, list, policy, "best", v->answered->best + policy * rows));
    }
done:
    hn_free(kept);
    return status;
}

/** Scores say more than verdicts against one opponent, where there are scores. */
static hone_status put_pair(const verdicts *v, json_t *list, const int64_t a[2], const int64_t b[2]) {
    const double *value = v->scores ? v->score : v->win;
    hone_paired t;

    HN_TRY(hone_paired_test(value + at(v, a[0], a[1]), value + at(v, b[0], b[1]), v->rows->count,
                            v->run->options->bootstrap.seed, &t));
    json_array_append_new(
        list, json_pack("{s:s,s:s,s:s,s:I,s:s,s:I,s:o,s:o,s:o,s:I,s:I,s:I,s:o,s:o}", "set", v->set, "on",
                        v->scores ? "score" : "win_rate", "a", name_of(v, a[0]), "a_revision",
                        (json_int_t)a[1], "b", name_of(v, b[0]), "b_revision", (json_int_t)b[1], "difference",
                        real(t.difference), "low", real(t.low), "high", real(t.high), "wins",
                        (json_int_t)t.wins, "draws", (json_int_t)t.draws, "losses", (json_int_t)t.losses,
                        "sign_p", real(t.sign_p), "bootstrap_p", real(t.bootstrap_p)));
    return HONE_OK;
}

static hone_status put_paired(const verdicts *v, json_t *list) {
    for (int64_t revision = 0; revision < v->drafts; revision++)
        for (int64_t a = 0; a < v->policies; a++)
            for (int64_t b = a + 1; b < v->policies; b++)
                HN_TRY(put_pair(v, list, (int64_t[]){a, revision}, (int64_t[]){b, revision}));
    for (int64_t policy = 0; policy < v->policies; policy++)
        for (int64_t revision = 1; revision < v->drafts; revision++)
            HN_TRY(put_pair(v, list, (int64_t[]){policy, revision}, (int64_t[]){policy, 0}));
    return HONE_OK;
}

static hone_status put_match(const verdicts *v, json_t *list, int64_t revision, int64_t a, int64_t b) {
    json_t *object = json_pack("{s:s,s:I,s:s,s:s}", "set", v->set, "revision", (json_int_t)revision, "a",
                               name_of(v, a), "b", name_of(v, b));

    json_array_append_new(list, object);
    for (int64_t row = 0; row < v->rows->count; row++) {
        HN_TRY(hn_eval_check_stop(v->run));
        HN_TRY(hone_judge_compare(v->judge, &v->rows->row[row], text_of(v, a, revision, row),
                                  text_of(v, b, revision, row), &v->pair[row]));
    }
    HN_TRY(put_estimate(v, object, "win_rate", v->pair));
    return put_counts(v, object, v->pair, true);
}

static hone_status put_matches(const verdicts *v, json_t *list) {
    for (int64_t revision = 0; revision < v->drafts && revision < 2; revision++)
        for (int64_t a = 0; a < v->policies; a++)
            for (int64_t b = a + 1; b < v->policies; b++)
                HN_TRY(put_match(v, list, revision, a, b));
    return HONE_OK;
}

static hone_status allocate(verdicts *v) {
    const size_t rows = (size_t)v->rows->count, cells = (size_t)(v->policies * v->drafts);
    size_t count = 0;

    if (!hn_mul_size(rows, cells, &count))
        return hn_fail(HONE_ERROR_MEMORY, "too many verdicts: %zu rows of %zu drafts", rows, cells);
    HN_TRY(hn_alloc(&v->win, count, sizeof *v->win, "verdicts"));
    HN_TRY(hn_alloc(&v->score, count, sizeof *v->score, "scores"));
    HN_TRY(hn_alloc(&v->pair, rows, sizeof *v->pair, "verdicts"));
    HN_TRY(hn_alloc(&v->half, rows, sizeof *v->half, "verdicts"));
    for (size_t i = 0; i < rows; i++)
        v->half[i] = 0.5;
    return HONE_OK;
}

hone_status hn_eval_tables(const hn_eval_run *run, hone_judge *judge, int set,
                           const hn_eval_answered *answered, json_t *out) {
    verdicts v = {.run = run,
                  .rows = &run->rows[set],
                  .answered = answered,
                  .set = hn_eval_set_name(set),
                  .judge = judge,
                  .drafts = run->options->sample.revisions + 1,
                  .policies = (int64_t)run->options->policies,
                  .scores = hone_judge_has_scores(judge)};
    hone_status status = HONE_OK;

    HN_GO(allocate(&v));
    HN_GO(judge_all(&v));
    HN_GO(put_results(&v, json_object_get(out, "results")));
    HN_GO(put_all_kept(&v, json_object_get(out, "kept")));
    HN_GO(put_paired(&v, json_object_get(out, "paired")));
    HN_GO(put_matches(&v, json_object_get(out, "head_to_head")));
    HN_GO(hn_eval_examples(run, set, answered->drafts, v.scores ? v.score : NULL,
                           json_object_get(out, "examples")));
done:
    hn_free(v.win);
    hn_free(v.score);
    hn_free(v.pair);
    hn_free(v.half);
    return status;
}
