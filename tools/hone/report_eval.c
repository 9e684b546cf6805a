/* The numbers of an evaluation as tables, and the runs in a line each. */
#include "report.h"

#include <stdbool.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *set_name(const char *set) {
    return strcmp(set, "in") == 0 ? "in distribution" : strcmp(set, "out") == 0 ? "out of distribution" : set;
}

/* The different values of a text in a list of objects, in order of appearance. */
static json_t *values(const json_t *list, const char *key) {
    json_t *found = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *value = json_object_get(json_array_get(list, i), key);
        size_t j = 0;
        while (j < json_array_size(found) && !json_equal(json_array_get(found, j), value))
            j++;
        if (json_is_string(value) && j == json_array_size(found))
            (void)json_array_append_new(found, json_deep_copy(value));
    }
    return found;
}

static long long most_revisions(const json_t *results) {
    long long most = 0;
    for (size_t i = 0; i < json_array_size(results); i++) {
        const long long n =
            (long long)json_number_value(json_object_get(json_array_get(results, i), "revision"));
        most = n > most && n < 1000 ? n : most;
    }
    return most;
}

static const json_t *estimate(const json_t *results, const char *set, const char *policy, long long revision,
                              const char *key) {
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *entry = json_array_get(results, i);
        if (strcmp(text_of(entry, "set"), set) == 0 && strcmp(text_of(entry, "policy"), policy) == 0 &&
            (long long)json_number_value(json_object_get(entry, "revision")) == revision)
            return json_object_get(entry, key);
    }
    return NULL;
}

static double percent(const json_t *object, const char *key) {
    return 100.0 * json_number_value(json_object_get(object, key));
}

static void put_cell(FILE *to, const json_t *e) {
    if (json_is_number(json_object_get(e, "mean")))
        (void)fprintf(to, "<td title=\"95 %%: %.1f to %.1f\">%.1f \xc2\xb1 %.1f</td>", percent(e, "low"),
                      percent(e, "high"), percent(e, "mean"), percent(e, "deviation"));
    else
        (void)fputs("<td></td>", to);
}

/* A row a policy, a column a revision. */
static void put_grid(FILE *to, const json_t *results, const char *set, const char *key, const char *title) {
    json_t *policies = values(results, "policy");
    const long long most = most_revisions(results);

    (void)fprintf(to, "<div class=\"wide\"><table><caption>%s, ", title);
    report_text(to, set_name(set));
    (void)fputs("</caption><thead><tr><th>policy</th>", to);
    for (long long r = 0; r <= most; r++)
        (void)fprintf(to, "<th>%lld-revision</th>", r);
    (void)fputs("</tr></thead><tbody>\n", to);
    for (size_t i = 0; i < json_array_size(policies); i++) {
        const char *policy = json_string_value(json_array_get(policies, i));
        (void)fputs("<tr><th>", to);
        report_text(to, policy);
        (void)fputs("</th>", to);
        for (long long r = 0; r <= most; r++)
            put_cell(to, estimate(results, set, policy, r, key));
        (void)fputs("</tr>\n", to);
    }
    (void)fputs("</tbody></table></div>\n", to);
    json_decref(policies);
}

static void put_matches(FILE *to, const json_t *list) {
    if (json_array_size(list) == 0)
        return;
    (void)fputs("<details><summary>Head to head</summary><div "
                "class=\"wide\"><table><thead><tr><th>first</th><th>second</th><th>set</th>"
                "<th>revision</th><th>win rate of the first, "
                "%</th><th>wins</th><th>draws</th><th>losses</th><th>p (signs)</th></tr></thead>"
                "<tbody>\n",
                to);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *m = json_array_get(list, i);
        (void)fputs("<tr><th>", to);
        report_text(to, text_of(m, "a"));
        (void)fputs("</th><td>", to);
        report_text(to, text_of(m, "b"));
        (void)fputs("</td><td>", to);
        report_text(to, text_of(m, "set"));
        (void)fprintf(to, "</td><td>%.0f</td>", json_number_value(json_object_get(m, "revision")));
        put_cell(to, json_object_get(m, "win_rate"));
        (void)fprintf(
            to, "<td>%.0f</td><td>%.0f</td><td>%.0f</td><td>%.3g</td></tr>\n",
            json_number_value(json_object_get(m, "wins")), json_number_value(json_object_get(m, "draws")),
            json_number_value(json_object_get(m, "losses")), json_number_value(json_object_get(m, "sign_p")));
    }
    (void)fputs("</tbody></table></div></details>\n", to);
}

static void put_paired_row(FILE *to, const json_t *t) {
    (void)fputs("<tr><th>", to);
    report_text(to, text_of(t, "a"));
    (void)fprintf(to, ", %.0f</th><td>", json_number_value(json_object_get(t, "a_revision")));
    report_text(to, text_of(t, "b"));
    (void)fprintf(to, ", %.0f</td><td>", json_number_value(json_object_get(t, "b_revision")));
    report_text(to, text_of(t, "set"));
    (void)fprintf(
        to,
        "</td><td>%+.1f</td><td>%+.1f to %+.1f</td><td>%.0f / %.0f / "
        "%.0f</td><td>%.3g</td><td>%.3g</td></tr>\n",
        percent(t, "difference"), percent(t, "low"), percent(t, "high"),
        json_number_value(json_object_get(t, "wins")), json_number_value(json_object_get(t, "draws")),
        json_number_value(json_object_get(t, "losses")), json_number_value(json_object_get(t, "sign_p")),
        json_number_value(json_object_get(t, "bootstrap_p")));
}

