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

bool gnuplot_ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), part = strlen(end);
    return length > part && strcmp(text + length - part, end) == 0;
}

static int draw(FILE *script, const char *temporary, const char *path) {
    FILE *picture = fopen(temporary, "wb");
    int code = 0;

    if (!picture)
        return cli_error("%s: %s: is the path right?", path, strerror(errno));
    if (fflush(script) != 0 || ferror(script) || fseek(script, 0, SEEK_SET) != 0)
        code = cli_error("the figure's data could not be written: %s", strerror(errno));
    if (code == 0)
        code = gnuplot_run(script, picture);
    (void)fclose(picture);
    if (code == 0 && rename(temporary, path) != 0)
        code = cli_error("%s: %s: is the path right?", path, strerror(errno));
    if (code != 0)
        (void)remove(temporary);
    return code;
}

int gnuplot_file(const char *path, void (*write)(FILE *script, const void *context), const void *context) {
    char *temporary = malloc(strlen(path) + 32);
    FILE *script = tmpfile();
    int code = 1;

    if (!temporary || !script)
        (void)cli_error("a temporary file could not be made: %s", strerror(errno));
    else {
        (void)sprintf(temporary, "%s.tmp-%ld", path, (long)getpid());
        write(script, context);
        code = draw(script, temporary, path);
    }
    if (script)
        (void)fclose(script);
    free(temporary);
    return code;
}

void gnuplot_text(FILE *to, const char *text) {
    (void)fputc('\'', to);
    for (const char *c = text; *c; c++)
        (void)fputc((unsigned char)*c < ' ' || strchr("'\\\"`{}@&^~_", *c) ? ' ' : *c, to);
    (void)fputc('\'', to);
}
