/* The numbers of an evaluation as tables. */
#include "report.h"

#include <stdbool.h>
#include <string.h>

typedef struct tables {
    const report_page *page;
    const json_t *all, *results; /* results: a list in all */
    json_t *policies, *sets;
} tables;

static const char *policy_at(const tables *t, size_t i) {
    return json_string_value(json_array_get(t->policies, i));
}

static double percent(const json_t *object, const char *key) { return 100.0 * report_number(object, key); }

static void put_header(FILE *to, const tables *t, const char *key, const char *set) {
    (void)fputs("<div class=\"wide\"><table><caption>", to);
    if (key) {
        report_measure(to, t->all, key);
        (void)fputs(", %, ", to);
    }
    report_text(to, report_set_name(set));
}

static void begin_columns(FILE *to) { (void)fputs("</caption><thead><tr><th>policy</th>", to); }

static void put_row_name(FILE *to, const tables *t, size_t policy) {
    (void)fputs("<tr><th>", to);
    report_name(to, t->page->series, policy_at(t, policy));
    (void)fputs("</th>", to);
}

static void put_estimate(FILE *to, const json_t *e, bool best) {
    if (!e)
        (void)fputs("<td></td>", to);
    else
        (void)fprintf(to, "<td%s>%.1f \xc2\xb1 %.1f<small>%.1f to %.1f</small></td>",
                      best ? " class=\"best\"" : "", percent(e, "mean"), percent(e, "deviation"),
                      percent(e, "low"), percent(e, "high"));
}

static double highest(const tables *t, const char *set, const char *key) {
    double most = -1e300;
    for (size_t i = 0; i < json_array_size(t->results); i++) {
        const json_t *entry = json_array_get(t->results, i), *e = json_object_get(entry, key);
        if (strcmp(report_string(entry, "set"), set) == 0 && report_has(e, "mean") &&
            report_number(e, "mean") > most)
            most = report_number(e, "mean");
    }
    return most;
}

static const char *const kept_by[] = {"likeliest", "best"}, *const kept_title[] = {"likeliest draft",
                                                                                   "best by r(y|y)"};
enum { KEPT = sizeof kept_by / sizeof kept_by[0] };

static void put_kept(FILE *to, const tables *t, const char *set, const char *policy, const char *key) {
    for (size_t k = 0; k < KEPT; k++)
        if (report_kept(t->all, set, NULL, kept_by[k], key))
            put_estimate(to, report_kept(t->all, set, policy, kept_by[k], key), false);
}

/* A row a policy, a column a revision, then what the policies would keep of their drafts themselves. */
static void put_grid(FILE *to, const tables *t, const char *set, const char *key) {
    const long long most = report_revisions(t->results);
    const double best = highest(t, set, key);

    if (best <= -1e300)
        return;
    put_header(to, t, key, set);
    begin_columns(to);
    for (long long r = 0; r <= most; r++)
        (void)fprintf(to, "<th>%lld-revision</th>", r);
    for (size_t k = 0; k < KEPT; k++)
        if (report_kept(t->all, set, NULL, kept_by[k], key))
            (void)fprintf(to, "<th>%s</th>", kept_title[k]);
    (void)fputs("</tr></thead><tbody>\n", to);
    for (size_t i = 0; i < json_array_size(t->policies); i++) {
        put_row_name(to, t, i);
        for (long long r = 0; r <= most; r++) {
            const json_t *e = report_estimate(t->results, set, policy_at(t, i), r, key);
            put_estimate(to, e, e && report_number(e, "mean") >= best);
        }
        put_kept(to, t, set, policy_at(t, i), key);
        (void)fputs("</tr>\n", to);
    }
    (void)fputs("</tbody></table></div>\n", to);
}

/* The match of two policies; *sign -1: as the second saw it. */
static const json_t *match_of(const tables *t, const char *set, long long revision, const char *a,
                              const char *b, int *sign) {
    const json_t *list = json_object_get(t->all, "head_to_head");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        const char *first = report_string(m, "a"), *second = report_string(m, "b");
        *sign = strcmp(first, a) == 0 && strcmp(second, b) == 0   ? 1
                : strcmp(first, b) == 0 && strcmp(second, a) == 0 ? -1
                                                                  : 0;
        if (*sign != 0 && strcmp(report_string(m, "set"), set) == 0 &&
            (long long)report_number(m, "revision") == revision)
            return m;
    }
    return NULL;
}

static void put_match(FILE *to, const json_t *m, int sign) {
    const json_t *rate = json_object_get(m, "win_rate");
    if (!report_has(rate, "mean")) {
        (void)fputs("<td></td>", to);
        return;
    }
    (void)fprintf(to, "<td>%.1f<small>%.0f / %.0f / %.0f, p %.2g</small></td>",
                  sign > 0 ? percent(rate, "mean") : 100.0 - percent(rate, "mean"),
                  report_number(m, sign > 0 ? "wins" : "losses"), report_number(m, "draws"),
                  report_number(m, sign > 0 ? "losses" : "wins"), report_number(m, "sign_p"));
}

/* Whether any two met there. */
static bool met(const tables *t, const char *set, long long revision) {
    const json_t *list = json_object_get(t->all, "head_to_head");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        if (strcmp(report_string(m, "set"), set) == 0 && (long long)report_number(m, "revision") == revision)
            return true;
    }
    return false;
}

