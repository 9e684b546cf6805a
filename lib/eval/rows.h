/** The rows of an evaluation: prompt, reference and what judges want to know besides. */
#ifndef HN_EVAL_ROWS_H
#define HN_EVAL_ROWS_H

#include <core/json.h>
#include <hone/eval.h>

typedef struct hn_eval_rows {
    hone_case *row; /**< [count], strings held by `held` */
    json_t **held;
    int64_t count;
    size_t row_capacity, held_capacity;
} hn_eval_rows;

/** The first `limit` rows (0: all); errors carry FILE:LINE. */
HONE_MUST_USE hone_status hn_eval_rows_read(const char *path, int64_t limit, hn_eval_rows *rows);
void hn_eval_rows_clear(hn_eval_rows *rows);

#endif
