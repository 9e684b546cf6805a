/* hone check: runs the conformance program, which stands beside this one. */
#include "cli.h"
#include "verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char summary[] = "hone check: check a device against the float64 oracle\n"
                              "\n"
                              "Runs every operation of every device that loads, the built-in one at every "
                              "instruction set that the machine has: odd\n"
                              "sizes, sizes 0 and 1, extremes, aliases, guard bands. Each line counts cases "
                              "and gives the largest error as a part of\n"
                              "what is allowed. Exit status: 0 all passed, 1 some failed, 2 wrong usage.";
static const char example[] = "  hone check\n"
                              "  hone check --device cpu --isa avx2 --operation attention";

/** The folder of this program's file, with "/hone-conformance" behind it. */
static int find_program(char path[PATH_MAX]) {
    const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    if (length <= 0)
        return cli_error("the folder of this program can't be found: %s", strerror(errno));
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) + sizeof "/hone-conformance" > PATH_MAX)
        return cli_error("the folder of this program can't be found");
    (void)strcpy(slash, "/hone-conformance");
    return 0;
}

static int run(int argc, const char **argv) {
    char path[PATH_MAX];
    char **passed = calloc((size_t)argc + 1, sizeof *passed);

    if (passed == NULL)
        return cli_error("out of memory");
    if (find_program(path) != 0) {
        free(passed);
        return 1;
    }
    for (int i = 0; i < argc; i++)
        passed[i] = (char *)argv[i]; /* execv's type; it changes nothing */
    (void)execv(path, passed);
    const int error = errno;
    free(passed);
    return cli_error("%s can't be run: %s", path, strerror(error));
}

static int accept(void *context, int value, const char *argument) {
    (void)context;
    (void)value;
    (void)argument;
    return -1;
}

int hone_cmd_check(int argc, const char **argv) {
    /* The program reads them again; here they are known for help, manual and completion, and misspelt ones are refused. */
    const struct poptOption options[] = {
        {"device", '\0', POPT_ARG_STRING, NULL, 1, "a device instead of all", "NAME[:INDEX]"},
        {"isa", '\0', POPT_ARG_STRING, NULL, 1, "an instruction set instead of all", "I"},
        {"threads", '\0', POPT_ARG_STRING, NULL, 1, "the bits of 1 thread, with this many too (2)", "N"},
        {"seed", '\0', POPT_ARG_STRING, NULL, 1, "of all contents (1)", "S"},
        {"operation", '\0', POPT_ARG_STRING, NULL, 1, "an operation instead of all", "OP"},
        {"case", '\0', POPT_ARG_STRING, NULL, 1, "one case of each operation", "N"},
        {"module", '\0', POPT_ARG_STRING, NULL, 1, "the devices of this module instead", "FILE"},
        {"option", '\0', POPT_ARG_STRING, NULL, 1, "an option of the device; may be repeated", "NAME=VALUE"},
        {"json", '\0', POPT_ARG_NONE, NULL, 1, "an object a line", NULL},
        {"list", '\0', POPT_ARG_NONE, NULL, 1, "list operations and devices, run nothing", NULL},
        POPT_TABLEEND,
    };
    const int code = cli_parse(argc, argv, (struct poptOption *)options, summary, example, accept, NULL);
    return code < 0 ? run(argc, argv) : code;
}
