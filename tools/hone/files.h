/** Files that a verb reads by itself. */
#ifndef HONE_FILES_H
#define HONE_FILES_H

#include <jansson.h>
#include <stdio.h>

/** A regular file to read (close it), never one that would wait for a writer. NULL with *code 1 after saying why not; where
 *  nothing has that name and `optional`, NULL with *code 0. */
FILE *cli_open(const char *path, int optional, int *code);
/** The JSON value of a file; NULL after saying what is wrong with it, which ends in ": " and `wanted`. */
json_t *cli_read_json(const char *path, const char *wanted);

#endif
