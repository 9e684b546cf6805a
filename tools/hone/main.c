/* hone: one command, a verb for each thing that it does. */
#include "cli.h"
#include "verbs.h"

#include <hone/log.h>
#include <hone/suggest.h>
#include <hone/version.h>
#include <stdio.h>
#include <string.h>

static int help(FILE *out, int code) {
    (void)fprintf(out,
                  "hone %s: language models that improve their own answers, from preference data\n\n"
                  "Usage: hone VERB [OPTION...]\n\nVerbs:\n",
                  hone_version());
    for (int i = 0; i < hone_verb_count; i++)
        (void)fprintf(out, "  %-10s %s\n", hone_verbs[i].name, hone_verbs[i].summary);
    (void)fprintf(out, "\n`hone VERB --help` shows a verb's options and an example.\n");
    return code;
}

/** What was printed must have got there, whatever the verb thinks of it. */
static int finish(int code) {
    return code == 0 && !cli_flushed() ? cli_error("the result could not be written to standard output")
                                       : code;
}

static int unknown(const char *name) {
    const char *known[64];
    for (int i = 0; i < hone_verb_count; i++)
        known[i] = hone_verbs[i].name;
    const char *meant = hone_suggest(name, known, (size_t)hone_verb_count);
    if (meant != NULL)
        (void)fprintf(stderr, "hone: there is no verb \"%s\"; did you mean \"%s\"?\n", name, meant);
    else
        (void)fprintf(stderr, "hone: there is no verb \"%s\"; `hone --help` lists them\n", name);
    return 2;
}

/** Warnings and notes of the library, on stderr. */
static void print_log(void *context, hone_log_level level, const char *line) {
    (void)context;
    (void)fprintf(stderr, "hone: %s%s\n", level == HONE_LOG_WARNING ? "warning: " : "", line);
}

int main(int argc, const char **argv) {
    hone_log_set_sink(print_log, NULL, HONE_LOG_INFO);
    if (argc < 2)
        return help(stderr, 2);
    if (strcmp(argv[1], "--version") == 0)
        return finish(printf("hone %s\n", hone_version()) > 0 ? 0 : 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return finish(help(stdout, 0));
    if (strcmp(argv[1], "documentation") == 0)
        return finish(hone_cmd_documentation(argc - 1, argv + 1));
    for (int i = 0; i < hone_verb_count; i++)
        if (strcmp(argv[1], hone_verbs[i].name) == 0)
            return finish(hone_verbs[i].run(argc - 1, argv + 1));
    return unknown(argv[1]);
}
