/* The training runs in a line each. */
#include "report.h"

#include <stdbool.h>
#include <string.h>

void report_setting(const report_run *run, const char *name, char *out, size_t room) {
    const size_t length = strlen(name);
    out[0] = '\0';
    for (const char *line = run->config; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, name, length) != 0 || strncmp(line + length, ": ", 2) != 0)
            continue;
        const char *value = line + length + 2;
        const size_t quoted = *value == '"', count = strcspn(value + quoted, quoted ? "\"\n" : "\n");
        (void)snprintf(out, room, "%.*s", (int)(count < room ? count : room - 1), value + quoted);
        return;
    }
}

static void put_setting(FILE *to, const report_run *run, const char *name, const char *kind) {
    char value[256];
    report_setting(run, name, value, sizeof value);
    (void)fprintf(to, "<td%s>", kind);
    report_text(to, value);
    (void)fputs("</td>", to);
}

/* The last number of a name. */
static void put_last(FILE *to, const json_t *metrics, const char *name, int digits) {
    (void)fputs("<td>", to);
    for (size_t i = json_array_size(metrics); i-- > 0;) {
        const json_t *value = json_object_get(json_array_get(metrics, i), name);
        if (!json_is_number(value))
            continue;
        (void)fprintf(to, "%.*f", digits, json_number_value(value));
        break;
    }
    (void)fputs("</td>", to);
}

/* The lowest held-out loss, and its step. */
static void put_best(FILE *to, const json_t *held) {
    const json_t *best = NULL;
    for (size_t i = 0; i < json_array_size(held); i++) {
        const json_t *row = json_array_get(held, i);
        if (json_is_number(json_object_get(row, "eval_loss")) &&
            (!best || report_number(row, "eval_loss") < report_number(best, "eval_loss")))
            best = row;
    }
    (void)fputs("<td>", to);
    if (best)
        (void)fprintf(to, "%.4f, step %.0f", report_number(best, "eval_loss"), report_number(best, "step"));
    (void)fputs("</td>", to);
}

static bool is_sft(const report_run *run) {
    char method[16];
    report_setting(run, "method", method, sizeof method);
    return strcmp(method, "sft") == 0;
}

static void put_run(FILE *to, const report_page *page, int r) {
    const report_run *run = &page->run[r];

    (void)fputs("<tr><th>", to);
    report_name(to, page->series, report_run_name(page, r));
    (void)fputs("</th>", to);
    put_setting(to, run, "method", " class=\"text\"");
    put_setting(to, run, "model", " class=\"text\"");
    put_setting(to, run, is_sft(run) ? "" : "beta", "");
    put_setting(to, run, "lr", "");
    put_last(to, run->metrics, "step", 0);
    put_last(to, run->metrics, "loss", 4);
    put_last(to, run->metrics, "rewards/margins", 3);
    put_best(to, run->held);
    put_last(to, run->metrics, "tree_ratio", 2);
    put_last(to, run->metrics, "pairs_per_second", 1);
    (void)fputs("</tr>\n", to);
}

void report_overview(FILE *to, const report_page *page) {
    (void)fputs(
        "<div class=\"wide\"><table><caption>Runs, where they ended</caption><thead><tr><th>run</th>"
        "<th class=\"text\">method</th><th class=\"text\">model</th><th>beta</th><th>lr</th><th>step</th>"
        "<th>loss</th><th>margin</th><th>best held-out loss</th><th>tree ratio</th><th>pairs/s</th></tr>"
        "</thead><tbody>\n",
        to);
    for (int r = 0; r < page->count; r++)
        if (page->run[r].metrics)
            put_run(to, page, r);
    (void)fputs("</tbody></table></div>\n", to);
}
