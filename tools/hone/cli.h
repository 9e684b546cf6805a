/** What the verbs of `hone` share. Results go to stdout, everything else to stderr; exit codes: 0, 1 (it
 * failed), 2 (it was called wrongly). */
#ifndef HONE_CLI_H
#define HONE_CLI_H

#include <hone/export.h>
#include <hone/status.h>
#include <jansson.h>
#include <popt.h>
#include <stdbool.h>

/** Prints "hone: MESSAGE", the message that the failure recorded; returns 1. */
int cli_fail(hone_status status);
/** Prints "hone: " and the text; returns 1: for failures that the library does not know of. */
int cli_error(const char *format, ...) HONE_PRINTF(1, 2);
/** Prints "hone: warning: " and the text on one line. */
void cli_warn(const char *format, ...) HONE_PRINTF(1, 2);
/** Prints "hone VERB: ", the text and where to get help, on one line; returns 2. */
int cli_usage(const char *verb, const char *format, ...) HONE_PRINTF(2, 3);

/** Whether lines of this file may be rewritten and coloured: a terminal that can, and nobody asked for plain text (NO_COLOR not
 *  empty, see no-color.org; TERM=dumb). */
bool cli_terminal(int file);
/** Characters that a line of the terminal holds: a longer one would be wrapped, and only its last row rewritten. 80: it doesn't say. */
int cli_columns(int file);

/** Whether all that was printed on standard output got there. */
bool cli_flushed(void);

/** Prints the value as one line of JSON on stdout and drops the reference; returns the exit code. */
int cli_print_json(json_t *value);

/**
 * Reads the options of a verb, argv[0] being the verb. Options with a `val` that is not 0 are handed to
 * `take` (may be NULL) with their argument. `--help` prints `summary`, the options and `example`. Operands
 * that are not options are refused. Returns -1 to go on, else the exit code.
 */
typedef int cli_take(void *context, int val, const char *argument);
int cli_parse(int argc, const char **argv, struct poptOption *options, const char *summary,
              const char *example, cli_take *take, void *context);

/** What a verb says of itself. */
typedef struct cli_page {
    const char *verb, *summary, *example;
    const struct poptOption *options;
    const char *const *operand; /**< [operands] names */
    int operands;
} cli_page;
/** From now on a verb that comes to read its options hands its page to `describe` and does nothing else. */
void cli_describe_with(void (*describe)(void *context, const cli_page *page), void *context);

/** As cli_parse, for a verb with exactly `count` operands: each is copied to *place[i] (free it). */
int cli_parse_operands(int argc, const char **argv, struct poptOption *options, const char *summary,
                       const char *example, int count, const char *const *name, char **const *place);

/** As cli_parse, for a verb with one operand or more: (*list)[0 .. *length) are copies; free each and the list. */
int cli_parse_list(int argc, const char **argv, struct poptOption *options, const char *summary,
                   const char *example, const char *name, char ***list, int *length);

#endif
