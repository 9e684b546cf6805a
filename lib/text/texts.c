/* The texts of a file, to train a tokenizer on. */
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/tokenizer.h>
#include <string.h>
#include <text/lines.h>
#include <text/unicode.h>

typedef struct collection {
    hn_bytes bytes; /**< one text after the other */
    size_t *length, count, capacity;
} collection;

static hone_status add(collection *texts, const char *text, size_t length) {
    HN_TRY(hn_reserve(&texts->length, &texts->capacity, texts->count + 1, sizeof *texts->length, "texts"));
    HN_TRY(hn_bytes_append(&texts->bytes, text, length));
    texts->length[texts->count++] = length;
    return HONE_OK;
}

/** Strings anywhere within a JSON value; the parser bounds its depth. */
static hone_status add_strings(collection *texts, const json_t *value) {
    const char *key = NULL;
    json_t *child = NULL;
    size_t i = 0;

    if (json_is_string(value))
        return add(texts, json_string_value(value), json_string_length(value));
    if (json_is_array(value))
        json_array_foreach(value, i, child) HN_TRY(add_strings(texts, child));
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, child) HN_TRY(add_strings(texts, child));
    return HONE_OK;
}

static hone_status add_row(collection *texts, const char *line, size_t length, const char *where) {
    json_t *row = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_json_parse_row(line, length, where, &row));
    HN_GO(add_strings(texts, row));
done:
    json_decref(row);
    return status;
}

/** A line keeps its end, which is part of the text. */
static hone_status add_line(collection *texts, const char *line, size_t length, const char *where) {
    const hone_status status = hn_utf8_check(line, length);
    if (status != HONE_OK)
        return hn_fail_in(hn_fail_advise(status, "correct the line, or take it out"), "%s", where);
    HN_TRY(add(texts, line, length));
    HN_TRY(hn_bytes_append(&texts->bytes, "\n", 1));
    texts->length[texts->count - 1]++;
    return HONE_OK;
}

static bool is_row(const char *line, size_t length) {
    json_t *value = line[strspn(line, " \t")] == '{' ? json_loadb(line, length, 0, NULL) : NULL;
    json_decref(value);
    return value != NULL;
}

/** Rows when the first line is one, and then every line must be; lines otherwise. */
static hone_status collect(const char *path, collection *texts) {
    hn_lines *lines = NULL;
    const char *line = NULL;
    size_t length = 0;
    bool rows = false;
    hone_status status = HONE_OK;

    HN_GO(hn_lines_open(path, &lines));
    for (bool first = true;; first = false) {
        HN_GO(hn_lines_next(lines, &line, &length));
        if (line == NULL)
            break;
        rows = first ? is_row(line, length) : rows;
        HN_GO((rows ? add_row : add_line)(texts, line, length, hn_lines_where(lines)));
    }
    if (texts->count == 0)
        status =
            hn_fail(HONE_ERROR_FORMAT, "%s: there is no text in it to train on: is the path right?", path);
done:
    hn_lines_close(lines);
    return status;
}

hone_status hone_tokenizer_train_file(const hone_tokenizer_train_options *options, const char *path,
                                      int64_t *count, hone_tokenizer **tokenizer) {
    collection texts = {0};
    const char **text = NULL;
    hone_status status = HONE_OK;

    *tokenizer = NULL;
    *count = 0;
    HN_GO(collect(path, &texts));
    HN_GO(hn_alloc(&text, texts.count, sizeof *text, "texts"));
    for (size_t i = 0, at = 0; i < texts.count; at += texts.length[i++])
        text[i] = texts.bytes.data + at;
    HN_GO(hone_tokenizer_train(options, text, texts.length, texts.count, tokenizer));
    *count = (int64_t)texts.count;
done:
    hn_free(text);
    hn_free(texts.length);
    hn_bytes_clear(&texts.bytes);
    return status;
}