static void put_paired(FILE *to, const json_t *list) {
    if (json_array_size(list) == 0)
        return;
    (void)fputs("<details><summary>Paired tests on the same rows (policy, revision)</summary><div "
                "class=\"wide\"><table><thead><tr><th>a</th>"
                "<th>b</th><th>set</th><th>a - b</th><th>95 %</th><th>wins / draws / losses</th><th>p "
                "(signs)</th><th>p (bootstrap)</th>"
                "</tr></thead><tbody>\n",
                to);
    for (size_t i = 0; i < json_array_size(list); i++)
        put_paired_row(to, json_array_get(list, i));
    (void)fputs("</tbody></table></div></details>\n", to);
}

static void put_conditions(FILE *to, const json_t *results) {
    const json_t *sampling = json_object_get(results, "sampling");

    if (!json_is_string(json_object_get(results, "judge")))
        return;
    (void)fputs("<p class=\"note\">Judge: ", to);
    report_text(to, text_of(results, "judge"));
    (void)fputs("; against ", to);
    report_text(to, text_of(results, "opponent"));
    (void)fprintf(to,
                  "; sampled at temperature %g, top-p %g, at most %.0f tokens, seed %.0f. Means of %.0f "
                  "bootstrap resamples and their "
                  "deviation; 95 %% intervals are shown under the pointer.</p>\n",
                  json_number_value(json_object_get(sampling, "temperature")),
                  json_number_value(json_object_get(sampling, "top_p")),
                  json_number_value(json_object_get(sampling, "max_tokens")),
                  json_number_value(json_object_get(sampling, "seed")),
                  json_number_value(json_object_get(json_object_get(results, "bootstrap"), "resamples")));
}

void report_evaluation(FILE *to, const report_run *run) {
    const json_t *results = json_object_get(run->results, "results");
    json_t *sets = values(results, "set");
    const bool scores = json_object_get(json_array_get(results, 0), "score") != NULL;

    put_conditions(to, run->results);
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const char *set = json_string_value(json_array_get(sets, i));
        put_grid(to, results, set, "win_rate", "Win rate, %");
        if (scores)
            put_grid(to, results, set, "score", "Score, %");
    }
    json_decref(sets);
    put_matches(to, json_object_get(run->results, "head_to_head"));
    put_paired(to, json_object_get(run->results, "paired"));
}

/* The value of NAME in a flat YAML text; quotes left out. */
static void config_value(const char *config, const char *name, char *out, size_t room) {
    const size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = config; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, name, length) != 0 || strncmp(line + length, ": ", 2) != 0)
            continue;
        const char *value = line + length + 2;
        const size_t quoted = *value == '"', count = strcspn(value + quoted, quoted ? "\"\n" : "\n");
        (void)snprintf(out, room, "%.*s", (int)(count < room ? count : room - 1), value + quoted);
        return;
    }
}

/* The last number of a name. */
static const json_t *last_of(const json_t *metrics, const char *name) {
    for (size_t i = json_array_size(metrics); i-- > 0;) {
        const json_t *value = json_object_get(json_array_get(metrics, i), name);
        if (json_is_number(value))
            return value;
    }
    return NULL;
}

static void put_last(FILE *to, const json_t *metrics, const char *name, int digits) {
    const json_t *value = last_of(metrics, name);
    (void)fputs("<td>", to);
    if (value)
        (void)fprintf(to, "%.*f", digits, json_number_value(value));
    (void)fputs("</td>", to);
}

static void put_run(FILE *to, const report_run *run) {
    char value[256];
    static const char *const names[] = {"method", "model", "beta", "lr"};

    (void)fputs("<tr><th>", to);
    report_text(to, run->folder);
    (void)fputs("</th>", to);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        config_value(run->config ? run->config : "", names[i], value, sizeof value);
        (void)fputs("<td>", to);
        report_text(to, value);
        (void)fputs("</td>", to);
    }
    put_last(to, run->metrics, "step", 0);
    put_last(to, run->metrics, "loss", 4);
    put_last(to, run->metrics, "rewards/margins", 3);
    put_last(to, run->metrics, "tree_ratio", 2);
    put_last(to, run->metrics, "pairs_per_second", 1);
    put_last(to, run->metrics, "eval_loss", 4);
    (void)fputs("</tr>\n", to);
}

void report_overview(FILE *to, const report_run *run, int count) {
    bool any = false;
    for (int r = 0; r < count; r++)
        any = any || run[r].metrics;
    if (!any)
        return;
    (void)fputs("<div class=\"wide\"><table><caption>Runs, where they "
                "ended</caption><thead><tr><th>run</th><th>method</th><th>model</th>"
                "<th>beta</th><th>lr</th><th>step</th><th>loss</th><th>margin</th><th>tree "
                "ratio</th><th>pairs/s</th><th>held-out loss</th></tr>"
                "</thead><tbody>\n",
                to);
    for (int r = 0; r < count; r++)
        if (run[r].metrics)
            put_run(to, &run[r]);
    (void)fputs("</tbody></table></div>\n", to);
}
