/* What an evaluation says, in a few words: the best policy, after how many revisions, and how sure that is. */
#include "report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* key: what the paired tests are about, so that they can be quoted. */
typedef struct findings {
    const report_page *page;
    const json_t *all, *results, *paired; /* the lists are in all */
    const char *key, *set;
} findings;

/* One line of the results. estimate NULL: there is none. */
typedef struct standing {
    const char *policy;
    double revision;
    const json_t *estimate;
} standing;

static double percent(const json_t *object, const char *key) { return 100.0 * report_number(object, key); }

static bool is_better(const standing *a, const standing *b) {
    if (!a->estimate || !b->estimate)
        return a->estimate != NULL;
    const double x = report_number(a->estimate, "mean"), y = report_number(b->estimate, "mean");
    return x > y || (x >= y && a->revision < b->revision);
}

/* The highest mean; of equal ones the one with the fewest revisions. With `beside`, of the others at its revision. */
static standing best_of(const findings *f, const standing *beside) {
    standing best = {NULL, 0, NULL};
    for (size_t i = 0; i < json_array_size(f->results); i++) {
        const json_t *entry = json_array_get(f->results, i), *e = json_object_get(entry, f->key);
        const standing s = {report_string(entry, "policy"), report_number(entry, "revision"), e};
        if (strcmp(report_string(entry, "set"), f->set) != 0 || !report_has(e, "mean"))
            continue;
        if (beside && (strcmp(s.policy, beside->policy) == 0 || s.revision < beside->revision ||
                       s.revision > beside->revision))
            continue;
        if (is_better(&s, &best))
            best = s;
    }
    return best;
}

/* The same policy at another revision. */
static standing revised(const findings *f, const standing *s, long long revision) {
    return (standing){s->policy, (double)revision,
                      report_estimate(f->results, f->set, s->policy, revision, f->key)};
}

static void put_when(FILE *to, double revision) {
    if (revision < 0.5)
        (void)fputs("first answers", to);
    else
        (void)fprintf(to, "after %.0f revision%s", revision, revision < 1.5 ? "" : "s");
}

static bool is_of(const json_t *test, const char *name, const char *revision, const standing *s) {
    return strcmp(report_string(test, name), s->policy) == 0 &&
           fabs(report_number(test, revision) - s->revision) < 0.5;
}

/* Tenths, without a zero that has a sign. */
static double tenths(double value) { return round(10.0 * value) / 10.0 + 0.0; }

/* a - b on the same rows. */
static void put_difference(FILE *to, const findings *f, const standing *a, const standing *b) {
    for (size_t i = 0; i < json_array_size(f->paired); i++) {
        const json_t *t = json_array_get(f->paired, i);
        const bool forward = is_of(t, "a", "a_revision", a) && is_of(t, "b", "b_revision", b);
        const bool reverse = is_of(t, "a", "a_revision", b) && is_of(t, "b", "b_revision", a);
        if (strcmp(report_string(t, "set"), f->set) != 0 || (!forward && !reverse))
            continue;
        const double sign = forward ? 1.0 : -1.0, low = sign * percent(t, forward ? "low" : "high"),
                     high = sign * percent(t, forward ? "high" : "low");
        (void)fprintf(to, ": %+.1f points on the same rows, 95 %%: %+.1f to %+.1f, <em>%s</em>",
                      tenths(sign * percent(t, "difference")), tenths(low), tenths(high),
                      low > 0.0 || high < 0.0 ? "more than chance" : "may be chance");
        return;
    }
    (void)fprintf(to, ": %+.1f points, not tested",
                  tenths(percent(a->estimate, "mean") - percent(b->estimate, "mean")));
}

static void put_lead(FILE *to, const findings *f, const standing *s) {
    (void)fputs("<p class=\"lead\">", to);
    report_name(to, f->page->series, s->policy);
    (void)fputs(", ", to);
    put_when(to, s->revision);
    (void)fprintf(to, ": <strong>%.1f %%</strong> <small>95 %%: %.1f to %.1f</small></p>\n",
                  percent(s->estimate, "mean"), percent(s->estimate, "low"), percent(s->estimate, "high"));
}

/* Against the next policy, revised as often. */
static void put_rival(FILE *to, const findings *f, const standing *best) {
    const standing rival = best_of(f, best);
    if (!rival.estimate)
        return;
    (void)fputs("<li>Against ", to);
    report_name(to, f->page->series, rival.policy);
    (void)fputs(", ", to);
    put_when(to, rival.revision);
    (void)fprintf(to, " (%.1f %%)", percent(rival.estimate, "mean"));
    put_difference(to, f, best, &rival);
    (void)fputs("</li>\n", to);
}

/* What revising does: the best against its first answers, or its revisions against the best, its first answers. */
static void put_revising(FILE *to, const findings *f, const standing *best) {
    const bool first = best->revision < 0.5;
    const standing other = revised(f, best, first ? 1 : 0);
    if (!other.estimate)
        return;
    (void)fprintf(to, "<li>%s (%.1f %%)", first ? "Revised once" : "Against its own first answers",
                  percent(other.estimate, "mean"));
    put_difference(to, f, first ? &other : best, first ? best : &other);
    (void)fputs("</li>\n", to);
}

/* Whether all that was measured prints as the same number. */
static bool all_alike(const findings *f, const standing *best) {
    for (size_t i = 0; i < json_array_size(f->results); i++) {
        const json_t *entry = json_array_get(f->results, i), *e = json_object_get(entry, f->key);
        if (strcmp(report_string(entry, "set"), f->set) == 0 && report_has(e, "mean") &&
            percent(best->estimate, "mean") - percent(e, "mean") >= 0.05)
            return false;
    }
    return true;
}

static void put_finding(FILE *to, const findings *f) {
    const standing best = best_of(f, NULL);
    if (!best.estimate)
        return;
    (void)fputs("<div class=\"finding\"><h3>", to);
    report_measure(to, f->all, f->key);
    (void)fputs(", ", to);
    report_text(to, report_set_name(f->set));
    (void)fputs("</h3>\n", to);
    if (all_alike(f, &best))
        (void)fprintf(to, "<p class=\"lead\">All alike: <strong>%.1f %%</strong></p>\n",
                      percent(best.estimate, "mean"));
    else {
        put_lead(to, f, &best);
        (void)fputs("<ul>\n", to);
        put_rival(to, f, &best);
        put_revising(to, f, &best);
        (void)fputs("</ul>\n", to);
    }
    (void)fputs("</div>\n", to);
}

void report_findings(FILE *to, const report_page *page, const report_run *run) {
    const json_t *results = json_object_get(run->results, "results"),
                 *paired = json_object_get(run->results, "paired");
    json_t *sets = report_values(results, "set");
    const bool scores = strcmp(report_string(json_array_get(paired, 0), "on"), "score") == 0;

    if (json_array_size(sets) == 0)
        (void)fputs("<p class=\"note\">No result in it.</p>\n", to);
    (void)fputs("<div class=\"findings\">\n", to);
    for (size_t i = 0; i < json_array_size(sets); i++) {
        const findings f = {page,
                            run->results,
                            results,
                            paired,
                            scores ? "score" : "win_rate",
                            json_string_value(json_array_get(sets, i))};
        put_finding(to, &f);
    }
    (void)fputs("</div>\n", to);
    json_decref(sets);
}
