#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <text/lines.h>
#include <text/rows.h>

struct hn_rows {
    hn_lines *lines;
    hone_data_kind kind;
    json_t *object; /**< what the row's strings belong to */
    char *path;
    int64_t count;
};

/** A string, or a list of messages: `prompt` is then everything before the last one, `answer` the last. */
typedef struct side {
    const char *text;
    const json_t *messages;
} side;

static hone_status missing(const json_t *object, const char *key, const char *where) {
    if (json_object_get(object, "completion") != NULL)
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: \"%s\" is missing: a row with \"completion\" is for SFT: pass --method sft, or give "
            "\"chosen\" and \"rejected\"",
            where, key);
    return hn_fail(
        HONE_ERROR_FORMAT,
        "%s: \"%s\" is missing: give \"prompt\", \"chosen\" and \"rejected\", or for SFT \"prompt\" and "
        "\"completion\"",
        where, key);
}

static hone_status read_side(const json_t *object, const char *key, const char *where, side *out) {
    const json_t *value = json_object_get(object, key);

    *out = (side){0};
    if (value == NULL)
        return missing(object, key, where);
    if (json_is_string(value)) {
        out->text = json_string_value(value);
        return HONE_OK;
    }
    if (!json_is_array(value) || json_array_size(value) == 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be a string or a list of {\"role\",\"content\"}",
                       where, key);
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_object_get(json_array_get(value, i), "content")))
            return hn_fail(HONE_ERROR_FORMAT, "%s: message %zu of \"%s\" must have a \"content\" string",
                           where, i, key);
    out->messages = value;
    return HONE_OK;
}

static const char *content(const json_t *messages, size_t i) {
    return json_string_value(json_object_get(json_array_get(messages, i), "content"));
}

/** The last message. */
static const char *answer_of(const side *from) {
    return from->messages == NULL ? from->text : content(from->messages, json_array_size(from->messages) - 1);
}

/** One user message is taken as it is: templates write single turns. */
static hone_status prompt_of(const json_t *messages, size_t count, const char *where, const char **prompt) {
    if (count != 1)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "%s: the prompt has %zu messages; templates write one turn: pass a string", where,
                       count);
    *prompt = content(messages, 0);
    return HONE_OK;
}

/** Bytes of the common beginning, a last space left to the answers (TRL's rule: tokens begin with their space),
 * never within a character. */
static size_t common_beginning(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] != '\0' && a[n] == b[n])
        n++;
    while (n > 0 && (((unsigned char)a[n] & 0xc0u) == 0x80u || ((unsigned char)b[n] & 0xc0u) == 0x80u))
        n--;
    return n > 0 && a[n - 1] == ' ' ? n - 1 : n;
}

/** Two whole texts without a prompt: it is what they have in common. The row's object keeps the copy. */
static hone_status split_texts(json_t *object, const char *where, side *chosen, side *rejected) {
    const size_t n = common_beginning(chosen->text, rejected->text);

    if (n == 0)
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: \"prompt\" is missing, and \"chosen\" and \"rejected\" have no beginning in common: give it",
            where);
    if (chosen->text[n] == '\0' || rejected->text[n] == '\0')
        return hn_fail(
            HONE_ERROR_FORMAT,
            "%s: \"prompt\" is missing, and one of \"chosen\" and \"rejected\" begins with the whole other: "
            "where the answer starts is not to be known, give it",
            where);
    if (json_object_set_new(object, "prompt", json_stringn(chosen->text, n)) != 0)
        return hn_fail(HONE_ERROR_MEMORY, "no memory for a prompt");
    chosen->text += n;
    rejected->text += n;
    return HONE_OK;
}

/** The explicit prompt, or the common beginning of two message lists. */
static hone_status read_prompt(const json_t *object, const char *where, const side *chosen,
                               const side *rejected, const char **prompt) {
    side explicit_prompt;

    if (json_object_get(object, "prompt") != NULL) {
        HN_TRY(read_side(object, "prompt", where, &explicit_prompt));
        *prompt = explicit_prompt.text;
        if (explicit_prompt.messages != NULL)
            return prompt_of(explicit_prompt.messages, json_array_size(explicit_prompt.messages), where,
                             prompt);
        return HONE_OK;
    }
    if (chosen->messages == NULL || (rejected != NULL && rejected->messages == NULL))
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"prompt\" is missing: give it", where);
    const size_t count = json_array_size(chosen->messages) - 1;
    if (rejected != NULL)
        for (size_t i = 0; i < count; i++)
            if (!json_equal(json_array_get(chosen->messages, i), json_array_get(rejected->messages, i)))
                return hn_fail(
                    HONE_ERROR_FORMAT,
                    "%s: \"chosen\" and \"rejected\" begin with different messages: give the \"prompt\"",
                    where);
    return prompt_of(chosen->messages, count, where, prompt);
}

