/** Rows of a JSONL file, one at a time: see hone/data.h for what they hold. */
#ifndef HN_TEXT_ROWS_H
#define HN_TEXT_ROWS_H

#include <core/json.h>
#include <hone/data.h>

typedef struct hn_rows hn_rows;
HONE_MUST_USE hone_status hn_rows_open(const char *path, hone_data_kind kind, hn_rows **rows);
/** The next row and the object that its strings belong to (borrowed, until the next call); *object NULL after the last. Errors
 *  carry FILE:LINE. A file without rows is an error. */
HONE_MUST_USE hone_status hn_rows_next(hn_rows *rows, hone_row *row, json_t **object);
/** Reads a row out of its object, to which its strings then belong; `where` begins messages. Sets all of *row but the line. */
HONE_MUST_USE hone_status hn_row_read(hone_data_kind kind, json_t *object, const char *where, hone_row *row);
/** Bytes of unpacked text read so far. */
uint64_t hn_rows_bytes(const hn_rows *rows);
/** Bytes of the file itself, and all of them. */
uint64_t hn_rows_position(const hn_rows *rows, uint64_t *of);
void hn_rows_close(hn_rows *rows);

#endif
