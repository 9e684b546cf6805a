/* Who has which colour: the same name the same one on the whole page. */
#include "report.h"

#include <stdbool.h>
#include <string.h>

enum { COLOURS = 8, POINTS = 6 };

/* Okabe and Ito's colours, as in the other figures; those too light for white or too dark for black are shifted until they
 * stand out on both (3 to 1). */
static const char *const colour[COLOURS] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                            "#b88000", "#3d9bd1", "#808080", "#aa4499"};
/* gnuplot's filled points, and letters of their shapes. */
static const int point[POINTS] = {7, 5, 9, 13, 11, 15};
static const char *const letter[POINTS] = {"\xe2\x97\x8f", "\xe2\x96\xa0", "\xe2\x96\xb2",
                                           "\xe2\x97\x86", "\xe2\x96\xbc", "\xe2\xac\x9f"};

static void add(json_t *series, const char *name) {
    for (size_t i = 0; i < json_array_size(series); i++)
        if (strcmp(json_string_value(json_array_get(series, i)), name) == 0)
            return;
    (void)json_array_append_new(series, json_string(name));
}

static const char *last_part(const char *folder) {
    const char *slash = strrchr(folder, '/');
    return slash && slash[1] ? slash + 1 : folder;
}

/* Whether "…/NAME/final" or "…/NAME" is the path. */
static bool made_in(const char *path, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = strstr(path, name); at; at = strstr(at + 1, name))
        if ((at == path || at[-1] == '/') &&
            (at[length] == '/' ? !strchr(at + length + 1, '/') : !at[length]))
            return true;
    return false;
}

/* The policy that was evaluated from a folder; NULL: none. */
static const char *policy_of(const report_run *run, int count, const char *name) {
    for (int r = 0; r < count; r++) {
        const json_t *policies = json_object_get(run[r].results, "policies");
        for (size_t i = 0; i < json_array_size(policies); i++) {
            const json_t *policy = json_array_get(policies, i);
            const char *adapter = report_string(policy, "adapter");
            if (made_in(*adapter ? adapter : report_string(policy, "model"), name))
                return report_string(policy, "name");
        }
    }
    return NULL;
}

static const char *name_of(const report_run *run, int count, int r) {
    const char *name = last_part(run[r].folder), *policy = policy_of(run, count, name);
    for (int other = 0; other < count; other++)
        if (other != r && run[other].metrics && strcmp(last_part(run[other].folder), name) == 0)
            return run[r].folder;
    return policy ? policy : name;
}

json_t *report_series(const report_run *run, int count) {
    json_t *series = json_array();
    for (int r = 0; r < count; r++) {
        json_t *names = report_values(json_object_get(run[r].results, "results"), "policy"),
               *more = report_values(run[r].drafts, "policy");
        (void)json_array_extend(names, more);
        for (size_t i = 0; i < json_array_size(names); i++)
            add(series, json_string_value(json_array_get(names, i)));
        json_decref(names);
        json_decref(more);
    }
    for (int r = 0; r < count; r++)
        if (run[r].metrics)
            add(series, name_of(run, count, r));
    return series;
}

const char *report_run_name(const report_page *page, int r) { return name_of(page->run, page->count, r); }

report_style report_style_of(const json_t *series, const char *name) {
    size_t i = 0;
    while (i + 1 < json_array_size(series) && strcmp(json_string_value(json_array_get(series, i)), name) != 0)
        i++;
    return (report_style){colour[i % COLOURS], letter[i % POINTS], point[i % POINTS],
                          1 + (int)(i / COLOURS % 4)};
}

void report_name(FILE *to, const json_t *series, const char *name) {
    const report_style style = report_style_of(series, name);
    (void)fprintf(to, "<span class=\"name\"><b style=\"color:%s\">%s</b> ", style.colour, style.letter);
    report_text(to, name);
    (void)fputs("</span>", to);
}

void report_key(FILE *to, const json_t *series, const json_t *names) {
    (void)fputs("<p class=\"key\">", to);
    for (size_t i = 0; i < json_array_size(names); i++)
        report_name(to, series, json_string_value(json_array_get(names, i)));
    (void)fputs("</p>\n", to);
}
