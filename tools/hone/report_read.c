#include "cli.h"
#include "report.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_LINES = 1000000 };

/* NULL: out of memory, or no such file. */
static FILE *open_in(const char *folder, const char *name) {
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    FILE *file = NULL;
    if (path) {
        (void)sprintf(path, "%s/%s", folder, name);
        file = fopen(path, "r");
    }
    free(path);
    return file;
}

/* The objects of a JSONL file, at most `most`; a line that a crash cut is left out. */
static json_t *read_lines(const char *folder, const char *name, long long most) {
    FILE *file = open_in(folder, name);
    json_t *list = file ? json_array() : NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    while (list && (long long)json_array_size(list) < most && (length = getline(&line, &room, file)) >= 0) {
        json_t *object = json_loadb(line, (size_t)length, 0, NULL);
        if (json_is_object(object))
            (void)json_array_append(list, object);
        json_decref(object);
    }
    free(line);
    if (file)
        (void)fclose(file);
    return list;
}

static json_t *read_json(const char *folder, const char *name) {
    FILE *file = open_in(folder, name);
    json_t *value = file ? json_loadf(file, 0, NULL) : NULL;
    if (file)
        (void)fclose(file);
    if (!json_is_array(json_object_get(value, "results"))) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static char *read_text(const char *folder, const char *name) {
    FILE *file = open_in(folder, name);
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
    *run = (report_run){.folder = strdup(folder)};
    if (!run->folder)
        return cli_error("out of memory");
    for (size_t n = strlen(folder); n > 1 && run->folder[n - 1] == '/'; n--)
        run->folder[n - 1] = '\0';
    run->metrics = read_lines(folder, "metrics.jsonl", MOST_LINES);
    run->held = read_lines(folder, "eval.jsonl", MOST_LINES);
    run->config = read_text(folder, "config.yaml");
    run->results = read_json(folder, "results.json");
    run->drafts = read_lines(folder, "drafts.jsonl", MOST_LINES);
    if (!run->metrics && !run->config && !run->results && !run->drafts)
        return cli_error(
            "%s: no metrics.jsonl, config.yaml, results.json or drafts.jsonl in it: a folder that hone "
            "train or hone eval wrote is wanted",
            folder);
    return 0;
}

void report_run_clear(report_run *run) {
    free(run->folder);
    free(run->config);
    json_decref(run->metrics);
    json_decref(run->held);
    json_decref(run->results);
    json_decref(run->drafts);
}
