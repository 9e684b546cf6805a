#include "cli.h"
#include "gnuplot.h"
#include "report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { MOST_POINTS = 1000, COLOURS = 8 };

/* Okabe and Ito's colours, as in the other figures: they stand on white and on black. */
static const char *const colour[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                            "#56b4e9", "#e69f00", "#808080", "#882255"};

/* Copies the picture from its <svg tag on: inside HTML there is no XML declaration. */
static void copy_svg(FILE *from, FILE *to) {
    char line[4096];
    int inside = 0;
    while (fgets(line, sizeof line, from)) {
        const char *start = inside ? line : strstr(line, "<svg");
        inside = inside || start;
        if (start)
            (void)fputs(start, to);
    }
}

static int draw(FILE *script, FILE *to) {
    FILE *picture = tmpfile();
    int code = 1;
    if (!picture)
        return cli_error("a temporary file could not be made: %s", strerror(errno));
    if (fflush(script) != 0 || ferror(script) || fseek(script, 0, SEEK_SET) != 0)
        (void)cli_error("the figure's data could not be written: %s", strerror(errno));
    else
        code = gnuplot_run(script, picture);
    if (code == 0 && fseek(picture, 0, SEEK_SET) == 0)
        copy_svg(picture, to);
    (void)fclose(picture);
    return code;
}

static void begin_script(FILE *to, const char *x) {
    (void)fprintf(
        to,
        "set terminal svg size 520,300 font 'Helvetica,Arial,sans-serif,12' linewidth 1.5\n"
        "set encoding utf8\nset border 3 linecolor rgb '#808080'\nset tics nomirror\n"
        "set grid ytics linecolor rgb '#808080' linewidth 0.3\nset key above noenhanced\nset xlabel '%s'\n",
        x);
}

static int has(const report_run *run, const char *name) {
    size_t i = 0;
    json_t *row = NULL;
    json_array_foreach(run->metrics, i, row) {
        if (json_is_number(json_object_get(row, name)))
            return 1;
    }
    return 0;
}

/* The third column is a running mean (of about the last fiftieth of the steps): what single batches hide. */
static void write_points(FILE *to, int r, const report_run *run, const char *name) {
    const size_t count = json_array_size(run->metrics), stride = count / MOST_POINTS + 1;
    const double part = 1.0 / (1.0 + (double)count / 50.0);
    double sum = 0.0, weight = 0.0;
    (void)fprintf(to, "$run%d << EOD\n", r);
    for (size_t i = 0; i < count; i++) {
        const json_t *row = json_array_get(run->metrics, i), *value = json_object_get(row, name);
        if (!json_is_number(value))
            continue;
        sum += part * (json_number_value(value) - sum);
        weight += part * (1.0 - weight);
        if (i % stride == 0 || strncmp(name, "eval_", 5) == 0)
            (void)fprintf(to, "%.17g %.17g %.17g\n", json_number_value(json_object_get(row, "step")),
                          json_number_value(value), sum / weight);
    }
    (void)fputs("EOD\n", to);
}

/* A constant would leave gnuplot an empty axis, which it warns of. */
static void write_range(FILE *to, char axis, const report_run *run, int count, const char *name) {
    double low = INFINITY, high = -INFINITY;
    for (int r = 0; r < count; r++)
        for (size_t i = 0; i < json_array_size(run[r].metrics); i++) {
            const json_t *value = json_object_get(json_array_get(run[r].metrics, i), name);
            if (!json_is_number(value))
                continue;
            low = fmin(low, json_number_value(value));
            high = fmax(high, json_number_value(value));
        }
    const double room = high > low ? 0.05 * (high - low) : fmax(0.1 * fabs(low), 1e-9);
    (void)fprintf(to, "set %crange [%.17g:%.17g]\n", axis, low - room, high + room);
}

static int curve(FILE *to, const report_run *run, int count, const char *name) {
    FILE *script = tmpfile();
    const char *comma = "plot ";
    int code = 1;
    if (!script)
        return cli_error("a temporary file could not be made: %s", strerror(errno));
    begin_script(script, "step");
    write_range(script, 'x', run, count, "step");
    write_range(script, 'y', run, count, name);
    for (int r = 0; r < count; r++)
        if (has(&run[r], name))
            write_points(script, r, &run[r], name);
    for (int r = 0; r < count; r++)
        if (has(&run[r], name)) {
            const char *line = colour[r % COLOURS];
            (void)fprintf(
                script,
                "%s$run%d using 1:2 with lines linewidth 0.5 linecolor rgb '#b0%s' notitle, "
                "$run%d using 1:3 with linespoints pointtype 7 pointsize 0.1 linecolor rgb '%s' title ",
                comma, r, line + 1, r, line);
            gnuplot_text(script, run[r].folder);
            comma = ", ";
        }
    (void)fputc('\n', script);
    (void)fprintf(to, "<figure><figcaption>%s</figcaption>\n", name);
    code = draw(script, to);
    (void)fputs("</figure>\n", to);
    (void)fclose(script);
    return code;
}

