#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "core/file.h"

#include "core/memory.h"
#include "core/status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* open() of the system is variadic, so it has no address of this type. */
static int system_open(const char *path, int flags, mode_t mode) { return open(path, flags, mode); }

static const hn_file_calls system_calls = {system_open, read, write, fsync, close, rename, unlink, mkdir};
static const hn_file_calls *current = &system_calls;

const hn_file_calls *hn_files(void) { return current; }

void hn_files_replace(const hn_file_calls *calls) { current = calls ? calls : &system_calls; }

/* Opens a regular file for reading and says how long it is. */
static hone_status open_regular(const char *path, int *file, size_t *size) {
    struct stat information;
    *file = current->open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    if (*file < 0)
        return hn_fail_errno(errno, "%s", path);
    hone_status status = HONE_OK;
    if (fstat(*file, &information) != 0)
        status = hn_fail_errno(errno, "%s", path);
    else if (!S_ISREG(information.st_mode))
        status = hn_fail(HONE_ERROR_IO, "%s: not a regular file%s: a file is wanted here", path,
                         S_ISDIR(information.st_mode) ? " but a folder" : "");
    if (status != HONE_OK) {
        (void)current->close(*file);
        *file = -1;
        return status;
    }
    *size = (size_t)information.st_size;
    return HONE_OK;
}

static hone_status read_exactly(int file, const char *path, char *data, size_t size) {
    for (size_t at = 0; at < size;) {
        ssize_t got = current->read(file, data + at, size - at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return hn_fail_errno(errno, "%s: reading", path);
        if (got == 0)
            return hn_fail(HONE_ERROR_IO, "%s: it became shorter while it was read: %zu bytes of %zu", path,
                           at, size);
        at += (size_t)got;
    }
    return HONE_OK;
}

hone_status hn_file_read(const char *path, size_t limit, char **data, size_t *length) {
    int file = -1;
    size_t size = 0;
    hone_status status = HONE_OK;
    *data = NULL;
    *length = 0;
    HN_TRY(open_regular(path, &file, &size));
    if (size > limit)
        HN_GO(hn_fail(HONE_ERROR_FORMAT, "%s: %zu bytes, where at most %zu make sense", path, size, limit));
    HN_GO(hn_alloc(data, size + 1, 1, path));
    HN_GO(read_exactly(file, path, *data, size));
    *length = size;
done:
    (void)current->close(file);
    if (status != HONE_OK) {
        hn_free(*data);
        *data = NULL;
    }
    return status;
}

hone_status hn_map_open(const char *path, hn_map *map) {
    int file = -1;
    size_t size = 0;
    hone_status status = HONE_OK;
    *map = (hn_map){NULL, 0};
    HN_TRY(open_regular(path, &file, &size));
    if (size == 0) {
        map->data = (const unsigned char *)"";
    } else {
        void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
        if (data == MAP_FAILED)
            status = hn_fail_errno(errno, "%s: mapping %zu bytes", path, size);
        else
            *map = (hn_map){data, size};
    }
    (void)current->close(file);
    return status;
}

void hn_map_forget(const void *data, size_t bytes) {
    const long size = sysconf(_SC_PAGESIZE);
    const uintptr_t page = size > 0 ? (uintptr_t)size : 4096, at = (uintptr_t)data;
    const uintptr_t first = (at + page - 1) / page * page, end = (at + bytes) / page * page;
    if (end > first)
        (void)madvise((void *)first, end - first, MADV_DONTNEED);
}

void hn_map_close(hn_map *map) {
    if (map->size > 0)
        (void)munmap((void *)(uintptr_t)map->data, map->size);
    *map = (hn_map){NULL, 0};
}

hone_status hn_file_append(const char *path, const void *data, size_t bytes) {
    int file = current->open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0)
        return hn_fail_errno(errno, "%s", path);
    ssize_t put;
    do
        put = current->write(file, data, bytes);
    while (put < 0 && errno == EINTR);
    hone_status status = HONE_OK;
    if (put < 0)
        status = hn_fail_errno(errno, "%s: appending %zu bytes", path, bytes);
    else if ((size_t)put != bytes)
        status = hn_fail(HONE_ERROR_IO, "%s: only %zd of %zu bytes were appended: is the disk full?", path,
                         put, bytes);
    if (current->close(file) != 0 && status == HONE_OK)
        status = hn_fail_errno(errno, "%s: closing", path);
    return status;
}

bool hn_file_exists(const char *path) {
    struct stat information;
    return lstat(path, &information) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool hn_folder_exists(const char *path) {
    struct stat information;
    return stat(path, &information) == 0 && S_ISDIR(information.st_mode);
}

static hone_status make_one(const char *path) {
    if (current->mkdir(path, 0777) == 0 || (errno == EEXIST && hn_folder_exists(path)))
        return HONE_OK;
    return hn_fail_errno(errno, "%s: making the folder", path);
}

hone_status hn_folder_make(const char *path) {
    char *copy = NULL;
    hone_status status = HONE_OK;
    if (path[0] == '\0')
        return hn_fail(HONE_ERROR_ARGUMENT, "a folder must have a name");
    if (hn_folder_exists(path))
        return HONE_OK;
    HN_TRY(hn_strdup(&copy, path));
    for (char *slash = copy + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
        *slash = '\0';
        if (!hn_folder_exists(copy))
            HN_GO(make_one(copy));
        *slash = '/';
    }
    HN_GO(make_one(copy));
done:
    hn_free(copy);
    return status;
}

hone_status hn_path_join(const char *folder, const char *name, char **out) {
    size_t length = strlen(folder);
    bool slash = length > 0 && folder[length - 1] != '/';
    return hn_format(out, "%s%s%s", folder, slash ? "/" : "", name);
}

static int compare_names(const void *a, const void *b) {
    const char *const *left = a, *const *right = b;
    return strcmp(*left, *right);
}

static hone_status collect(DIR *folder, const char *path, char ***names, size_t *count) {
    size_t capacity = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry)
            return errno ? hn_fail_errno(errno, "%s: listing", path) : HONE_OK;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        HN_TRY(hn_reserve(names, &capacity, *count + 1, sizeof **names, "a folder's names"));
        HN_TRY(hn_strdup(&(*names)[*count], entry->d_name));
        (*count)++;
    }
}

hone_status hn_folder_list(const char *path, char ***names, size_t *count) {
    *names = NULL;
    *count = 0;
    DIR *folder = opendir(path);
    if (!folder)
        return hn_fail_errno(errno, "%s", path);
    hone_status status = collect(folder, path, names, count);
    (void)closedir(folder);
    if (status != HONE_OK) {
        hn_names_free(*names, *count);
        *names = NULL;
        *count = 0;
    } else if (*count > 1) {
        qsort(*names, *count, sizeof **names, compare_names);
    }
    return status;
}

void hn_names_free(char **names, size_t count) {
    for (size_t i = 0; names && i < count; i++)
        hn_free(names[i]);
    hn_free(names);
}

double hn_seconds(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

uint64_t hn_peak_bytes(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (uint64_t)usage.ru_maxrss * 1024u : 0;
}
