#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <train/options.h>
#include <yaml.h>

enum { CONFIG_LIMIT = 1 << 20 };

static hone_status at_line(hone_status status, const char *path, const yaml_mark_t *mark) {
    return hn_fail_in(status, "%s:%zu", path, mark->line + 1);
}

static hone_status set_pair(hone_train_options *options, const char *path, yaml_document_t *document,
                            const yaml_node_pair_t *pair) {
    const yaml_node_t *key = yaml_document_get_node(document, pair->key);
    const yaml_node_t *value = yaml_document_get_node(document, pair->value);

    if (key->type != YAML_SCALAR_NODE || value->type != YAML_SCALAR_NODE) {
        (void)hn_fail(HONE_ERROR_FORMAT, "options are a flat list of NAME: VALUE lines");
        return at_line(HONE_ERROR_FORMAT, path, &key->start_mark);
    }
    const hone_status status = hone_train_options_set(options, (const char *)key->data.scalar.value,
                                                      (const char *)value->data.scalar.value);
    return status == HONE_OK ? HONE_OK : at_line(status, path, &value->start_mark);
}

static hone_status set_all(hone_train_options *options, const char *path, yaml_document_t *document) {
    const yaml_node_t *root = yaml_document_get_root_node(document);

    if (root == NULL)
        return HONE_OK;
    if (root->type != YAML_MAPPING_NODE)
        return hn_fail(HONE_ERROR_FORMAT, "%s:%zu: options are a flat list of NAME: VALUE lines", path,
                       root->start_mark.line + 1);
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start; pair < root->data.mapping.pairs.top;
         pair++)
        HN_TRY(set_pair(options, path, document, pair));
    return HONE_OK;
}

hone_status hone_train_options_load(hone_train_options *options, const char *path) {
    yaml_parser_t parser;
    yaml_document_t document;
    char *text = NULL;
    size_t length = 0;
    hone_status status = HONE_OK;

    HN_TRY(hn_file_read(path, CONFIG_LIMIT, &text, &length));
    if (yaml_parser_initialize(&parser) == 0) {
        hn_free(text);
        return hn_fail(HONE_ERROR_MEMORY, "no memory to parse %s", path);
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    if (yaml_parser_load(&parser, &document) == 0) {
        status = hn_fail(HONE_ERROR_FORMAT, "%s:%zu: %s", path, parser.problem_mark.line + 1,
                         parser.problem != NULL ? parser.problem : "not YAML");
        goto done;
    }
    status = set_all(options, path, &document);
    yaml_document_delete(&document);
done:
    yaml_parser_delete(&parser);
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
        return isnan(real) ? HONE_OK : hn_bytes_printf(out, "%s: %.17g\n", info->name, real);
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
