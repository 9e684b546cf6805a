#include "calibration_figure.h"

#include "cli.h"
#include "gnuplot.h"

typedef struct figure {
    const policies *list;
    const hone_held_out *measured;
} figure;

/* Okabe and Ito's colours, as in the other figures. */
static const char *const colour[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                     "#56b4e9", "#e69f00", "#808080", "#882255"};
enum { COLOURS = sizeof colour / sizeof colour[0] };

/** A line a bin that is not empty: mean p^, mean label, rows. */
static void write_bins(FILE *to, size_t number, const hone_held_out *m) {
    (void)fprintf(to, "$model%zu << EOD\n", number);
    for (int k = 0; k < HONE_CALIBRATION_BINS; k++)
        if (m->bin[k].count > 0)
            (void)fprintf(to, "%.17g %.17g %lld\n", m->bin[k].predicted, m->bin[k].observed,
                          (long long)m->bin[k].count);
    (void)fputs("EOD\n", to);
}

/** The area of a point is the share of the orders that lie in its bin. */
static void write_curve(FILE *to, size_t number, const char *name, const hone_held_out *m) {
    const char *hue = colour[number % COLOURS];
    (void)fprintf(to, ", $model%zu using 1:2 with lines linewidth 1.5 linecolor rgb '%s' title ", number,
                  hue);
    gnuplot_text(to, name);
    (void)fprintf(to,
                  ", $model%zu using 1:2:(0.4 + 2 * sqrt($3 / %lld.0)) with points pointtype 7 pointsize "
                  "variable linecolor rgb '%s' notitle",
                  number, (long long)(2 * m->rows), hue);
}

static void write_script(FILE *to, const void *context) {
    const figure *f = context;
    (void)fputs("set terminal svg size 520,520 enhanced font 'DejaVu Sans,Helvetica,Arial,sans-serif,12' "
                "background '#ffffff'\nset encoding utf8\nset size square\nset border 3\nset tics nomirror\n"
                "set grid linecolor rgb '#c4c4c4'\nset key left top noenhanced\nset xrange [0:1]\n"
                "set yrange [0:1]\nset xtics 0.2\nset ytics 0.2\n"
                "set xlabel 'predicted probability that a side is preferred'\n"
                "set ylabel 'how often it is'\n",
                to);
    for (size_t i = 0; i < f->list->count; i++)
        write_bins(to, i, &f->measured[i]);
    (void)fputs("plot x with lines linecolor rgb '#808080' dashtype 2 title 'calibrated'", to);
    for (size_t i = 0; i < f->list->count; i++)
        write_curve(to, i, f->list->policy[i].name, &f->measured[i]);
    (void)fputc('\n', to);
}

int calibration_figure_write(const policies *list, const hone_held_out *measured, const char *path) {
    const figure f = {list, measured};
    return gnuplot_file(path, write_script, &f);
}
