/* Pictures inside the page. */
#include "cli.h"
#include "gnuplot.h"
#include "report.h"

#include <errno.h>
#include <string.h>

/* A line of the picture, without the names that gnuplot gives its parts: they would show under the pointer. */
static void put_line(FILE *to, const char *line) {
    const char *text = line + strspn(line, " \t");
    if (strncmp(text, "<g id=\"gnuplot_", 15) == 0)
        (void)fputs("<g>\n", to);
    else if (strncmp(text, "<title>", 7) != 0 && strncmp(text, "<desc>", 6) != 0)
        (void)fputs(line, to);
}

/* Copies the picture from its <svg tag on: inside HTML there is no XML declaration. */
static void copy_svg(FILE *from, const char *label, FILE *to) {
    char line[4096];
    int inside = 0;
    while (fgets(line, sizeof line, from)) {
        const char *start = inside ? line : strstr(line, "<svg");
        if (start && !inside) {
            (void)fputs("<svg role=\"img\" aria-label=\"", to);
            report_text(to, label);
            (void)fputs("\"", to);
            start += 4;
            inside = 1;
        }
        if (start)
            put_line(to, start);
    }
}

FILE *report_plot_begin(const char *x) {
    FILE *script = tmpfile();
    if (!script) {
        (void)cli_error("a temporary file could not be made: %s", strerror(errno));
        return NULL;
    }
    (void)fprintf(
        script,
        "set terminal svg size 520,280 font 'system-ui,Helvetica,Arial,sans-serif,12' linewidth 1.5\n"
        "set encoding utf8\nset border 3 linecolor rgb '#808080'\nset tics nomirror scale 0.5\n"
        "set grid ytics linetype 1 linecolor rgb '#808080' linewidth 0.2\nunset key\nset xlabel '%s' offset "
        "0,0.4\n",
        x);
    return script;
}

int report_plot_end(FILE *script, const char *label, FILE *to) {
    FILE *picture = tmpfile();
    int code = 1;
    if (!picture)
        (void)cli_error("a temporary file could not be made: %s", strerror(errno));
    else if (fflush(script) != 0 || ferror(script) || fseek(script, 0, SEEK_SET) != 0)
        (void)cli_error("the figure's data could not be written: %s", strerror(errno));
    else
        code = gnuplot_run(script, picture);
    if (code == 0 && fseek(picture, 0, SEEK_SET) == 0)
        copy_svg(picture, label, to);
    if (picture)
        (void)fclose(picture);
    (void)fclose(script);
    return code;
}