int report_curves(FILE *to, const report_run *run, int count) {
    static const char *const names[] = {"loss",
                                        "eval_loss",
                                        "eval_rewards/accuracies",
                                        "rewards/margins",
                                        "rewards/accuracies",
                                        "logps/chosen",
                                        "learning_rate",
                                        "grad_norm",
                                        "pairs_per_second"};
    int code = 0;
    (void)fputs("<section id=\"curves\"><h2>Curves</h2><div class=\"figures\">\n", to);
    for (size_t n = 0; code == 0 && n < sizeof names / sizeof names[0]; n++) {
        int found = 0;
        for (int r = 0; r < count; r++)
            found = found || has(&run[r], names[n]);
        if (found)
            code = curve(to, run, count, names[n]);
    }
    (void)fputs("</div></section>\n", to);
    return code;
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The different values of a key, in order of appearance. */
static json_t *values(const json_t *results, const char *key) {
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *value = json_object_get(json_array_get(results, i), key);
        size_t j = 0;
        while (j < json_array_size(list) && !json_equal(json_array_get(list, j), value))
            j++;
        if (json_is_string(value) && j == json_array_size(list))
            (void)json_array_append_new(list, json_deep_copy(value));
    }
    return list;
}

static int matches(const json_t *result, const char *set, const char *policy) {
    return strcmp(text_of(result, "set"), set) == 0 && strcmp(text_of(result, "policy"), policy) == 0;
}

static void write_rates(FILE *to, size_t p, const json_t *results, const char *set, const char *policy,
                        const char *key) {
    (void)fprintf(to, "$policy%zu << EOD\n", p);
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *result = json_array_get(results, i), *rate = json_object_get(result, key);
        if (matches(result, set, policy) && json_is_number(json_object_get(rate, "mean")))
            (void)fprintf(to, "%.17g %.17g %.17g %.17g\n",
                          json_number_value(json_object_get(result, "revision")),
                          100.0 * json_number_value(json_object_get(rate, "mean")),
                          100.0 * json_number_value(json_object_get(rate, "low")),
                          100.0 * json_number_value(json_object_get(rate, "high")));
    }
    (void)fputs("EOD\n", to);
}

static int rates_figure(FILE *to, const json_t *results, const char *set, const json_t *policies,
                        const char *key) {
    FILE *script = tmpfile();
    int code = 1;
    if (!script)
        return cli_error("a temporary file could not be made: %s", strerror(errno));
    begin_script(script, "revisions");
    (void)fputs("set xtics 1\nset xrange [-0.2:*]\nset autoscale xfixmax\nset offsets 0,0.2,2,2\nset style "
                "fill transparent solid "
                "0.2 noborder\n",
                script);
    for (size_t p = 0; p < json_array_size(policies); p++)
        write_rates(script, p, results, set, json_string_value(json_array_get(policies, p)), key);
    for (size_t p = 0; p < json_array_size(policies); p++) {
        const char *line = colour[p % COLOURS];
        (void)fprintf(script,
                      "%s$policy%zu using 1:3:4 with filledcurves linecolor rgb '%s' notitle, $policy%zu "
                      "using 1:2 with "
                      "linespoints pointtype 7 pointsize 0.5 linecolor rgb '%s' title ",
                      p > 0 ? ", " : "plot ", p, line, p, line);
        gnuplot_text(script, json_string_value(json_array_get(policies, p)));
    }
    (void)fputc('\n', script);
    code = draw(script, to);
    (void)fclose(script);
    return code;
}

/* One set's estimates over revisions. */
static int rates_of(FILE *to, const json_t *results, const char *set, const json_t *policies, const char *key,
                    const char *title) {
    (void)fprintf(to, "<figure class=\"rates\"><figcaption>%s, %%: ", title);
    report_text(to, strcmp(set, "in") == 0    ? "in distribution"
                    : strcmp(set, "out") == 0 ? "out of distribution"
                                              : set);
    (void)fputs("</figcaption>\n", to);
    const int code = rates_figure(to, results, set, policies, key);
    (void)fputs("</figure>\n", to);
    return code;
}

int report_win_rates(FILE *to, const report_run *run) {
    const json_t *results = json_object_get(run->results, "results");
    json_t *sets = values(results, "set"), *policies = values(results, "policy");
    const int scores = json_is_object(json_object_get(json_array_get(results, 0), "score"));
    int code = 0;
    for (size_t s = 0; code == 0 && json_array_size(policies) > 0 && s < json_array_size(sets); s++)
        code = rates_of(to, results, json_string_value(json_array_get(sets, s)), policies, "win_rate",
                        "win rate over revisions");
    for (size_t s = 0; scores && code == 0 && s < json_array_size(sets); s++)
        code = rates_of(to, results, json_string_value(json_array_get(sets, s)), policies, "score",
                        "score over revisions");
    json_decref(sets);
    json_decref(policies);
    return code;
}
