#include "eval_figure.h"

#include "gnuplot.h"
#include "report.h"

#include <math.h>
#include <string.h>

typedef struct figure {
    const json_t *all, *results;
    json_t *sets, *policies;
    const char *key; /* "score", "win_rate" */
    double low, high;
} figure;

static void widen(figure *f, const json_t *list) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *e = json_object_get(json_array_get(list, i), f->key);
        if (!report_has(e, "mean"))
            continue;
        f->low = fmin(f->low, 100.0 * report_number(e, "low"));
        f->high = fmax(f->high, 100.0 * report_number(e, "high"));
    }
}

/* One axis for all panels, within what a share can be. */
static void set_axis(figure *f) {
    f->low = 100.0;
    f->high = 0.0;
    widen(f, f->results);
    widen(f, json_object_get(f->all, "kept"));
    const double room = fmax(0.05 * (f->high - f->low), 0.5);
    f->low = fmax(f->low - room, 0.0);
    f->high = fmin(f->high + room, 100.0);
}

static void write_row(FILE *to, double x, const json_t *e) {
    if (e)
        (void)fprintf(to, "%g %.17g %.17g %.17g\n", x, 100.0 * report_number(e, "mean"),
                      100.0 * report_number(e, "low"), 100.0 * report_number(e, "high"));
}

/* $rN: over revisions. $kN: kept, in a column of its own, beside the other models'. */
static void write_data(FILE *to, const figure *f, size_t s, size_t p) {
    const char *set = json_string_value(json_array_get(f->sets, s)),
               *policy = json_string_value(json_array_get(f->policies, p));
    const long long most = report_revisions(f->results);
    const double count = (double)json_array_size(f->policies);

    (void)fprintf(to, "$r%zu << EOD\n", p);
    for (long long n = 0; n <= most; n++)
        write_row(to, (double)n, report_estimate(f->results, set, policy, n, f->key));
    (void)fprintf(to, "EOD\n$k%zu << EOD\n", p);
    write_row(to, (double)most + 1.0 + 0.5 * ((double)p + 0.5 - count / 2.0) / count,
              report_kept(f->all, set, policy, "likeliest", f->key));
    (void)fputs("EOD\n", to);
}

static void write_panel(FILE *to, const figure *f, size_t s) {
    const long long most = report_revisions(f->results);
    const int keeps = json_array_size(json_object_get(f->all, "kept")) > 0;
    const json_t *policies = f->policies;

    (void)fputs("set title ", to);
    gnuplot_text(to, report_set_name(json_string_value(json_array_get(f->sets, s))));
    (void)fprintf(to, "\nset xrange [-0.3:%g]\nset xtics 0,1,%lld\n", (double)most + (keeps ? 1.5 : 0.3),
                  most);
    if (keeps)
        (void)fprintf(to, "set xtics add ('likeliest' %lld)\n", most + 1);
    for (size_t p = 0; p < json_array_size(policies); p++)
        write_data(to, f, s, p);
    for (int lines = 0; lines < 2; lines++)
        for (size_t p = 0; p < json_array_size(policies); p++) {
            const char *name = json_string_value(json_array_get(policies, p));
            const report_style style = report_style_of(policies, name);
            (void)fputs(lines == 0 && p == 0 ? "plot " : ", ", to);
            if (lines == 0) {
                (void)fprintf(to, "$r%zu using 1:3:4 with filledcurves linecolor rgb '%s' notitle", p,
                              style.colour);
                continue;
            }
            (void)fprintf(to,
                          "$r%zu using 1:2 with linespoints pointtype %d pointsize 0.6 dashtype %d linecolor "
                          "rgb '%s' title ",
                          p, style.point, style.dash, style.colour);
            gnuplot_text(to, name);
            if (keeps)
                (void)fprintf(to,
                              ", $k%zu using 1:2:3:4 with yerrorbars pointtype %d pointsize 0.6 linecolor "
                              "rgb '%s' notitle",
                              p, style.point, style.colour);
        }
    (void)fputc('\n', to);
}

static void write_script(FILE *to, const void *context) {
    const figure *f = context;
    const size_t sets = json_array_size(f->sets);
    const int scores = strcmp(f->key, "score") == 0;

    (void)fprintf(
        to,
        "set terminal svg size %zu,380 enhanced font 'DejaVu Sans,Helvetica,Arial,sans-serif,12' "
        "background '#ffffff'\n"
        "set encoding utf8\nset border 3 linecolor rgb '#808080'\nset tics nomirror\n"
        "set grid ytics linetype 1 linecolor rgb '#d8d8d8'\nset key bmargin center horizontal noenhanced\n"
        "set style fill transparent solid 0.13 noborder\nset xlabel 'revisions' offset 0,0.3\nset yrange "
        "[%.17g:%.17g]\nset ylabel ",
        480 * sets, f->low, f->high);
    gnuplot_text(to, scores ? "score, %" : "win rate, %");
    (void)fprintf(to, "\nset multiplot layout 1,%zu\n", sets);
    for (size_t s = 0; s < sets; s++)
        write_panel(to, f, s);
    (void)fputs("unset multiplot\n", to);
}

int eval_figure_write(const json_t *results, const char *path) {
    const json_t *list = json_object_get(results, "results");
    figure f = {.all = results,
                .results = list,
                .sets = report_values(list, "set"),
                .policies = report_values(list, "policy"),
                .key = json_object_get(json_array_get(list, 0), "score") ? "score" : "win_rate"};

    set_axis(&f);
    const int code = gnuplot_file(path, write_script, &f);
    json_decref(f.sets);
    json_decref(f.policies);
    return code;
}
