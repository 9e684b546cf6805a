#include "core/json.h"

#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"

#include <math.h>
#include <string.h>

#define FILE_LIMIT ((size_t)64 << 20)

/* Real files hold integers beyond 64 bits (model_max_length 1e30 is one): then all numbers are read as reals,
 * and the accessors below take a whole real as an integer. */
static json_t *parse(const char *text, size_t length, json_error_t *error) {
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, error);
    if (!value && json_error_code(error) == json_error_numeric_overflow)
        value = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, error);
    return value;
}

/** The parser's own words, where they help someone who has a file and not this program's source. */
static const char *reason(const json_error_t *error) {
    return json_error_code(error) == json_error_null_character ? "\\u0000 is not allowed in a text"
                                                               : error->text;
}

hone_status hn_json_parse(const char *text, size_t length, const char *where, json_t **out) {
    json_error_t error;
    *out = parse(text, length, &error);
    if (*out)
        return HONE_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return hn_fail(HONE_ERROR_MEMORY, "%s: out of memory while parsing JSON", where);
    return hn_fail(HONE_ERROR_FORMAT, "%s: line %d, column %d: %s: correct the file, or get it again", where,
                   error.line, error.column, reason(&error));
}

hone_status hn_json_parse_row(const char *text, size_t length, const char *where, json_t **out) {
    json_error_t error;
    *out = parse(text, length, &error);
    if (*out)
        return HONE_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return hn_fail(HONE_ERROR_MEMORY, "%s: out of memory while parsing JSON", where);
    return hn_fail(HONE_ERROR_FORMAT, "%s, column %d: %s: correct the row, or take it out", where,
                   error.column, reason(&error));
}

hone_status hn_json_read(const char *path, json_t **out) {
    char *text = NULL;
    size_t length = 0;
    *out = NULL;
    HN_TRY(hn_file_read(path, FILE_LIMIT, &text, &length));
    hone_status status = hn_json_parse(text, length, path, out);
    hn_free(text);
    return status;
}

/** Where the text goes, and what became of the last piece. */
typedef struct dump {
    hn_bytes text;
    hone_status status;
} dump;

static int append(const char *buffer, size_t size, void *context) {
    dump *to = context;
    to->status = hn_bytes_append(&to->text, buffer, size);
    return to->status == HONE_OK ? 0 : -1;
}

hone_status hn_json_write(const char *path, const json_t *value) {
    dump to = {.status = HONE_OK};
    hone_status status = HONE_OK;
    if (json_dump_callback(value, append, &to, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) != 0)
        HN_GO(to.status != HONE_OK
                  ? to.status
                  : hn_fail(HONE_ERROR_FORMAT, "%s: this value can't be written as JSON", path));
    HN_GO(hn_bytes_append(&to.text, "\n", 1));
    HN_GO(hn_file_replace(path, to.text.data, to.text.length));
done:
    hn_bytes_clear(&to.text);
    return status;
}

static const char *type_name(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a real number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

static hone_status wrong(const json_t *object, const char *key, const char *where, const char *wanted) {
    if (!json_is_object(object))
        return hn_fail(HONE_ERROR_FORMAT, "%s: must be an object with \"%s\", not %s", where, key,
                       object ? type_name(object) : "nothing");
    const json_t *value = json_object_get(object, key);
    if (!value)
        return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" is missing: it must be %s", where, key, wanted);
    return hn_fail(HONE_ERROR_FORMAT, "%s: \"%s\" must be %s, not %s", where, key, wanted, type_name(value));
}

static bool absent(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return json_is_object(object) && (!value || json_is_null(value));
}

hone_status hn_json_integer(const json_t *object, const char *key, const char *where, int64_t *out) {
    const json_t *value = json_object_get(object, key);
    double real = json_real_value(value);
    if (json_is_integer(value))
        *out = json_integer_value(value);
    else if (json_is_real(value) && fabs(real) <= 0x1p53 && trunc(real) == real)
        *out = (int64_t)real;
    else
        return wrong(object, key, where, "an integer");
    return HONE_OK;
}

hone_status hn_json_integer_or(const json_t *object, const char *key, const char *where, int64_t fallback,
                               int64_t *out) {
    *out = fallback;
    return absent(object, key) ? HONE_OK : hn_json_integer(object, key, where, out);
}

hone_status hn_json_real(const json_t *object, const char *key, const char *where, double *out) {
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        return wrong(object, key, where, "a number");
    *out = json_number_value(value);
    return HONE_OK;
}

hone_status hn_json_real_or(const json_t *object, const char *key, const char *where, double fallback,
                            double *out) {
    *out = fallback;
    return absent(object, key) ? HONE_OK : hn_json_real(object, key, where, out);
}

hone_status hn_json_boolean_or(const json_t *object, const char *key, const char *where, bool fallback,
                               bool *out) {
    const json_t *value = json_object_get(object, key);
    *out = fallback;
    if (absent(object, key))
        return HONE_OK;
    if (!json_is_boolean(value))
        return wrong(object, key, where, "true or false");
    *out = json_is_true(value);
    return HONE_OK;
}

hone_status hn_json_string(const json_t *object, const char *key, const char *where, const char **out) {
    const json_t *value = json_object_get(object, key);
    *out = NULL;
    if (!json_is_string(value))
        return wrong(object, key, where, "a string");
    *out = json_string_value(value);
    return HONE_OK;
}

hone_status hn_json_string_or(const json_t *object, const char *key, const char *where, const char *fallback,
                              const char **out) {
    *out = fallback;
    return absent(object, key) ? HONE_OK : hn_json_string(object, key, where, out);
}