static void put_matrix(FILE *to, const tables *t, const char *set, long long revision) {
    put_header(to, t, NULL, set);
    (void)fprintf(to, ", %lld-revision", revision);
    begin_columns(to);
    for (size_t b = 0; b < json_array_size(t->policies); b++) {
        (void)fputs("<th>", to);
        report_name(to, t->page->series, policy_at(t, b));
        (void)fputs("</th>", to);
    }
    (void)fputs("</tr></thead><tbody>\n", to);
    for (size_t a = 0; a < json_array_size(t->policies); a++) {
        put_row_name(to, t, a);
        for (size_t b = 0; b < json_array_size(t->policies); b++) {
            int sign = 1;
            put_match(to, match_of(t, set, revision, policy_at(t, a), policy_at(t, b), &sign), sign);
        }
        (void)fputs("</tr>\n", to);
    }
    (void)fputs("</tbody></table></div>\n", to);
}

static void put_matches(FILE *to, const tables *t) {
    const long long most = report_revisions(t->results);
    if (json_array_size(json_object_get(t->all, "head_to_head")) == 0)
        return;
    (void)fputs("<details><summary>Head to head: win rate of the row over the column, %; wins / draws / "
                "losses, p of the "
                "sign test</summary>\n",
                to);
    for (size_t s = 0; s < json_array_size(t->sets); s++)
        for (long long r = 0; r <= most; r++)
            if (met(t, json_string_value(json_array_get(t->sets, s)), r))
                put_matrix(to, t, json_string_value(json_array_get(t->sets, s)), r);
    (void)fputs("</details>\n", to);
}

static void put_side(FILE *to, const tables *t, const json_t *test, const char *name, const char *revision) {
    report_name(to, t->page->series, report_string(test, name));
    (void)fprintf(to, ", %.0f", report_number(test, revision));
}

static void put_paired_row(FILE *to, const tables *t, const json_t *test) {
    (void)fputs("<tr><th>", to);
    put_side(to, t, test, "a", "a_revision");
    (void)fputs("</th><td class=\"text\">", to);
    put_side(to, t, test, "b", "b_revision");
    (void)fputs("</td><td class=\"text\">", to);
    report_text(to, report_set_name(report_string(test, "set")));
    (void)fprintf(to,
                  "</td><td>%+.1f</td><td>%+.1f to %+.1f</td><td>%.0f / %.0f / "
                  "%.0f</td><td>%.3g</td><td>%.3g</td></tr>\n",
                  percent(test, "difference"), percent(test, "low"), percent(test, "high"),
                  report_number(test, "wins"), report_number(test, "draws"), report_number(test, "losses"),
                  report_number(test, "sign_p"), report_number(test, "bootstrap_p"));
}

static void put_paired(FILE *to, const tables *t) {
    const json_t *list = json_object_get(t->all, "paired");
    if (json_array_size(list) == 0)
        return;
    (void)fputs(
        "<details><summary>Paired tests on the same rows (policy, revision)</summary><div "
        "class=\"wide\"><table><thead><tr><th>a</th><th class=\"text\">b</th><th class=\"text\">set</th>"
        "<th>a - b, points</th><th>95 %</th><th>wins / draws / losses</th><th>p (signs)</th>"
        "<th>p (bootstrap)</th></tr></thead><tbody>\n",
        to);
    for (size_t i = 0; i < json_array_size(list); i++)
        put_paired_row(to, t, json_array_get(list, i));
    (void)fputs("</tbody></table></div></details>\n", to);
}

static void put_rows(FILE *to, const json_t *results) {
    const json_t *sets = json_object_get(results, "sets");
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const json_t *set = json_array_get(sets, i);
        (void)fprintf(to, "%s%.0f rows of ", i > 0 ? ", " : ": ", report_number(set, "rows"));
        report_text(to, report_string(set, "data"));
        (void)fputs(" ", to);
        report_text(to, report_set_name(report_string(set, "name")));
    }
}

static void put_conditions(FILE *to, const tables *t) {
    const json_t *sampling = json_object_get(t->all, "sampling"),
                 *bootstrap = json_object_get(t->all, "bootstrap");

    if (!json_is_string(json_object_get(t->all, "judge")))
        return;
    (void)fputs("<p class=\"note\">Judge: ", to);
    report_text(to, report_string(t->all, "judge"));
    (void)fputs("; wins against ", to);
    report_text(to, report_string(t->all, "opponent"));
    put_rows(to, t->all);
    if (sampling)
        (void)fprintf(to, ". Sampled at temperature %g, top-p %g, at most %.0f tokens, seed %.0f",
                      report_number(sampling, "temperature"), report_number(sampling, "top_p"),
                      report_number(sampling, "max_tokens"), report_number(sampling, "seed"));
    if (bootstrap)
        (void)fprintf(to,
                      ". Mean \xc2\xb1 deviation and 95 %% interval of %.0f bootstrap resamples of %.0f rows",
                      report_number(bootstrap, "resamples"), report_number(bootstrap, "size"));
    (void)fputs(". The highest mean of many is a little flattered by being picked.</p>\n", to);
}

void report_evaluation(FILE *to, const report_page *page, const report_run *run) {
    tables t = {.page = page, .all = run->results, .results = json_object_get(run->results, "results")};
    t.policies = report_values(t.results, "policy");
    t.sets = report_values(t.results, "set");

    put_conditions(to, &t);
    for (size_t i = 0; i < json_array_size(t.sets); i++) {
        const char *set = json_string_value(json_array_get(t.sets, i));
        put_grid(to, &t, set, "win_rate");
        put_grid(to, &t, set, "score");
    }
    put_matches(to, &t);
    put_paired(to, &t);
    json_decref(t.sets);
    json_decref(t.policies);
}
