#include "cli.h"

#include "values.h"

#include <hone/suggest.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define HELP_VALUE 0x68656c70

/* What is quoted may come from a file or a command line: it neither begins a line nor drives a terminal. */
static void put_line(const char *format, va_list arguments) {
    char text[8192];
    (void)vsnprintf(text, sizeof text, format, arguments);
    for (const char *c = text; *c; c++)
        if (*c == '\n' || *c == '\t' || *c == '\r')
            (void)fprintf(stderr, "\\%c", *c == '\n' ? 'n' : *c == '\t' ? 't' : 'r');
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            (void)fprintf(stderr, "\\x%02x", (unsigned)*c);
        else
            (void)fputc(*c, stderr);
}

int cli_fail(hone_status status) {
    const char *message = hone_message();
    (void)fprintf(stderr, "hone: %s\n", message[0] ? message : hone_status_name(status));
    return 1;
}

int cli_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("hone: ", stderr);
    put_line(format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    return 1;
}

void cli_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fputs("hone: warning: ", stderr);
    put_line(format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
}

int cli_usage(const char *verb, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "hone %s: ", verb);
    put_line(format, arguments);
    (void)fprintf(stderr, " (see `hone %s --help`)\n", verb);
    va_end(arguments);
    return 2;
}

int cli_print_json(json_t *value) {
    int failed = !value || json_dumpf(value, stdout, JSON_COMPACT | JSON_REAL_PRECISION(17)) != 0;
    json_decref(value);
    if (failed || fputc('\n', stdout) == EOF || fflush(stdout) != 0)
        return cli_error("the result could not be written to standard output");
    return 0;
}

bool cli_terminal(int file) {
    const char *plain = getenv("NO_COLOR"), *terminal = getenv("TERM");
    return isatty(file) == 1 && !(plain && *plain) && !(terminal && strcmp(terminal, "dumb") == 0);
}