static hone_status read_preference(const json_t *object, const char *where, double *preference) {
    HN_TRY(hn_json_real_or(object, "preference", where, 1.0, preference));
    if (!(*preference >= 0.0 && *preference <= 1.0))
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"preference\" is %g, must be in [0, 1]", where, *preference);
    return HONE_OK;
}

static hone_status no_row(const char *path) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: there is no row in it: rows of JSON are wanted, one a line", path);
}

hone_status hn_row_read(hone_data_kind kind, json_t *object, const char *where, hone_row *row) {
    side chosen = {0}, rejected = {0};

    if (!json_is_object(object))
        return hn_fail(HONE_ERROR_FORMAT,
                       "%s: a row must be a JSON object {\"prompt\":..,\"chosen\":..,\"rejected\":..}",
                       where);
    row->preference = 1.0;
    if (kind == HONE_DATA_PROMPT)
        return read_prompt(object, where, &chosen, NULL, &row->prompt);
    const bool completion = kind == HONE_DATA_COMPLETION;
    const char *key = completion && (json_object_get(object, "completion") != NULL ||
                                     json_object_get(object, "chosen") == NULL)
                          ? "completion"
                          : "chosen";
    HN_TRY(read_side(object, key, where, &chosen));
    if (!completion)
        HN_TRY(read_side(object, "rejected", where, &rejected));
    if (json_object_get(object, "prompt") == NULL && chosen.text != NULL && rejected.text != NULL)
        HN_TRY(split_texts(object, where, &chosen, &rejected));
    HN_TRY(read_prompt(object, where, &chosen, completion ? NULL : &rejected, &row->prompt));
    HN_TRY(read_preference(object, where, &row->preference));
    if (completion && json_object_get(object, "draft") != NULL)
        HN_TRY(hn_json_string(object, "draft", where, &row->draft));
    row->chosen = answer_of(&chosen);
    row->rejected = completion ? NULL : answer_of(&rejected);
    return HONE_OK;
}

hone_status hone_data_kind_guess(const char *path, hone_data_kind *kind) {
    hn_lines *lines = NULL;
    json_t *object = NULL;
    const char *line = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    *kind = HONE_DATA_PROMPT;
    HN_GO(hn_lines_open(path, &lines));
    HN_GO(hn_lines_next(lines, &line, &length));
    if (line == NULL)
        HN_GO(no_row(path));
    HN_GO(hn_json_parse_row(line, length, hn_lines_where(lines), &object));
    if (json_object_get(object, "chosen") != NULL || json_object_get(object, "rejected") != NULL)
        *kind = HONE_DATA_PREFERENCE;
    else if (json_object_get(object, "completion") != NULL)
        *kind = HONE_DATA_COMPLETION;
done:
    json_decref(object);
    hn_lines_close(lines);
    return status;
}

hone_status hn_rows_open(const char *path, hone_data_kind kind, hn_rows **out) {
    hn_rows *rows = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&rows, 1, sizeof *rows, "rows"));
    rows->kind = kind;
    HN_GO(hn_strdup(&rows->path, path));
    HN_GO(hn_lines_open(path, &rows->lines));
    *out = rows;
    rows = NULL;
done:
    hn_rows_close(rows);
    return status;
}

hone_status hn_rows_next(hn_rows *rows, hone_row *row, json_t **object) {
    const char *line = NULL;
    size_t length = 0;

    json_decref(rows->object);
    rows->object = *object = NULL;
    HN_TRY(hn_lines_next(rows->lines, &line, &length));
    if (line == NULL && rows->count == 0)
        return no_row(rows->path);
    if (line == NULL)
        return HONE_OK;
    const char *where = hn_lines_where(rows->lines);
    HN_TRY(hn_json_parse_row(line, length, where, &rows->object));
    rows->count++;
    *row = (hone_row){.line = hn_lines_number(rows->lines)};
    HN_TRY(hn_row_read(rows->kind, rows->object, where, row));
    *object = rows->object;
    return HONE_OK;
}

uint64_t hn_rows_bytes(const hn_rows *rows) { return hn_lines_bytes(rows->lines); }

uint64_t hn_rows_position(const hn_rows *rows, uint64_t *of) { return hn_lines_position(rows->lines, of); }

void hn_rows_close(hn_rows *rows) {
    if (rows == NULL)
        return;
    json_decref(rows->object);
    hn_lines_close(rows->lines);
    hn_free(rows->path);
    hn_free(rows);
}
