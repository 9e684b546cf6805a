/* Win rates and scores over revisions, with their bands. */
#include "report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

typedef struct rates {
    const report_page *page;
    const json_t *all, *results, *policies;
    const char *key, *set;
    double low, high; /* of the axis: the same in all sets, so that they can be compared */
} rates;

/* Of all bands, with room, within what a share can be. The line of no preference belongs to win rates. */
static void set_axis(rates *r) {
    const bool wins = strcmp(r->key, "win_rate") == 0;
    double low = wins ? 50.0 : INFINITY, high = wins ? 50.0 : -INFINITY;
    for (size_t i = 0; i < json_array_size(r->results); i++) {
        const json_t *e = json_object_get(json_array_get(r->results, i), r->key);
        if (!report_has(e, "mean"))
            continue;
        const double mean = report_number(e, "mean");
        low = fmin(low, 100.0 * fmin(mean, report_number(e, "low")));
        high = fmax(high, 100.0 * fmax(mean, report_number(e, "high")));
    }
    const double room = fmax(0.06 * (high - low), 0.5);
    r->low = low >= 0.0 ? fmax(low - room, 0.0) : low - room;
    r->high = high <= 100.0 ? fmin(high + room, 100.0) : high + room;
}

static bool measured(const rates *r, const char *policy) {
    for (long long n = report_revisions(r->results); n >= 0; n--)
        if (report_estimate(r->results, r->set, policy, n, r->key))
            return true;
    return false;
}

static void write_data(FILE *to, const rates *r, size_t p, const char *policy) {
    const long long most = report_revisions(r->results);
    (void)fprintf(to, "$policy%zu << EOD\n", p);
    for (long long n = 0; n <= most; n++) {
        const json_t *e = report_estimate(r->results, r->set, policy, n, r->key);
        if (e)
            (void)fprintf(to, "%lld %.17g %.17g %.17g\n", n, 100.0 * report_number(e, "mean"),
                          100.0 * report_number(e, "low"), 100.0 * report_number(e, "high"));
    }
    (void)fputs("EOD\n", to);
}

/* All bands below all lines. */
static void write_plot(FILE *to, const rates *r) {
    const char *before = "plot ";
    for (int lines = 0; lines < 2; lines++)
        for (size_t p = 0; p < json_array_size(r->policies); p++) {
            const char *policy = json_string_value(json_array_get(r->policies, p));
            const report_style style = report_style_of(r->page->series, policy);
            if (!measured(r, policy))
                continue;
            (void)fprintf(to, "%s$policy%zu using ", before, p);
            if (lines)
                (void)fprintf(
                    to,
                    "1:2 with linespoints pointtype %d pointsize 0.6 dashtype %d linecolor rgb '%s' "
                    "notitle",
                    style.point, style.dash, style.colour);
            else
                (void)fprintf(to, "1:3:4 with filledcurves linecolor rgb '%s' notitle", style.colour);
            before = ", ";
        }
    (void)fputc('\n', to);
}

static int figure(FILE *to, const rates *r, const char *title) {
    FILE *script = report_plot_begin("revisions");
    char label[256];
    if (!script)
        return 1;
    (void)fprintf(
        script,
        "set ylabel '%%' offset 1.5,0\nset xtics 1\nset xrange [-0.2:%lld.2]\nset yrange [%.17g:%.17g]\n"
        "set style fill transparent solid 0.15 noborder\n",
        report_revisions(r->results), r->low, r->high);
    if (strcmp(r->key, "win_rate") == 0)
        (void)fputs("set arrow from graph 0, first 50 to graph 1, first 50 nohead dashtype 2 linewidth 0.8 "
                    "linecolor rgb "
                    "'#808080'\n",
                    script);
    for (size_t p = 0; p < json_array_size(r->policies); p++)
        if (measured(r, json_string_value(json_array_get(r->policies, p))))
            write_data(script, r, p, json_string_value(json_array_get(r->policies, p)));
    write_plot(script, r);
    (void)snprintf(label, sizeof label, "%s over revisions, %s", title, report_set_name(r->set));
    return report_plot_end(script, label, to);
}

/* One set's estimates over revisions. */
static int put_figure(FILE *to, const rates *r, const char *title) {
    bool any = false;
    for (size_t p = 0; p < json_array_size(r->policies); p++)
        any = any || measured(r, json_string_value(json_array_get(r->policies, p)));
    if (!any)
        return 0;
    (void)fputs("<figure class=\"rates\"><figcaption>", to);
    report_measure(to, r->all, r->key);
    (void)fputs(", ", to);
    report_text(to, report_set_name(r->set));
    (void)fputs("</figcaption>\n", to);
    const int code = figure(to, r, title);
    (void)fputs("</figure>\n", to);
    return code;
}

int report_rates(FILE *to, const report_page *page, const report_run *run) {
    static const char *const key[] = {"win_rate", "score"}, *const title[] = {"Win rate", "Score"};
    const json_t *results = json_object_get(run->results, "results");
    json_t *sets = report_values(results, "set"), *policies = report_values(results, "policy");
    int code = 0;

    report_key(to, page->series, policies);
    (void)fputs("<div class=\"figures\">\n", to);
    for (int k = 0; k < 2; k++) {
        rates r = {
            .page = page, .all = run->results, .results = results, .policies = policies, .key = key[k]};
        set_axis(&r);
        for (size_t s = 0; code == 0 && s < json_array_size(sets); s++) {
            r.set = json_string_value(json_array_get(sets, s));
            code = put_figure(to, &r, title[k]);
        }
    }
    (void)fputs("</div>\n", to);
    json_decref(sets);
    json_decref(policies);
    return code;
}
