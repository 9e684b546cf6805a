#include "gnuplot.h"

#include "cli.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int gnuplot_run(FILE *script, FILE *picture) {
    char *const command[] = {(char[]){"gnuplot"}, (char[]){"-d"}, (char[]){"-"}, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return cli_error("out of memory");
    int error = posix_spawn_file_actions_adddup2(&actions, fileno(script), STDIN_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, fileno(picture), STDOUT_FILENO);
    if (error == 0)
        error = posix_spawnp(&child, command[0], &actions, NULL, command, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    if (error == ENOENT)
        return cli_error("a figure needs gnuplot, which is not installed (Debian: apt install gnuplot-nox)");
    if (error != 0)
        return cli_error("gnuplot could not be started: %s", strerror(error));
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return cli_error("waiting for gnuplot: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return cli_error("gnuplot was ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status) == 0 ? 0 : cli_error("gnuplot failed with exit code %d", WEXITSTATUS(status));
}

void gnuplot_text(FILE *to, const char *text) {
    (void)fputc('\'', to);
    for (const char *c = text; *c; c++)
        (void)fputc((unsigned char)*c < ' ' || strchr("'\\\"`{}@&^~_", *c) ? ' ' : *c, to);
    (void)fputc('\'', to);
}
