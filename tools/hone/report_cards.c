/* Cards of drafts: what every policy wrote for one prompt, side by side. */
#include "report.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct cards {
    const report_page *page;
    const json_t *lines, *examples; /* examples: with scores, where the evaluation kept them */
    bool *shown;                    /* [lines] */
} cards;

static bool same_prompt(const json_t *a, const json_t *b) {
    return strcmp(report_string(a, "set"), report_string(b, "set")) == 0 &&
           (long long)report_number(a, "row") == (long long)report_number(b, "row") &&
           strcmp(report_string(a, "prompt"), report_string(b, "prompt")) == 0;
}

/* The drafts of a line with their scores; NULL: not kept. */
static const json_t *scored(const cards *c, const json_t *line) {
    for (size_t i = 0; i < json_array_size(c->examples); i++) {
        const json_t *example = json_array_get(c->examples, i),
                     *policies = json_object_get(example, "policies");
        if (!same_prompt(example, line))
            continue;
        for (size_t p = 0; p < json_array_size(policies); p++) {
            const json_t *policy = json_array_get(policies, p);
            if (strcmp(report_string(policy, "name"), report_string(line, "policy")) == 0)
                return json_object_get(policy, "drafts");
        }
    }
    return NULL;
}

/* Whether they are the same but for white space at the ends. */
static bool is_same(const char *a, const char *b) {
    static const char space[] = " \t\n";
    a += strspn(a, space);
    b += strspn(b, space);
    size_t length = strlen(a), other = strlen(b);
    while (length > 0 && strchr(space, a[length - 1]))
        length--;
    while (other > 0 && strchr(space, b[other - 1]))
        other--;
    return length == other && memcmp(a, b, length) == 0;
}

static void put_draft(FILE *to, const cards *c, const json_t *line, size_t n) {
    const json_t *drafts = json_object_get(line, "drafts"),
                 *score = json_object_get(json_array_get(scored(c, line), n), "score");
    const char *text = report_string(json_array_get(drafts, n), "text"),
               *before = n > 0 ? report_string(json_array_get(drafts, n - 1), "text") : NULL,
               *reference = report_string(line, "reference");

    if (n == 0)
        (void)fputs("<div><h4>draft", to);
    else
        (void)fprintf(to, "<div><h4>revision %zu", n);
    if (*reference && is_same(text, reference))
        (void)fputs(" <span title=\"as the reference\">\xe2\x9c\x93</span>", to);
    if (json_is_number(score))
        (void)fprintf(to, " <small>%.0f %%</small>", 100.0 * json_number_value(score));
    (void)fprintf(to, "</h4><p dir=\"auto\"%s>", before && is_same(before, text) ? " class=\"same\"" : "");
    report_revision(to, before, text);
    (void)fputs("</p></div>\n", to);
}

static void put_policy(FILE *to, const cards *c, const json_t *line) {
    (void)fputs("<details open><summary>", to);
    report_name(to, c->page->series, report_string(line, "policy"));
    (void)fputs("</summary><div class=\"drafts\">\n", to);
    for (size_t n = 0; n < json_array_size(json_object_get(line, "drafts")); n++)
        put_draft(to, c, line, n);
    (void)fputs("</div></details>\n", to);
}

/* From line `first` on: those of the same prompt are marked as shown. */
static void put_card(FILE *to, const cards *c, size_t first) {
    const json_t *head = json_array_get(c->lines, first);

    (void)fputs("<div class=\"card\"><p class=\"note\">", to);
    report_text(to, report_set_name(report_string(head, "set")));
    (void)fputs("</p><p class=\"prompt\" dir=\"auto\">", to);
    report_text(to, report_string(head, "prompt"));
    (void)fputs("</p>", to);
    if (*report_string(head, "reference")) {
        (void)fputs("<p class=\"note reference\" dir=\"auto\">reference: ", to);
        report_revision(to, NULL, report_string(head, "reference"));
        (void)fputs("</p>\n", to);
    }
    for (size_t i = first; i < json_array_size(c->lines); i++)
        if (!c->shown[i] && same_prompt(head, json_array_get(c->lines, i))) {
            c->shown[i] = true;
            put_policy(to, c, json_array_get(c->lines, i));
        }
    (void)fputs("</div>\n", to);
}

/* The next prompt of a set that has not been shown; the count of lines: none. */
static size_t next_of(const cards *c, const char *set) {
    const size_t count = json_array_size(c->lines);
    size_t i = 0;
    while (i < count && (c->shown[i] || strcmp(report_string(json_array_get(c->lines, i), "set"), set) != 0))
        i++;
    return i;
}

/* Prompts of all sets in turn. Returns how many lines are left. */
static size_t put_cards(FILE *to, const cards *c, long long most) {
    const size_t count = json_array_size(c->lines);
    json_t *sets = report_values(c->lines, "set");
    long long put = 0, before = -1;
    size_t left = 0;

    (void)json_array_append_new(sets, json_string("")); /* lines that name none */
    while (put < most && put != before) {
        before = put;
        for (size_t s = 0; s < json_array_size(sets) && put < most; s++) {
            const size_t next = next_of(c, json_string_value(json_array_get(sets, s)));
            if (next == count)
                continue;
            put_card(to, c, next);
            put++;
        }
    }
    for (size_t i = 0; i < count; i++)
        left += !c->shown[i];
    json_decref(sets);
    return left;
}

void report_drafts(FILE *to, const report_page *page, const report_run *run) {
    const size_t count = json_array_size(run->drafts);
    const cards c = {page, run->drafts, json_object_get(run->results, "examples"),
                     calloc(count + 1, sizeof *c.shown)};

    if (count > 0 && c.shown) {
        (void)fputs("<h3>Drafts and their revisions</h3>\n<p class=\"note\">Words that a revision "
                    "<ins>adds</ins> and words "
                    "that it <del>takes away</del>; <span class=\"same\">pale</span>: nothing changed; "
                    "\xe2\x9c\x93 as the "
                    "reference; %: the judge's score.</p>\n",
                    to);
        const size_t left = put_cards(to, &c, page->drafts);
        if (left > 0)
            (void)fprintf(to,
                          "<p class=\"note\">%zu more lines of drafts are in drafts.jsonl; --drafts shows "
                          "more prompts.</p>\n",
                          left);
    }
    free(c.shown);
}
