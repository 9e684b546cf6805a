#include "files.h"

#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whether nothing has this name; a link that leads nowhere is something. */
static int is_absent(const char *path) {
    struct stat information;
    return lstat(path, &information) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

FILE *cli_open(const char *path, int optional, int *code) {
    struct stat information;
    *code = 0;
    if (optional && is_absent(path))
        return NULL;
    const int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    FILE *stream = NULL;
    if (file < 0)
        *code = cli_error("%s: %s: is the path right?", path, strerror(errno));
    else if (fstat(file, &information) != 0 || !S_ISREG(information.st_mode))
        *code = cli_error("%s: not a regular file: a file is wanted here", path);
    else if (!(stream = fdopen(file, "r")))
        *code = cli_error("%s: %s", path, strerror(errno));
    if (file >= 0 && !stream)
        (void)close(file);
    return stream;
}

json_t *cli_read_json(const char *path, const char *wanted) {
    json_error_t error;
    int code = 0;
    FILE *file = cli_open(path, 0, &code);
    json_t *value = file ? json_loadf(file, JSON_REJECT_DUPLICATES, &error) : NULL;
    if (file) {
        (void)fclose(file);
        if (!value)
            (void)cli_error("%s: line %d, column %d: %s: %s", path, error.line, error.column, error.text,
                            wanted);
    }
    return value;
}
