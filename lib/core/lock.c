#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "core/lock.h"

#include "core/file.h"
#include "core/log.h"
#include "core/memory.h"
#include "core/status.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct hn_lock {
    char *folder, *path;
    int file; /**< -1: not open */
    int made; /**< folders that were not there before: this one, and so many above it */
};

/** "process 123", as the holder wrote it; it may just be about to. */
static hone_status refused(const hn_lock *lock) {
    char text[32] = "";
    const ssize_t got = pread(lock->file, text, sizeof text - 1, 0);
    const long process = got > 0 ? strtol(text, NULL, 10) : 0;
    char who[48] = "another process";

    if (process > 0)
        (void)snprintf(who, sizeof who, "process %ld", process);
    return hn_fail(HONE_ERROR_IO, "%s: %s is writing there: wait for it, or choose another folder",
                   lock->folder, who);
}

/** A holder that ended took the file away: what is locked must still be what others will open. */
static bool is_current(const hn_lock *lock) {
    struct stat mine, there;
    return fstat(lock->file, &mine) == 0 && stat(lock->path, &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

static void sign(const hn_lock *lock) {
    char text[32];
    const int length = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    /* What is written is for the message alone: the lock holds without it. */
    if (ftruncate(lock->file, 0) != 0 || pwrite(lock->file, text, (size_t)length, 0) != length)
        hn_log(HONE_LOG_DEBUG, "%s: %s", lock->path, strerror(errno));
}

static hone_status try_once(hn_lock *lock, bool *taken) {
    *taken = false;
    lock->file = hn_files()->open(lock->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0666);
    if (lock->file < 0)
        return hn_fail_errno(errno, "%s", lock->path);
    if (flock(lock->file, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return refused(lock);
        hn_log(HONE_LOG_WARNING, "%s: no lock can be had there (%s): do not start a second run in it",
               lock->folder, strerror(errno));
    }
    *taken = is_current(lock);
    if (!*taken) {
        (void)hn_files()->close(lock->file);
        lock->file = -1;
    }
    return HONE_OK;
}

/** The path without its last name; false where there is none before it. */
static bool go_up(char *path) {
    char *slash = strrchr(path, '/');

    while (slash != NULL && slash > path && slash[-1] == '/')
        slash--;
    if (slash != NULL)
        *slash = '\0';
    return slash != NULL && slash > path;
}

/** Of the folder and those above it, those that are missing. */
static int count_missing(const char *folder) {
    char path[PATH_MAX];
    int missing = 0;

    (void)snprintf(path, sizeof path, "%s", folder);
    while (!hn_folder_exists(path)) {
        missing++;
        if (!go_up(path))
            break;
    }
    return missing;
}

/** The folders that were made, from below; one with anything in it stays, and so do those above it. */
static void remove_made(const hn_lock *lock) {
    char path[PATH_MAX];
    bool more = true;

    (void)snprintf(path, sizeof path, "%s", lock->folder);
    for (int i = 0; i < lock->made && more && rmdir(path) == 0; i++)
        more = go_up(path);
}

static void destroy(hn_lock *lock) {
    if (lock == NULL)
        return;
    if (lock->file >= 0)
        (void)hn_files()->close(lock->file);
    hn_free(lock->path);
    hn_free(lock->folder);
    hn_free(lock);
}

hone_status hn_lock_take(const char *folder, hn_lock **out) {
    hn_lock *lock = NULL;
    bool taken = false;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&lock, 1, sizeof *lock, "lock"));
    lock->file = -1;
    HN_GO(hn_strdup(&lock->folder, folder));
    for (size_t n = strlen(folder); n > 1 && lock->folder[n - 1] == '/'; n--)
        lock->folder[n - 1] = '\0';
    HN_GO(hn_path_join(folder, ".lock", &lock->path));
    lock->made = count_missing(lock->folder);
    while (!taken) {
        HN_GO(hn_folder_make(folder));
        HN_GO(try_once(lock, &taken));
    }
    sign(lock);
    *out = lock;
    lock = NULL;
done:
    if (lock != NULL && lock->folder != NULL)
        remove_made(lock);
    destroy(lock);
    return status;
}

void hn_lock_release(hn_lock *lock) {
    if (lock == NULL)
        return;
    (void)hn_files()->unlink(lock->path);
    remove_made(lock);
    destroy(lock);
}
