#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/options.h>
#include <yaml.h>

enum { CONFIG_LIMIT = 1 << 20, MOST_OPTIONS = 256 };

/** The file is read event by event and left at the first that has no place in it: libyaml's time for brackets within
 * brackets grows with the square of their number. */
typedef struct reader {
    hone_train_options *options;
    const char *path;
    yaml_parser_t parser;
    bool inside;             /**< the mapping has begun */
    bool begun, ended;       /**< the document; the file */
    char *name;              /**< of the option whose value comes next */
    bool seen[MOST_OPTIONS]; /**< as rows of the option table */
} reader;

static hone_status not_flat(const reader *r, const yaml_event_t *event) {
    return hn_fail(HONE_ERROR_FORMAT, "%s:%zu: options must be a flat list of NAME: VALUE lines", r->path,
                   event->start_mark.line + 1);
}

/** A second value would silently win. */
static hone_status note(reader *r, size_t line) {
    const hone_option_info *info = NULL;

    for (size_t i = 0; i < MOST_OPTIONS && (info = hone_train_option_info(i)) != NULL; i++) {
        if (strcmp(info->name, r->name) != 0)
            continue;
        if (r->seen[i])
            return hn_fail(HONE_ERROR_FORMAT, "%s:%zu: \"%s\" is there twice: take one out", r->path, line,
                           r->name);
        r->seen[i] = true;
    }
    return HONE_OK;
}

static hone_status take_scalar(reader *r, const yaml_event_t *event) {
    const char *text = (const char *)event->data.scalar.value;

    if (!r->inside)
        return not_flat(r, event);
    if (r->name == NULL)
        return hn_strdup(&r->name, text);
    HN_TRY(note(r, event->start_mark.line + 1));
    const hone_status status = hone_train_options_set(r->options, r->name, text);
    hn_free(r->name);
    r->name = NULL;
    return status == HONE_OK ? HONE_OK : hn_fail_in(status, "%s:%zu", r->path, event->start_mark.line + 1);
}

static hone_status take_event(reader *r, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(r, event);
    case YAML_MAPPING_START_EVENT:
        if (r->inside)
            return not_flat(r, event);
        r->inside = true;
        return HONE_OK;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_ALIAS_EVENT:
        return not_flat(r, event);
    case YAML_DOCUMENT_START_EVENT:
        if (r->begun)
            return hn_fail(HONE_ERROR_FORMAT,
                           "%s:%zu: a second document would not be read: all options must be in one", r->path,
                           event->start_mark.line + 1);
        r->begun = true;
        return HONE_OK;
    case YAML_STREAM_END_EVENT:
        r->ended = true;
        return HONE_OK;
    default:
        return HONE_OK;
    }
}

static hone_status take_all(reader *r) {
    yaml_event_t event;

    while (!r->ended) {
        if (yaml_parser_parse(&r->parser, &event) == 0)
            return hn_fail(HONE_ERROR_FORMAT, "%s:%zu: %s: lines of NAME: VALUE are wanted", r->path,
                           r->parser.problem_mark.line + 1,
                           r->parser.problem != NULL ? r->parser.problem : "not YAML");
        const hone_status status = take_event(r, &event);
        yaml_event_delete(&event);
        HN_TRY(status);
    }
    return HONE_OK;
}

hone_status hone_train_options_load(hone_train_options *options, const char *path) {
    reader r = {.options = options, .path = path};
    char *text = NULL;
    size_t length = 0;

    HN_TRY(hn_file_read(path, CONFIG_LIMIT, &text, &length));
    if (yaml_parser_initialize(&r.parser) == 0) {
        hn_free(text);
        return hn_fail(HONE_ERROR_MEMORY, "no memory to parse %s", path);
    }
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, length);
    const hone_status status = take_all(&r);
    yaml_parser_delete(&r.parser);
    hn_free(r.name);
    hn_free(text);
    return status;
}

/** Double-quoted, so that any text reads back as itself. */
static hone_status append_text(hn_bytes *out, const char *name, const char *value) {
    HN_TRY(hn_bytes_printf(out, "%s: \"", name));
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            HN_TRY(hn_bytes_append(out, "\\", 1));
        if ((unsigned char)*c < 0x20)
            HN_TRY(hn_bytes_printf(out, "\\x%02x", (unsigned)(unsigned char)*c));
        else
            HN_TRY(hn_bytes_append(out, c, 1));
    }
    return hn_bytes_append(out, "\"\n", 2);
}

/** The shortest text that reads back as the same number. */
static hone_status append_real(hn_bytes *out, const char *name, double real) {
    char text[32];

    for (int digits = 6; digits <= 17; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, real);
        if (strtod(text, NULL) == real)
            break;
    }
    return hn_bytes_printf(out, "%s: %s\n", name, text);
}

static hone_status append_option(hn_bytes *out, const hone_option_info *info, const void *field) {
    const char *text = NULL;
    double real = 0.0;

    switch (info->kind) {
    case HONE_OPTION_TEXT:
        text = *(char *const *)field;
        return text != NULL ? append_text(out, info->name, text) : HONE_OK;
    case HONE_OPTION_INTEGER:
        return hn_bytes_printf(out, "%s: %lld\n", info->name, (long long)*(const int64_t *)field);
    case HONE_OPTION_REAL:
        real = *(const double *)field;
        return isnan(real) ? HONE_OK : append_real(out, info->name, real);
    case HONE_OPTION_FLAG:
        /* "resume" is how a run was started, not what it computes. */
        if (strcmp(info->name, "resume") == 0)
            return HONE_OK;
        return hn_bytes_printf(out, "%s: %s\n", info->name, *(const bool *)field ? "true" : "false");
    }
    return HONE_OK;
}

hone_status hone_train_options_text(const hone_train_options *options, char **text) {
    hn_bytes out = {0};
    const hone_option_info *info = NULL;
    const void *field = NULL;

    *text = NULL;
    for (size_t i = 0; (info = hn_train_option(i, options, &field)) != NULL; i++) {
        const hone_status status = append_option(&out, info, field);
        if (status != HONE_OK) {
            hn_bytes_clear(&out);
            return status;
        }
    }
    *text = out.data;
    return HONE_OK;
}
