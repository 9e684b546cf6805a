/* hone report: runs and evaluations as one page that needs nothing else. */
#include "cli.h"
#include "report.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char summary[] = "hone report RUN...: runs and evaluations as one page of HTML\n\n"
                              "RUN is a folder that hone train or hone eval wrote. The page begins with what "
                              "was found: which model is best, after "
                              "how many\nrevisions, and how sure that is. Then come win rates and scores "
                              "over revisions with their bands, tables, "
                              "drafts beside their\nrevisions with the changed words marked, curves of the "
                              "metrics, configurations and what the data "
                              "holds. It needs no network and\nno script, follows the reader's light or dark "
                              "theme, and prints. Needs gnuplot.";
static const char example[] = "  hone report run-srpo run-dpo evaluation --out report.html";

typedef struct arguments {
    char *out, **folder;
    int json;
    report_page page;
} arguments;

/* The tab says what the page is about. */
static void write_head(FILE *to, const report_page *page) {
    (void)fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                "'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>hone: ",
                to);
    for (int r = 0; r < page->count; r++) {
        (void)fputs(r > 0 ? ", " : "", to);
        report_text(to, page->run[r].folder);
    }
    (void)fputs("</title><style>\n", to);
    (void)fputs(report_css, to);
    (void)fputs("</style></head><body>\n<h1>hone report</h1>\n", to);
}

/* What it says comes before what it rests on. */
static int write_evaluation(FILE *to, const report_page *page, const report_run *run) {
    int code = 0;
    (void)fputs("<section class=\"evaluation\"><h2>Evaluation: ", to);
    report_text(to, run->folder);
    (void)fputs("</h2>\n", to);
    if (run->results) {
        report_findings(to, page, run);
        code = report_rates(to, page, run);
        report_evaluation(to, page, run);
    }
    report_drafts(to, page, run);
    (void)fputs("</section>\n", to);
    return code;
}

static void write_run(FILE *to, const report_run *run) {
    (void)fputs("<section class=\"run\"><h3>Run: ", to);
    report_text(to, run->folder);
    (void)fputs("</h3>\n", to);
    report_data(to, run);
    if (run->config) {
        (void)fputs("<details><summary>Configuration</summary><pre>", to);
        report_text(to, run->config);
        (void)fputs("</pre></details>\n", to);
    }
    (void)fputs("</section>\n", to);
}

static int write_training(FILE *to, const report_page *page) {
    int code = 0, any = 0;
    for (int r = 0; r < page->count; r++)
        any = any || page->run[r].metrics || page->run[r].config;
    if (!any)
        return 0;
    (void)fputs("<section id=\"training\"><h2>Training</h2>\n", to);
    report_overview(to, page);
    code = report_curves(to, page);
    for (int r = 0; r < page->count; r++)
        if (page->run[r].metrics || page->run[r].config)
            write_run(to, &page->run[r]);
    (void)fputs("</section>\n", to);
    return code;
}

/* An evaluation comes before what led to it. */
static int write_page(const report_page *page, FILE *to) {
    int code = 0;

    write_head(to, page);
    for (int r = 0; code == 0 && r < page->count; r++)
        if (page->run[r].results || page->run[r].drafts)
            code = write_evaluation(to, page, &page->run[r]);
    if (code == 0)
        code = write_training(to, page);
    (void)fputs("</body></html>\n", to);
    return code;
}

/* The page appears whole or not at all. */
static int report(arguments *a) {
    char *temporary = malloc(strlen(a->out) + 32);
    FILE *to = NULL;
    int code = 0;

    a->page.run = calloc((size_t)a->page.count, sizeof *a->page.run);
    if (!temporary || !a->page.run) {
        free(temporary);
        return cli_error("out of memory");
    }
    for (int r = 0; code == 0 && r < a->page.count; r++)
        code = report_run_read(a->folder[r], &a->page.run[r]);
    a->page.series = code == 0 ? report_series(a->page.run, a->page.count) : NULL;
    (void)sprintf(temporary, "%s.tmp-%ld", a->out, (long)getpid());
    if (code == 0 && !(to = fopen(temporary, "wb")))
        code = cli_error("%s: %s: is the path right?", a->out, strerror(errno));
    if (to) {
        code = write_page(&a->page, to);
        const int failed = ferror(to);
        if ((fclose(to) != 0 || failed) && code == 0)
            code = cli_error("%s: could not be written whole", a->out);
        if (code == 0 && rename(temporary, a->out) != 0)
            code = cli_error("%s: %s: is the path right?", a->out, strerror(errno));
        if (code != 0)
            (void)remove(temporary);
    }
    free(temporary);
    if (code == 0 && a->json)
        return cli_print_json(json_pack("{s:s,s:i}", "report", a->out, "folders", a->page.count));
    return code == 0 && printf("%s\n", a->out) < 0 ? 1 : code;
}

int hone_cmd_report(int argc, const char **argv) {
    arguments a = {.page = {.drafts = 20}};
    struct poptOption options[] = {
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "file to write", "FILE.html"},
        {"drafts", '\0', POPT_ARG_LONGLONG, &a.page.drafts, 0,
         "prompts of a folder whose drafts are shown (20)", "N"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse_list(argc, argv, options, summary, example, "RUN", &a.folder, &a.page.count);
    if (code < 0 && !a.out)
        code = cli_usage("report", "--out is required");
    if (code < 0)
        code = report(&a);
    for (int r = 0; r < a.page.count; r++) {
        if (a.page.run)
            report_run_clear(&a.page.run[r]);
        free(a.folder[r]);
    }
    json_decref(a.page.series);
    free(a.page.run);
    free(a.folder);
    free(a.out);
    return code;
}
