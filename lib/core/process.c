#include "core/process.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** The decimal number at the start of a text, blanks before it skipped; false when there is none ("max"). */
static bool parse(const char *text, uint64_t *number) {
    char *end = NULL;
    errno = 0;
    const unsigned long long found = strtoull(text, &end, 10);
    if (end == text || errno != 0)
        return false;
    *number = found;
    return true;
}

/** The number that follows `key` in a small text file; false when there is none. "" is the file's first number. */
static bool read_number(const char *path, const char *key, uint64_t *number) {
    char line[256];
    bool good = false;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return false;
    while (!good && fgets(line, sizeof line, file) != NULL)
        good = strncmp(line, key, strlen(key)) == 0 && parse(line + strlen(key), number);
    (void)fclose(file);
    return good;
}

/** In pages: the second number of statm. */
uint64_t hn_resident_bytes(void) {
    char line[256];
    uint64_t pages = 0;
    const long page = sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");

    if (file == NULL)
        return 0;
    const char *second = fgets(line, sizeof line, file) != NULL ? strchr(line, ' ') : NULL;
    (void)fclose(file);
    return second != NULL && page > 0 && parse(second, &pages) ? pages * (uint64_t)page : 0;
}

/** Pages of files can be dropped when memory is wanted: they are not in the way. */
static uint64_t read_droppable(const char *path) {
    uint64_t active = 0, inactive = 0;
    (void)read_number(path, "active_file", &active);
    (void)read_number(path, "inactive_file", &inactive);
    return active + inactive;
}

/** What the control group that the process sees as its root (a container) leaves; false without a limit. */
static bool read_group(uint64_t *left) {
    uint64_t limit = 0, used = 0, droppable = 0;

    if (read_number("/sys/fs/cgroup/memory.max", "", &limit)) {
        if (!read_number("/sys/fs/cgroup/memory.current", "", &used))
            return false;
        droppable = read_droppable("/sys/fs/cgroup/memory.stat");
    } else if (read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", "", &limit)) {
        if (!read_number("/sys/fs/cgroup/memory/memory.usage_in_bytes", "", &used))
            return false;
        droppable = read_droppable("/sys/fs/cgroup/memory/memory.stat");
    } else {
        return false;
    }
    used -= droppable < used ? droppable : used;
    *left = limit > used ? limit - used : 0;
    return true;
}

uint64_t hn_available_bytes(void) {
    uint64_t system = 0, left = 0;

    if (!read_number("/proc/meminfo", "MemAvailable:", &system))
        return 0;
    system *= 1024;
    return read_group(&left) && left < system ? left : system;
}
