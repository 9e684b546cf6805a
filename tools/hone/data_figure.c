#include "data_figure.h"

#include "cli.h"
#include "gnuplot.h"

#include <stdio.h>
#include <string.h>

enum { MOST_LABELS = 14 };

/* The fine bins that hold something, of any part. */
static void range(const data_facts *facts, int *first, int *last) {
    *first = DATA_FINE - 1;
    *last = 0;
    for (int p = 0; p < DATA_PARTS; p++)
        for (int b = 0; b < DATA_FINE; b++)
            if (facts->length[p].fine[b] > 0) {
                *first = b < *first ? b : *first;
                *last = b > *last ? b : *last;
            }
    *last = *first > *last ? *first : *last;
}

static void write_title(FILE *to, const char *path) {
    const char *base = strrchr(path, '/');
    (void)fputs("set title ", to);
    gnuplot_text(to, base ? base + 1 : path);
    (void)fputs(" noenhanced\n", to);
}

/** A column of numbers and a colour for each part that the rows have. */
static void write_panel(FILE *to, const data_file *file) {
    static const char *const part[DATA_PARTS] = {"prompt", "draft", "chosen", "rejected"};
    static const char *const colour[DATA_PARTS] = {"#595959", "#009e73", "#0072b2", "#d55e00"};
    const data_facts *facts = &file->facts;
    int first = 0, last = 0, drawn = 0;
    range(facts, &first, &last);
    (void)fputs("$rows << EOD\n", to);
    for (int b = first; b <= last; b++) {
        const long long begin = (long long)data_fine_begin(b);
        /* Where many stand, powers of two are named alone. */
        if (last - first < MOST_LABELS || (begin & (begin - 1)) == 0)
            (void)fprintf(to, "%lld", begin);
        else
            (void)fputs("\"\"", to);
        for (int p = 0; p < DATA_PARTS; p++)
            (void)fprintf(to, " %lld", (long long)facts->length[p].fine[b]);
        (void)fputc('\n', to);
    }
    (void)fputs("EOD\nplot ", to);
    for (int p = 0; p < DATA_PARTS; p++)
        if (facts->length[p].rows > 0)
            (void)fprintf(
                to, "%s$rows using %d:xtic(1) title '%s' linecolor rgb '%s'", drawn++ ? ", " : "", p + 2,
                p == DATA_CHOSEN && file->kind == HONE_DATA_COMPLETION ? "completion" : part[p], colour[p]);
    (void)fputc('\n', to);
}

static void write_script(FILE *to, const void *context) {
    const data_report *report = context;
    (void)fprintf(
        to,
        "set terminal svg size 720,%d enhanced font 'DejaVu Sans,Helvetica,Arial,sans-serif,12' background "
        "'#ffffff'\nset encoding utf8\nset style data histograms\nset style histogram clustered gap 1\nset "
        "style fill solid 0.9 noborder\n"
        "set boxwidth 0.9\nset yrange [0:*]\nset grid ytics linetype 1 linecolor rgb '#d8d8d8'\nset border "
        "3\n"
        "set tics nomirror scale 0.5\nset xtics scale 0\nset key outside right top\nset xlabel 'length from, "
        "%s'\nset ylabel "
        "'rows'\n"
        "set multiplot layout %d,1\n",
        280 * report->files, report->tokens ? "tokens" : "characters", report->files);
    for (int i = 0; i < report->files; i++) {
        write_title(to, report->file[i].path);
        write_panel(to, &report->file[i]);
    }
    (void)fputs("unset multiplot\n", to);
}

int data_figure_write(const data_report *report, const char *path) {
    if (!gnuplot_ends_with(path, ".svg"))
        return cli_usage("data check", "--figure %s: the name must end in .svg", path);
    return gnuplot_file(path, write_script, report);
}
