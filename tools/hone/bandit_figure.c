#include "bandit_figure.h"

#include "cli.h"
#include "gnuplot.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_POINTS 500
#define COLOURS 8

/* Okabe and Ito's colours, which all eyes tell apart, without the yellow, which paper swallows. */
static const char *const colour[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                            "#56b4e9", "#e69f00", "#595959", "#882255"};

/* The next of 1, 2, 5 x 10^k, as axes like their tics. */
static double tic_of(double value) {
    double unit = pow(10.0, floor(log10(value)));
    return value <= unit         ? unit
           : value <= 2.0 * unit ? 2.0 * unit
           : value <= 5.0 * unit ? 5.0 * unit
                                 : 10.0 * unit;
}

/* The next multiple of a tic: an axis of up to four of them. */
static double round_up(double value) {
    double tic = tic_of(value / 4.0);
    return tic * ceil(value / tic);
}

/* The step after which no curve of this run moves by more than a line's width. */
static int64_t settled(const hone_bandit_result *run) {
    const int32_t n = run->actions;
    for (int64_t step = run->steps; step > 0; step--)
        for (int32_t i = 0; i < n; i++)
            if (fabs(run->trajectory[step * n + i] - run->policy[i]) > 2e-3)
                return step;
    return 0;
}

/* The steps worth showing: all curves, and some of the calm after them. */
static int64_t horizon(const bandit_figure *figure) {
    int64_t last = 0, steps = figure->run[0][0]->steps;
    for (int p = 0; p < BANDIT_PANELS; p++)
        for (int b = 0; b < 2; b++) {
            int64_t here = settled(figure->run[p][b]);
            last = here > last ? here : last;
        }
    double wanted = last > 0 ? round_up(1.25 * (double)last) : 1.0;
    return wanted < (double)steps ? (int64_t)wanted : steps > 0 ? steps : 1;
}

static double highest(const bandit_figure *figure, int64_t until) {
    double most = 0.0;
    for (int p = 0; p < BANDIT_PANELS; p++)
        for (int b = 0; b < 2; b++) {
            const hone_bandit_result *run = figure->run[p][b];
            for (int64_t i = 0; i < (until + 1) * run->actions && i < (run->steps + 1) * run->actions; i++)
                most = fmax(most, run->trajectory[i]);
        }
    return most;
}

static void write_data(FILE *to, const bandit_figure *figure, int64_t until) {
    for (int p = 0; p < BANDIT_PANELS; p++)
        for (int b = 0; b < 2; b++) {
            const hone_bandit_result *run = figure->run[p][b];
            int64_t end = until < run->steps ? until : run->steps, stride = end / MOST_POINTS + 1;
            (void)fprintf(to, "$run_%d_%d << END\n", p, b);
            for (int64_t step = 0; step <= end; step += stride) {
                (void)fprintf(to, "%lld", (long long)step);
                for (int32_t i = 0; i < run->actions; i++)
                    (void)fprintf(to, " %.6f", run->trajectory[step * run->actions + i]);
                (void)fputc('\n', to);
            }
            (void)fputs("END\n", to);
        }
}

