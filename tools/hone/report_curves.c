/* Curves of what hone train wrote, all runs in one figure a number. */
#include "report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST_POINTS = 1000 };

enum { METHOD = 32 };

/* noisy: a step's batch; its running mean is drawn over it. own: methods have scales of their own, and so figures. */
typedef struct curve {
    const char *name, *meaning;
    bool noisy, own;
} curve;

static const curve curves[] = {
    {"loss", "of each step's pairs, and its running mean", true, true},
    {"eval_loss", "of held-out rows", false, true},
    {"eval_rewards/accuracies", "share of held-out pairs whose chosen side has the higher reward", false,
     false},
    {"rewards/margins", "reward of the chosen side less that of the rejected", true, false},
    {"rewards/accuracies", "share of pairs whose chosen side has the higher reward", true, false},
    {"logps/chosen", "log-probability of the chosen side, nats", true, false},
    {"learning_rate", "", false, false},
    {"grad_norm", "", true, false},
    {"pairs_per_second", "", false, false},
};

/* The runs of one figure. method NULL: all. */
typedef struct drawn {
    const report_page *page;
    const curve *curve;
    const char *method;
} drawn;

static bool is_of(const report_run *run, const char *method) {
    char own[METHOD];
    report_setting(run, "method", own, sizeof own);
    return !method || strcmp(own, method) == 0;
}

/* Held-out rows have lines of their own. */
static bool is_held_out(const char *name) { return strncmp(name, "eval_", 5) == 0; }

static const json_t *rows_of(const drawn *d, int r) {
    const report_run *run = &d->page->run[r];
    return is_held_out(d->curve->name) ? run->held : run->metrics;
}

static bool has(const drawn *d, int r) {
    const json_t *rows = rows_of(d, r);
    for (size_t i = 0; is_of(&d->page->run[r], d->method) && i < json_array_size(rows); i++)
        if (report_has(json_array_get(rows, i), d->curve->name))
            return true;
    return false;
}

static bool any_has(const drawn *d) {
    for (int r = 0; r < d->page->count; r++)
        if (has(d, r))
            return true;
    return false;
}

/* The third column is a running mean (of about the last fiftieth of the steps): what single batches hide. */
static void write_points(FILE *to, const drawn *d, int r) {
    const json_t *rows = rows_of(d, r);
    const char *name = d->curve->name;
    const size_t count = json_array_size(rows), stride = count / MOST_POINTS + 1;
    const double part = 1.0 / (1.0 + (double)count / 50.0);
    double sum = 0.0, weight = 0.0;
    (void)fprintf(to, "$run%d << EOD\n", r);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(rows, i);
        if (!report_has(row, name))
            continue;
        sum += part * (report_number(row, name) - sum);
        weight += part * (1.0 - weight);
        if (i % stride == 0 || is_held_out(name))
            (void)fprintf(to, "%.17g %.17g %.17g\n", report_number(row, "step"), report_number(row, name),
                          sum / weight);
    }
    (void)fputs("EOD\n", to);
}

/* Of a number of the rows that have the curve's. A constant would leave gnuplot an empty axis, which it warns of. */
static void write_range(FILE *to, char axis, const drawn *d, const char *name) {
    double low = INFINITY, high = -INFINITY;
    for (int r = 0; r < d->page->count; r++) {
        const json_t *rows = has(d, r) ? rows_of(d, r) : NULL;
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);
            if (!report_has(row, d->curve->name))
                continue;
            low = fmin(low, report_number(row, name));
            high = fmax(high, report_number(row, name));
        }
    }
    const double room = high > low ? 0.05 * (high - low) : fmax(0.1 * fabs(low), 1e-9);
    (void)fprintf(to, "set %crange [%.17g:%.17g]\n", axis, low - room, high + room);
}

static void write_curve(FILE *to, const curve *c, int r, const report_style *style) {
    if (c->noisy)
        (void)fprintf(
            to,
            "$run%d using 1:2 with lines linewidth 0.5 linecolor rgb '#b0%s' notitle, $run%d using 1:3 with "
            "lines dashtype %d linecolor rgb '%s' notitle",
            r, style->colour + 1, r, style->dash, style->colour);
    else
        (void)fprintf(to, "$run%d using 1:2 with %s dashtype %d linecolor rgb '%s' notitle", r,
                      is_held_out(c->name) ? "linespoints pointtype 7 pointsize 0.4" : "lines", style->dash,
                      style->colour);
}

static int figure(FILE *to, const drawn *d) {
    const char *name = d->curve->name, *before = "plot ";
    FILE *script = report_plot_begin("step");
    if (!script)
        return 1;
    write_range(script, 'x', d, "step");
    write_range(script, 'y', d, name);
    for (int r = 0; r < d->page->count; r++)
        if (has(d, r))
            write_points(script, d, r);
    for (int r = 0; r < d->page->count; r++)
        if (has(d, r)) {
            const report_style style = report_style_of(d->page->series, report_run_name(d->page, r));
            (void)fputs(before, script);
            write_curve(script, d->curve, r, &style);
            before = ", ";
        }
    (void)fputc('\n', script);
    (void)fprintf(to, "<figure><figcaption>%s <small>", name);
    report_text(to, d->method ? d->method : "");
    (void)fprintf(to, "%s%s</small></figcaption>\n", d->method && *d->method ? ": " : "", d->curve->meaning);
    const int code = report_plot_end(script, name, to);
    (void)fputs("</figure>\n", to);
    return code;
}

/* A figure; of a curve whose scale depends on the method, one for each. */
static int put_curve(FILE *to, const report_page *page, const curve *c) {
    const drawn all = {page, c, NULL};
    int code = 0;
    if (!any_has(&all))
        return 0;
    if (!c->own)
        return figure(to, &all);
    for (int r = 0; code == 0 && r < page->count; r++) {
        char method[METHOD];
        const drawn some = {page, c, method};
        int first = 0;
        report_setting(&page->run[r], "method", method, sizeof method);
        while (first < r && !(is_of(&page->run[first], method) && has(&some, first)))
            first++;
        if (first == r && has(&some, r))
            code = figure(to, &some);
    }
    return code;
}

static void put_key(FILE *to, const report_page *page) {
    json_t *names = json_array();
    for (int r = 0; r < page->count; r++)
        if (page->run[r].metrics)
            (void)json_array_append_new(names, json_string(report_run_name(page, r)));
    report_key(to, page->series, names);
    json_decref(names);
}

int report_curves(FILE *to, const report_page *page) {
    const curve loss = {.name = "loss"};
    const drawn losses = {page, &loss, NULL};
    int code = 0;
    if (!any_has(&losses)) {
        (void)fputs("<p class=\"note\">No step yet.</p>\n", to);
        return 0;
    }
    put_key(to, page);
    (void)fputs("<div class=\"figures\">\n", to);
    for (size_t n = 0; code == 0 && n < sizeof curves / sizeof curves[0]; n++)
        code = put_curve(to, page, &curves[n]);
    (void)fputs("</div>\n", to);
    return code;
}