int cli_columns(int file) {
    struct winsize size = {0};
    return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* A text longer than the buffer has lost its first part by now, and the flush of the rest may still succeed. */
bool cli_flushed(void) { return fflush(stdout) == 0 && ferror(stdout) == 0; }

static int help(poptContext context, const char *summary, const char *example) {
    (void)printf("%s\n\n", summary);
    poptPrintHelp(context, stdout, 0);
    (void)printf("\nExample:\n%s\n", example);
    return 0;
}

enum { NAMES = 128 };

/* The long options of a table and of the tables in it. */
static size_t option_names(const struct poptOption *table, const char **name, size_t count) {
    for (; table->longName || table->shortName || table->arg; table++) {
        if ((table->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE)
            count = option_names(table->arg, name, count);
        else if (table->longName && count < NAMES)
            name[count++] = table->longName;
    }
    return count;
}

static int bad_option(poptContext popt, const struct poptOption *table, const char *verb, int error) {
    const char *name[NAMES], *given = poptBadOption(popt, POPT_BADOPTION_NOALIAS), *meant = NULL;
    char bare[64];

    if (error == POPT_ERROR_BADOPT && strncmp(given, "--", 2) == 0) {
        (void)snprintf(bare, sizeof bare, "%.*s", (int)strcspn(given + 2, "="), given + 2);
        meant = hone_suggest(bare, name, option_names(table, name, 0));
    }
    if (meant)
        return cli_usage(verb, "%s: unknown option; did you mean --%s?", given, meant);
    return error == POPT_ERROR_NOARG ? cli_usage(verb, "%s needs a value", given)
                                     : cli_usage(verb, "%s: %s", given, poptStrerror(error));
}

/* What cli_parse and cli_parse_operands have in common: `place` gets the operands. */
typedef struct operands {
    int count;
    const char *const *name;
    char **const *place;
    char ***list; /* when set: as many operands as come, at least one */
    int *length;
} operands;

static int take_list(poptContext popt, const char *verb, const operands *wanted) {
    const char *operand;
    while ((operand = poptGetArg(popt)) != NULL) {
        char **grown = realloc(*wanted->list, ((size_t)*wanted->length + 1) * sizeof *grown);
        if (!grown)
            return cli_error("out of memory");
        *wanted->list = grown;
        grown[*wanted->length] = strdup(operand);
        if (!grown[*wanted->length])
            return cli_error("out of memory");
        ++*wanted->length;
    }
    return *wanted->length > 0 ? -1 : cli_usage(verb, "%s is missing", wanted->name[0]);
}

static int take_operands(poptContext popt, const char *verb, const operands *wanted) {
    if (wanted->list)
        return take_list(popt, verb, wanted);
    for (int i = 0; i < wanted->count; i++) {
        const char *operand = poptGetArg(popt);
        if (!operand)
            return cli_usage(verb, "%s is missing", wanted->name[i]);
        *wanted->place[i] = strdup(operand);
        if (!*wanted->place[i])
            return cli_error("out of memory");
    }
    return poptPeekArg(popt) ? cli_usage(verb, "\"%s\" is one operand too many", poptPeekArg(popt)) : -1;
}

static struct {
    void (*describe)(void *context, const cli_page *page);
    void *context;
} description;

void cli_describe_with(void (*describe)(void *context, const cli_page *page), void *context) {
    description.describe = describe;
    description.context = context;
}

static int parse(int argc, const char **argv, const struct poptOption *options, const char *summary,
                 const char *example, cli_take *take, void *context, const operands *wanted) {
    const char *verb = argv[0];
    char name[64];
    int value, code = -1;
    if (description.describe) {
        const cli_page page = {verb,    summary,      example,
                               options, wanted->name, wanted->list ? 1 : wanted->count};
        description.describe(description.context, &page);
        return 0;
    }
    values *places = values_create(options);
    if (!places)
        return cli_error("out of memory");
    struct poptOption all[] = {
        {NULL, '\0', POPT_ARG_INCLUDE_TABLE, values_table(places), 0, "Options:", NULL},
        {"help", 'h', POPT_ARG_NONE, NULL, HELP_VALUE, "Show this text", NULL},
        POPT_TABLEEND,
    };
    (void)snprintf(name, sizeof name, "hone %s", verb);
    argv[0] = name; /* what popt's help begins with */
    poptContext popt = poptGetContext(NULL, argc, argv, all, 0);
    if (!popt) {
        values_destroy(places);
        return cli_error("out of memory");
    }
    while (code < 0 && (value = poptGetNextOpt(popt)) > 0) {
        char *argument = poptGetOptArg(popt);
        if (value == HELP_VALUE)
            code = help(popt, summary, example);
        else if (values_mine(places, value))
            code = values_take(places, verb, value, argument);
        else if (take)
            code = take(context, value, argument);
        free(argument);
    }
    if (code < 0 && value < -1)
        code = bad_option(popt, all, verb, value);
    else if (code < 0)
        code = take_operands(popt, verb, wanted);
    poptFreeContext(popt);
    values_destroy(places);
    argv[0] = verb;
    return code;
}

int cli_parse(int argc, const char **argv, struct poptOption *options, const char *summary,
              const char *example, cli_take *take, void *context) {
    const operands none = {0};
    return parse(argc, argv, options, summary, example, take, context, &none);
}

int cli_parse_operands(int argc, const char **argv, struct poptOption *options, const char *summary,
                       const char *example, int count, const char *const *name, char **const *place) {
    const operands wanted = {.count = count, .name = name, .place = place};
    return parse(argc, argv, options, summary, example, NULL, NULL, &wanted);
}

int cli_parse_list(int argc, const char **argv, struct poptOption *options, const char *summary,
                   const char *example, const char *name, char ***list, int *length) {
    const operands wanted = {.name = &name, .list = list, .length = length};
    return parse(argc, argv, options, summary, example, NULL, NULL, &wanted);
}
