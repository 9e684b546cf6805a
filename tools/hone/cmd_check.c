/* hone check: runs the conformance program, which stands beside this one. */
#include "cli.h"
#include "verbs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

int hone_cmd_check(int argc, const char **argv) {
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
