/* Cards of drafts: what every policy wrote for one prompt, side by side. */
#include "report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static double row_of(const json_t *line) { return json_number_value(json_object_get(line, "row")); }

static bool same_prompt(const json_t *a, const json_t *b) {
    return strcmp(text_of(a, "set"), text_of(b, "set")) == 0 && row_of(a) == row_of(b) &&
           strcmp(text_of(a, "prompt"), text_of(b, "prompt")) == 0;
}

static void put_policy(FILE *to, const json_t *line) {
    const json_t *drafts = json_object_get(line, "drafts");

    (void)fputs("<details open><summary>", to);
    report_text(to, text_of(line, "policy"));
    (void)fputs("</summary><div class=\"drafts\">\n", to);
    for (size_t i = 0; i < json_array_size(drafts); i++) {
        if (i == 0)
            (void)fputs("<div><h4>draft</h4><p>", to);
        else
            (void)fprintf(to, "<div><h4>revision %zu</h4><p>", i);
        report_revision(to, i > 0 ? text_of(json_array_get(drafts, i - 1), "text") : NULL,
                        text_of(json_array_get(drafts, i), "text"));
        (void)fputs("</p></div>\n", to);
    }
    (void)fputs("</div></details>\n", to);
}

/* From line `first` on: those of the same prompt are marked as shown. */
static void put_card(FILE *to, const json_t *lines, size_t first, bool *shown) {
    const json_t *head = json_array_get(lines, first);

    (void)fputs("<div class=\"card\"><p class=\"prompt\">", to);
    report_text(to, text_of(head, "prompt"));
    (void)fputs("</p>", to);
    if (*text_of(head, "reference")) {
        (void)fputs("<p class=\"note\">reference: ", to);
        report_text(to, text_of(head, "reference"));
        (void)fputs("</p>\n", to);
    }
    for (size_t i = first; i < json_array_size(lines); i++)
        if (!shown[i] && same_prompt(head, json_array_get(lines, i))) {
            shown[i] = true;
            put_policy(to, json_array_get(lines, i));
        }
    (void)fputs("</div>\n", to);
}

void report_drafts(FILE *to, const report_run *run, long long most) {
    const size_t count = json_array_size(run->drafts);
    bool *shown = calloc(count + 1, sizeof *shown);
    long long cards = 0, left = 0;

    if (count > 0 && shown)
        (void)fputs("<h3>Drafts and their revisions</h3>\n<p class=\"note\">Words that a revision adds are "
                    "underlined, those that it "
                    "takes away are struck through.</p>\n",
                    to);
    for (size_t i = 0; shown && i < count; i++) {
        if (shown[i])
            continue;
        if (cards < most) {
            put_card(to, run->drafts, i, shown);
            cards++;
        } else
            left++;
    }
    if (left > 0)
        (void)fprintf(to,
                      "<p class=\"note\">%lld more lines of drafts are in drafts.jsonl; --drafts shows more "
                      "prompts.</p>\n",
                      left);
    free(shown);
}
