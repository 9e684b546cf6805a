#include "eval/rows.h"

#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <string.h>
#include <text/lines.h>
#include <text/rows.h>

/** A string, or the content of the last message of a list. */
static hone_status read_text(const json_t *object, const char *key, const char *where, const char **text) {
    const json_t *value = json_object_get(object, key);

    if (json_is_array(value) && json_array_size(value) > 0) {
        if (strcmp(key, "prompt") == 0 && json_array_size(value) != 1)
            return hn_fail(HONE_ERROR_UNSUPPORTED,
                           "%s: the prompt has %zu messages; templates write one turn: pass a string", where,
                           json_array_size(value));
        value = json_object_get(json_array_get(value, json_array_size(value) - 1), "content");
    }
    if (!json_is_string(value))
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a string or a list of {\"role\",\"content\"}",
                       where, key);
    *text = json_string_value(value);
    return HONE_OK;
}

/** Pairs may leave the prompt to what their sides have in common. */
static hone_status read_pair(json_t *object, const char *where, hone_case *row) {
    hone_row pair = {.line = 0};

    HN_TRY(hn_row_read(HONE_DATA_PREFERENCE, object, where, &pair));
    row->prompt = pair.prompt;
    if (json_object_get(object, "reference") == NULL && json_object_get(object, "answer") == NULL)
        row->reference = pair.chosen;
    return HONE_OK;
}

static hone_status read_row(json_t *object, const char *where, hone_case *row) {
    static const char *const keys[] = {"reference", "answer", "chosen", "completion"};

    if (!json_is_object(object))
        return hn_fail(HONE_ERROR_FORMAT, "%s: a row is a JSON object {\"prompt\":..,\"reference\":..}",
                       where);
    if (json_object_get(object, "prompt") == NULL && json_object_get(object, "chosen") != NULL &&
        json_object_get(object, "rejected") != NULL)
        HN_TRY(read_pair(object, where, row));
    else
        HN_TRY(read_text(object, "prompt", where, &row->prompt));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && row->reference == NULL; i++)
        if (json_object_get(object, keys[i]) != NULL)
            HN_TRY(read_text(object, keys[i], where, &row->reference));
    return hn_json_string_or(object, "package", where, NULL, &row->package);
}

static hone_status add_line(hn_eval_rows *rows, const char *line, size_t length, const char *where) {
    const size_t count = (size_t)rows->count;

    HN_TRY(hn_reserve(&rows->row, &rows->row_capacity, count + 1, sizeof *rows->row, "rows"));
    HN_TRY(hn_reserve(&rows->held, &rows->held_capacity, count + 1, sizeof *rows->held, "rows"));
    rows->row[count] = (hone_case){0};
    HN_TRY(hn_json_parse_row(line, length, where, &rows->held[count]));
    rows->count++;
    return read_row(rows->held[count], where, &rows->row[count]);
}

hone_status hn_eval_rows_read(const char *path, int64_t limit, hn_eval_rows *rows) {
    hn_lines *lines = NULL;
    const char *line = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    HN_GO(hn_lines_open(path, &lines));
    while (limit == 0 || rows->count < limit) {
        HN_GO(hn_lines_next(lines, &line, &length));
        if (line == NULL)
            break;
        HN_GO(add_line(rows, line, length, hn_lines_where(lines)));
    }
    if (rows->count == 0)
        status = hn_fail(HONE_ERROR_FORMAT, "%s: there is no row in it: rows of JSON are wanted, one a line",
                         path);
done:
    hn_lines_close(lines);
    return status;
}

void hn_eval_rows_clear(hn_eval_rows *rows) {
    for (int64_t i = 0; i < rows->count; i++)
        json_decref(rows->held[i]);
    hn_free(rows->held);
    hn_free(rows->row);
    *rows = (hn_eval_rows){0};
}
