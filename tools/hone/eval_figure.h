/** `hone eval --figure`: scores over revisions, with their bands, a panel a set. */
#ifndef HONE_EVAL_FIGURE_H
#define HONE_EVAL_FIGURE_H

#include <jansson.h>

/** Of results as hone_eval gives them: scores, or win rates for a judge without. Beside the revisions stands what each model would
 *  keep itself. Returns 0, or 1 after saying why not. */
int eval_figure_write(const json_t *results, const char *path);

#endif