/* Labels at the right end of each panel, moved apart where the curves end too close to each other. */
static void write_labels(FILE *to, const hone_bandit_result *run, double top) {
    const int32_t n = run->actions;
    const double room = 0.058 * top;
    double at[COLOURS];
    int32_t order[COLOURS];
    if (n > COLOURS)
        return;
    for (int32_t i = 0; i < n; i++) {
        int32_t k = i;
        for (; k > 0 && run->policy[order[k - 1]] > run->policy[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (int32_t k = 0; k < n; k++) {
        at[k] = run->policy[order[k]];
        if (k > 0 && at[k] < at[k - 1] + room)
            at[k] = at[k - 1] + room;
    }
    for (int32_t k = 0; k < n; k++)
        (void)fprintf(to, "set label %d 'y_{%d}' at graph 1.02, first %.6f left textcolor rgb '%s'\n",
                      (int)k + 1, (int)order[k], at[k], colour[order[k]]);
}

static int32_t best(const hone_bandit_result *run) {
    int32_t most = 0;
    for (int32_t i = 1; i < run->actions; i++)
        most = run->policy[i] > run->policy[most] ? i : most;
    return most;
}

static void write_panel(FILE *to, const bandit_figure *figure, int p) {
    const int32_t n = figure->run[p][0]->actions;
    const char *separator = "plot ";
    const int32_t solid = best(figure->run[p][0]), dashed = best(figure->run[p][1]);
    (void)fprintf(to, "set title '{/:Bold %s}' offset 0,0.4\n", figure->title[p]);
    (void)fprintf(to, "set label 100 'prefers y_{%d}%s", (int)solid,
                  solid == dashed ? " from both data sets" : "");
    if (solid != dashed)
        (void)fprintf(to, ", from the dashed data y_{%d}", (int)dashed);
    (void)fputs("' at graph 0.5, 1.06 center textcolor rgb '#404040'\n", to);
    (void)fputs(p == 0 ? "set ylabel 'probability' offset 1.2,0\nset format y '%g'\n"
                       : "unset ylabel\nset format y ''\n",
                to);
    for (int b = 0; b < 2; b++)
        for (int32_t i = 0; i < n; i++) {
            (void)fprintf(
                to, "%s$run_%d_%d using 1:%d with lines linewidth 2.4 dashtype %s linecolor rgb '%s' notitle",
                separator, p, b, (int)i + 2, b ? "(7,5)" : "1", colour[i % COLOURS]);
            separator = ", \\\n     ";
        }
    (void)fputc('\n', to);
}

static void write_key(FILE *to, const bandit_figure *figure) {
    const int32_t n = figure->run[0][0]->actions;
    (void)fputs("set label 101 'solid: data from the uniform behaviour policy,   dashed: from ", to);
    if (n > COLOURS) {
        (void)fputs("the given one", to);
    } else {
        for (int32_t i = 0; i < n; i++)
            (void)fprintf(to, "%s%.4g", i ? ", " : "(", figure->behaviour[i]);
        (void)fputc(')', to);
    }
    (void)fprintf(to, "       {/:Italic \xce\xb2} = %g,  ", figure->beta);
    if (figure->pairs > 0)
        (void)fprintf(to, "%lld sampled pairs", figure->pairs);
    else
        (void)fputs("expected loss", to);
    (void)fputs("' at screen 0.5, 0.045 center textcolor rgb '#404040'\n", to);
}

static void write_script(FILE *to, const bandit_figure *figure, bool png) {
    static const double left[] = {0.065, 0.375, 0.685};
    const int64_t until = horizon(figure);
    const double top = fmin(1.0, ceil(highest(figure, until) * 10.0 + 0.3) / 10.0);
    (void)fputs(
        png ? "set terminal pngcairo size 2160,800 enhanced font 'DejaVu Sans,11' fontscale 2 linewidth 2\n"
            : "set terminal svg size 1080,400 enhanced font 'DejaVu Sans,Helvetica,Arial,sans-serif,12' "
              "linewidth 1 background '#ffffff'\n",
        to);
    write_data(to, figure, until);
    (void)fprintf(
        to,
        "set encoding utf8\nunset key\n"
        "set border 3 linecolor rgb '#808080'\nset tics nomirror textcolor rgb '#404040' scale 0.5\n"
        "set grid ytics linecolor rgb '#c4c4c4' linewidth 0.8 dashtype 1\n"
        "set xrange [0:%lld]\nset yrange [0:%g]\nset xtics %g\nset ytics %g\n"
        "set xlabel 'Adam steps' offset 0,0.5\nset tmargin at screen 0.84\nset bmargin at screen 0.235\n"
        "set multiplot\n",
        (long long)until, top, tic_of((double)until / 4.0), top > 0.55 ? 0.2 : 0.1);
    write_key(to, figure);
    for (int p = 0; p < BANDIT_PANELS; p++) {
        (void)fprintf(to, "set lmargin at screen %g\nset rmargin at screen %g\n", left[p], left[p] + 0.275);
        write_labels(to, figure->run[p][1], top);
        write_panel(to, figure, p);
        (void)fputs("unset label\n", to);
    }
    (void)fputs("unset multiplot\n", to);
}

typedef struct drawing {
    const bandit_figure *figure;
    bool png;
} drawing;

static void draw(FILE *to, const void *context) {
    const drawing *d = context;
    write_script(to, d->figure, d->png);
}

int bandit_figure_write(const bandit_figure *figure, const char *path) {
    const drawing d = {figure, gnuplot_ends_with(path, ".png")};
    if (!d.png && !gnuplot_ends_with(path, ".svg"))
        return cli_usage("bandit", "--figure %s: the name must end in .svg or .png", path);
    return gnuplot_file(path, draw, &d);
}
