#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
/* A file that appears whole or not at all. */
#include "core/file.h"
#include "core/memory.h"
#include "core/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_BYTES ((size_t)1 << 16)
#define NAME_TRIES 100

struct hn_writer {
    char *path, *temporary;
    unsigned char *buffer;
    size_t buffered;
    uint64_t position;
    int file;    /* -1: closed */
    bool exists; /* the temporary file is ours to remove */
    bool failed; /* a write failed: commit refuses */
};

/* A name that no other writer of this process or machine uses; a leftover of a process that died with the
 * same number is stepped over. */
static hone_status open_temporary(hn_writer *writer) {
    static _Atomic unsigned serial;
    for (int i = 0; i < NAME_TRIES; i++) {
        hn_free(writer->temporary);
        HN_TRY(hn_format(&writer->temporary, "%s.tmp-%ld-%u", writer->path, (long)getpid(),
                         atomic_fetch_add(&serial, 1)));
        writer->file = hn_files()->open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (writer->file >= 0) {
            writer->exists = true;
            return HONE_OK;
        }
        if (errno != EEXIST)
            return hn_fail_errno(errno, "%s", writer->temporary);
    }
    return hn_fail(HONE_ERROR_IO, "%s: no free temporary name beside it; remove old *.tmp-* files",
                   writer->path);
}

hone_status hn_writer_create(const char *path, hn_writer **out) {
    hn_writer *writer = NULL;
    hone_status status = HONE_OK;
    *out = NULL;
    HN_TRY(hn_alloc(&writer, 1, sizeof *writer, "a file writer"));
    writer->file = -1;
    HN_GO(hn_strdup(&writer->path, path));
    HN_GO(hn_alloc(&writer->buffer, BUFFER_BYTES, 1, "a file writer's buffer"));
    HN_GO(open_temporary(writer));
    *out = writer;
done:
    if (status != HONE_OK)
        hn_writer_destroy(writer);
    return status;
}

static hone_status put(hn_writer *writer, const unsigned char *data, size_t bytes) {
    while (bytes > 0) {
        ssize_t done = hn_files()->write(writer->file, data, bytes);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            writer->failed = true;
            return hn_fail_errno(done < 0 ? errno : ENOSPC, "%s: writing", writer->path);
        }
        data += done;
        bytes -= (size_t)done;
    }
    return HONE_OK;
}

static hone_status flush(hn_writer *writer) {
    size_t bytes = writer->buffered;
    writer->buffered = 0;
    return put(writer, writer->buffer, bytes);
}

hone_status hn_writer_write(hn_writer *writer, const void *data, size_t bytes) {
    if (writer->failed || writer->file < 0)
        return hn_fail(HONE_ERROR_IO, "%s: an earlier write failed", writer->path);
    if (bytes > BUFFER_BYTES - writer->buffered)
        HN_TRY(flush(writer));
    if (bytes >= BUFFER_BYTES) {
        HN_TRY(put(writer, data, bytes));
    } else if (bytes > 0) {
        memcpy(writer->buffer + writer->buffered, data, bytes);
        writer->buffered += bytes;
    }
    writer->position += bytes;
    return HONE_OK;
}

uint64_t hn_writer_position(const hn_writer *writer) { return writer->position; }

/* A renamed file survives a crash of the machine once its folder has been written too. */
static hone_status sync_folder(const char *path) {
    char *folder = NULL;
    const char *slash = strrchr(path, '/');
    hone_status status = HONE_OK;
    if (!slash)
        HN_TRY(hn_strdup(&folder, "."));
    else
        HN_TRY(hn_strndup(&folder, path, slash == path ? 1 : (size_t)(slash - path)));
    int file = hn_files()->open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0)
        status = hn_fail_errno(errno, "%s", folder);
    else if (hn_files()->fsync(file) != 0 && errno != EINVAL) /* EINVAL: this file system has no such thing */
        status = hn_fail_errno(errno, "%s: syncing the folder", folder);
    if (file >= 0)
        (void)hn_files()->close(file);
    hn_free(folder);
    return status;
}

hone_status hn_writer_commit(hn_writer *writer) {
    if (writer->failed || writer->file < 0)
        return hn_fail(HONE_ERROR_IO, "%s: an earlier write failed", writer->path);
    HN_TRY(flush(writer));
    writer->failed = true; /* until all went well: no second commit of half a file */
    if (hn_files()->fsync(writer->file) != 0)
        return hn_fail_errno(errno, "%s: syncing", writer->path);
    int file = writer->file;
    writer->file = -1;
    if (hn_files()->close(file) != 0)
        return hn_fail_errno(errno, "%s: closing", writer->path);
    if (hn_files()->rename(writer->temporary, writer->path) != 0)
        return hn_fail_errno(errno, "%s: renaming the finished file", writer->path);
    writer->exists = false;
    return sync_folder(writer->path);
}

void hn_writer_destroy(hn_writer *writer) {
    if (!writer)
        return;
    if (writer->file >= 0)
        (void)hn_files()->close(writer->file);
    if (writer->exists)
        (void)hn_files()->unlink(writer->temporary);
    hn_free(writer->buffer);
    hn_free(writer->temporary);
    hn_free(writer->path);
    hn_free(writer);
}

hone_status hn_file_replace(const char *path, const void *data, size_t bytes) {
    hn_writer *writer = NULL;
    hone_status status = HONE_OK;
    HN_TRY(hn_writer_create(path, &writer));
    HN_GO(hn_writer_write(writer, data, bytes));
    HN_GO(hn_writer_commit(writer));
done:
    hn_writer_destroy(writer);
    return status;
}
