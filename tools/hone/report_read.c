#include "cli.h"
#include "files.h"
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 1000000 };

/* NULL where there is no such file, and where it can't be read: *code is 1 then. */
static FILE *open_in(const char *folder, const char *name, int *code) {
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    FILE *file = NULL;
    int failed = 1;
    if (path) {
        (void)sprintf(path, "%s/%s", folder, name);
        file = cli_open(path, 1, &failed);
    }
    free(path);
    *code |= failed;
    return file;
}

/* Lines that can't be read: how many, and which is the first and why. */
typedef struct damage {
    long long lines, first;
    char why[JSON_ERROR_TEXT_LENGTH];
} damage;

static void add_line(json_t *list, const char *line, size_t length, long long number, damage *d) {
    json_error_t error;
    json_t *object = json_loadb(line, length, 0, &error);
    if (json_is_object(object))
        (void)json_array_append(list, object);
    else if (line[length - 1] == '\n' && d->lines++ == 0) {
        d->first = number;
        (void)snprintf(d->why, sizeof d->why, "%s", object ? "not an object" : error.text);
    }
    json_decref(object);
}

/* The objects of a JSONL file, at most MOST_LINES. */
static json_t *read_lines(const char *folder, const char *name, int *code) {
    FILE *file = open_in(folder, name, code);
    json_t *list = file ? json_array() : NULL;
    damage d = {.lines = 0};
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    for (long long n = 1; list && n <= MOST_LINES && (length = getline(&line, &room, file)) > 0; n++)
        add_line(list, line, (size_t)length, n, &d);
    if (d.lines == 1)
        cli_warn("%s/%s:%lld: %s: this line is left out", folder, name, d.first, d.why);
    else if (d.lines > 1)
        cli_warn("%s/%s:%lld: %s: this line is left out, and %lld more", folder, name, d.first, d.why,
                 d.lines - 1);
    free(line);
    if (file)
        (void)fclose(file);
    return list;
}

/* Written whole or not at all: damage is no run's end, and half a report would pass for a whole one. */
static json_t *read_results(const char *folder, int *code) {
    FILE *file = open_in(folder, "results.json", code);
    json_error_t error;
    json_t *results = file ? json_loadf(file, 0, &error) : NULL;
    if (file && !results)
        *code = cli_error(
            "%s/results.json: line %d, column %d: %s: correct it, or have `hone eval` write it again", folder,
            error.line, error.column, error.text);
    else if (file && !json_is_array(json_object_get(results, "results")))
        *code = cli_error(
            "%s/results.json: there must be a list of \"results\" in it, as `hone eval` writes it", folder);
    if (file)
        (void)fclose(file);
    return results;
}

static char *read_text(const char *folder, const char *name, int *code) {
    FILE *file = open_in(folder, name, code);
    char *text = NULL;
    size_t room = 0;
    if (file && getdelim(&text, &room, '\0', file) < 0) {
        free(text);
        text = NULL;
    }
    if (file)
        (void)fclose(file);
    return text;
}

int report_run_read(const char *folder, report_run *run) {
    int code = 0;
    *run = (report_run){.folder = strdup(folder)};
    if (!run->folder)
        return cli_error("out of memory");
    for (size_t n = strlen(folder); n > 1 && run->folder[n - 1] == '/'; n--)
        run->folder[n - 1] = '\0';
    run->metrics = read_lines(folder, "metrics.jsonl", &code);
    if (code == 0)
        run->held = read_lines(folder, "eval.jsonl", &code);
    if (code == 0)
        run->config = read_text(folder, "config.yaml", &code);
    if (code == 0)
        run->drafts = read_lines(folder, "drafts.jsonl", &code);
    if (code == 0)
        run->results = read_results(folder, &code);
    if (code == 0 && !run->metrics && !run->config && !run->results && !run->drafts)
        code = cli_error(
            "%s: no metrics.jsonl, config.yaml, results.json or drafts.jsonl in it: a folder that hone "
            "train or hone eval wrote is wanted",
            folder);
    return code;
}

void report_run_clear(report_run *run) {
    free(run->folder);
    free(run->config);
    json_decref(run->metrics);
    json_decref(run->held);
    json_decref(run->results);
    json_decref(run->drafts);
}
