/**
 * The file system behind a table of calls, so that tests can inject faults (a full disk, a short
 * write, a crash between two calls), and the few patterns that everything needs: read whole, map,
 * replace atomically.
 */
#ifndef HN_CORE_FILE_H
#define HN_CORE_FILE_H

#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The calls, each with the meaning and errno of its POSIX namesake. */
typedef struct hn_file_calls {
    int (*open)(const char *path, int flags, mode_t mode);
    ssize_t (*read)(int file, void *data, size_t bytes);
    ssize_t (*write)(int file, const void *data, size_t bytes);
    int (*fsync)(int file);
    int (*close)(int file);
    int (*rename)(const char *from, const char *to);
    int (*unlink)(const char *path);
    int (*mkdir)(const char *path, mode_t mode);
} hn_file_calls;

/** The table in force; tests replace it (NULL: back to the system's). */
const hn_file_calls *hn_files(void);
void hn_files_replace(const hn_file_calls *calls);

/** Reads the whole of a regular file of at most `limit` bytes; *data is zero-terminated beyond its length;
 * free with hn_free. */
HONE_MUST_USE hone_status hn_file_read(const char *path, size_t limit, char **data, size_t *length);

/** A file mapped read-only. `size` is the length when mapped; a zero-length file maps to data "" . */
typedef struct hn_map {
    const unsigned char *data;
    size_t size;
} hn_map;
HONE_MUST_USE hone_status hn_map_open(const char *path, hn_map *map);
/** Whole pages within `bytes` from `data`, which lies in a map: they need not stay in memory. Reading them again is
 *  allowed and brings them back. */
void hn_map_forget(const void *data, size_t bytes);
void hn_map_close(hn_map *map);

/**
 * A file that appears whole or not at all: written under a temporary name beside `path`, then
 * fsync, rename, fsync of the folder in commit. Without commit, destroy removes the temporary file.
 */
typedef struct hn_writer hn_writer;
HONE_MUST_USE hone_status hn_writer_create(const char *path, hn_writer **writer);
HONE_MUST_USE hone_status hn_writer_write(hn_writer *writer, const void *data, size_t bytes);
/** Bytes written so far. */
uint64_t hn_writer_position(const hn_writer *writer);
HONE_MUST_USE hone_status hn_writer_commit(hn_writer *writer);
void hn_writer_destroy(hn_writer *writer);
/** The three steps at once. */
HONE_MUST_USE hone_status hn_file_replace(const char *path, const void *data, size_t bytes);

/** Appends a line and nothing else may come between (O_APPEND, one write). */
HONE_MUST_USE hone_status hn_file_append(const char *path, const void *data, size_t bytes);

/** Makes the folder and its missing parents. */
HONE_MUST_USE hone_status hn_folder_make(const char *path);
/** Whether something has this name, a link that leads nowhere included: what is no file is refused where it is read, and not
 *  taken for absent. */
bool hn_file_exists(const char *path);
bool hn_folder_exists(const char *path);
/** "folder/name", new string. */
HONE_MUST_USE hone_status hn_path_join(const char *folder, const char *name, char **out);
/** Names in a folder (without . and ..), sorted bytewise; free with hn_names_free. */
HONE_MUST_USE hone_status hn_folder_list(const char *path, char ***names, size_t *count);
void hn_names_free(char **names, size_t count);

/** Seconds on a clock that only goes forward. */
double hn_seconds(void);
/** The highest resident set of this process so far, in bytes. */
uint64_t hn_peak_bytes(void);

#endif
