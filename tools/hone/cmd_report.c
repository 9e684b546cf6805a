/* hone report: runs and evaluations as one page that needs nothing else. */
#include "cli.h"
#include "report.h"
#include "verbs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char summary[] = "hone report RUN...: runs and evaluations as one page of HTML\n\n"
                              "RUN is a folder that hone train or hone eval wrote. The page needs no network "
                              "and no script, follows the reader's\n"
                              "light or dark theme, and prints: curves of the metrics, win rates over "
                              "revisions with their bands, drafts beside\n"
                              "their revisions with the changed words marked, the configuration and what the "
                              "data holds. Needs gnuplot.";
static const char example[] = "  hone report run-srpo run-dpo evaluation --out report.html";

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light "
    "dark\">\n"
    "<title>hone report</title><style>\n"
    ":root{--ink:#1a1a1a;--paper:#fff;--line:#ccc;--soft:#f4f4f4;--dim:#5c5c5c;--ins:#cdeccf;--del:#f6d0d0}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e4e4;--paper:#161616;--line:#444;--soft:#222;--dim:#"
    "a8a8a8;"
    "--ins:#1f4d25;--del:#5a2424}}\n"
    "@media "
    "print{:root{--ink:#000;--paper:#fff;--line:#999;--soft:#fff;--dim:#444}figure,tr,.card{break-inside:"
    "avoid}}\n"
    "body{color:var(--ink);background:var(--paper);font:15px/1.5 "
    "system-ui,sans-serif;max-width:70rem;margin:2rem "
    "auto;padding:0 1rem}\n"
    "h2{margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid "
    "var(--line);overflow-wrap:anywhere}h3{margin:1.4rem 0 .4rem}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem}"
    "figure{margin:0;max-width:100%}"
    "figure svg{width:100%;height:auto}figure svg text{fill:var(--ink)}\n"
    "figcaption,h4{font-weight:600;margin:.3rem 0}.note,h4{color:var(--dim)}h4{font-size:.85rem}\n"
    "pre{background:var(--soft);padding:.8rem;overflow:auto}.wide{overflow-x:auto}\n"
    "table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}th,td{padding:.2rem "
    ".7rem;border-bottom:1px solid "
    "var(--line);text-align:right;white-space:nowrap}th:first-child{text-align:left}caption{text-align:left;"
    "font-weight:600}\n"
    "summary{cursor:pointer;padding:.3rem 0}.card{border:1px solid "
    "var(--line);border-radius:.4rem;margin:.8rem 0;padding:.6rem .9rem}"
    ".prompt,.drafts p{white-space:pre-wrap;overflow-wrap:anywhere;margin:.2rem "
    "0}.prompt{background:var(--soft);padding:.5rem}\n"
    ".drafts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,9rem),1fr));gap:.2rem "
    "1rem}\n"
    "ins{background:var(--ins);text-decoration:underline}del{background:var(--del)}\n"
    "</style></head><body>\n<h1>hone report</h1>\n";

typedef struct arguments {
    char *out, **folder;
    int count, json;
    long long drafts;
    report_run *run;
} arguments;

/* An evaluation comes before what led to it. */
static int write_evaluation(FILE *to, const report_run *run, long long drafts) {
    (void)fputs("<section class=\"evaluation\"><h2>Evaluation: ", to);
    report_text(to, run->folder);
    (void)fputs("</h2>\n<div class=\"figures\">\n", to);
    const int code = run->results ? report_win_rates(to, run) : 0;
    (void)fputs("</div>\n", to);
    report_evaluation(to, run);
    report_drafts(to, run, drafts);
    (void)fputs("</section>\n", to);
    return code;
}

static void write_run(FILE *to, const report_run *run) {
    (void)fputs("<section class=\"run\"><h2>Run: ", to);
    report_text(to, run->folder);
    (void)fputs("</h2>\n", to);
    report_data(to, run);
    if (run->config) {
        (void)fputs("<details><summary>Configuration</summary><pre>", to);
        report_text(to, run->config);
        (void)fputs("</pre></details>\n", to);
    }
    (void)fputs("</section>\n", to);
}

static int write_page(const arguments *a, FILE *to) {
    int code = 0;

    (void)fputs(head, to);
    report_overview(to, a->run, a->count);
    for (int r = 0; code == 0 && r < a->count; r++)
        if (a->run[r].results || a->run[r].drafts)
            code = write_evaluation(to, &a->run[r], a->drafts);
    if (code == 0)
        code = report_curves(to, a->run, a->count);
    for (int r = 0; r < a->count; r++)
        if (a->run[r].metrics || a->run[r].config)
            write_run(to, &a->run[r]);
    (void)fputs("</body></html>\n", to);
    return code;
}

/* The page appears whole or not at all. */
static int report(arguments *a) {
    char *temporary = malloc(strlen(a->out) + 32);
    FILE *to = NULL;
    int code = 0;

    a->run = calloc((size_t)a->count, sizeof *a->run);
    if (!temporary || !a->run) {
        free(temporary);
        return cli_error("out of memory");
    }
    for (int r = 0; code == 0 && r < a->count; r++)
        code = report_run_read(a->folder[r], &a->run[r]);
    (void)sprintf(temporary, "%s.tmp-%ld", a->out, (long)getpid());
    if (code == 0 && !(to = fopen(temporary, "wb")))
        code = cli_error("%s: %s", a->out, strerror(errno));
    if (to) {
        code = write_page(a, to);
        const int failed = ferror(to);
        if ((fclose(to) != 0 || failed) && code == 0)
            code = cli_error("%s: could not be written whole", a->out);
        if (code == 0 && rename(temporary, a->out) != 0)
            code = cli_error("%s: %s", a->out, strerror(errno));
        if (code != 0)
            (void)remove(temporary);
    }
    free(temporary);
    if (code == 0 && a->json)
        return cli_print_json(json_pack("{s:s,s:i}", "report", a->out, "folders", a->count));
    return code == 0 && printf("%s\n", a->out) < 0 ? 1 : code;
}

int hone_cmd_report(int argc, const char **argv) {
    arguments a = {.drafts = 50};
    struct poptOption options[] = {
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "file to write", "FILE.html"},
        {"drafts", '\0', POPT_ARG_LONGLONG, &a.drafts, 0, "prompts of a folder whose drafts are shown (50)",
         "N"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse_list(argc, argv, options, summary, example, "RUN", &a.folder, &a.count);
    if (code < 0 && !a.out)
        code = cli_usage("report", "--out is required");
    if (code < 0)
        code = report(&a);
    for (int r = 0; r < a.count; r++) {
        if (a.run)
            report_run_clear(&a.run[r]);
        free(a.folder[r]);
    }
    free(a.run);
    free(a.folder);
    free(a.out);
    return code;
}
