#include "eval/drafts.h"

#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const size_t file_limit = (size_t)4 << 30;

static hone_status check_list(const json_t *list, const char *where) {
    if (!json_is_array(list) || json_array_size(list) == 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"drafts\" must be a list that is not empty", where);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *draft = json_array_get(list, i);
        if (!json_is_string(json_object_get(draft, "text")) ||
            !json_is_integer(json_object_get(draft, "tokens")) ||
            !json_is_boolean(json_object_get(draft, "ended")))
            return hn_fail(HONE_ERROR_FORMAT, "%s: draft %zu must have a \"text\", \"tokens\" and \"ended\"",
                           where, i);
    }
    return HONE_OK;
}

static hone_status out_of_memory(void) { return hn_fail(HONE_ERROR_MEMORY, "out of memory for drafts"); }

static hone_status read_line(hn_drafts *drafts, const char *line, size_t length, const char *where) {
    json_t *object = NULL;
    const char *key = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_parse_row(line, length, where, &object));
    HN_GO(hn_json_string(object, "key", where, &key));
    HN_GO(check_list(json_object_get(object, "drafts"), where));
    if (json_object_set(drafts->by_key, key, json_object_get(object, "drafts")) != 0)
        status = out_of_memory();
done:
    json_decref(object);
    return status;
}

static hone_status read_file(hn_drafts *drafts) {
    char *text = NULL, where[512];
    size_t length = 0, at = 0;
    long long number = 1;
    hone_status status = HONE_OK;

    HN_GO(hn_file_read(drafts->path, file_limit, &text, &length));
    for (const char *end; (end = memchr(text + at, '\n', length - at)) != NULL; number++) {
        (void)snprintf(where, sizeof where, "%s:%lld", drafts->path, number);
        HN_GO(read_line(drafts, text + at, (size_t)(end - text) - at, where));
        at = (size_t)(end - text) + 1;
    }
    if (at < length)
        HN_GO(hn_file_replace(drafts->path, text, at));
done:
    hn_free(text);
    return status;
}

hone_status hn_drafts_open(const char *path, hn_drafts *drafts) {
    HN_TRY(hn_strdup(&drafts->path, path));
    drafts->by_key = json_object();
    if (drafts->by_key == NULL)
        return out_of_memory();
    return hn_file_exists(path) ? read_file(drafts) : HONE_OK;
}

void hn_drafts_close(hn_drafts *drafts) {
    json_decref(drafts->by_key);
    hn_free(drafts->path);
    *drafts = (hn_drafts){0};
}

const json_t *hn_drafts_find(const hn_drafts *drafts, const char *key, int64_t least) {
    const json_t *list = json_object_get(drafts->by_key, key);
    return (int64_t)json_array_size(list) >= least ? list : NULL;
}

static json_t *list_of(const hone_answer *answer) {
    json_t *list = json_array();
    for (int64_t i = 0; i < answer->drafts; i++) {
        const hone_draft *d = &answer->draft[i];
        json_array_append_new(list, json_pack("{s:s,s:I,s:f,s:b}", "text", d->text, "tokens",
                                              (json_int_t)d->tokens.count, "logp", d->logp, "ended",
                                              (int)d->ended));
    }
    return list;
}

hone_status hn_drafts_add(hn_drafts *drafts, const char *key, json_t *about, const hone_answer *answer) {
    json_t *list = list_of(answer);
    char *line = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    if ((int64_t)json_array_size(list) != answer->drafts ||
        json_object_set_new(about, "key", json_string(key)) != 0 ||
        json_object_set(about, "drafts", list) != 0 || json_object_set(drafts->by_key, key, list) != 0 ||
        (line = json_dumps(about, JSON_COMPACT | JSON_REAL_PRECISION(9))) == NULL)
        HN_GO(out_of_memory());
    length = strlen(line);
    line[length] = '\n'; /* in the place of the zero: one write, so that a line is whole or cut */
    status = hn_file_append(drafts->path, line, length + 1);
done:
    free(line);
    json_decref(list);
    json_decref(about);
    return status;
}
