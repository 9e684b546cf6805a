/** The progress of training: one line that is rewritten on a terminal, plain lines now and then when piped.
 */
#ifndef HONE_PROGRESS_H
#define HONE_PROGRESS_H

#include <hone/train.h>
#include <stdbool.h>

typedef struct progress {
    bool terminal, open; /* open: a line without its newline is on the screen */
    hone_method method;
    double last; /* when the last plain line was printed */
} progress;

void progress_begin(progress *p, hone_method method);
void progress_step(progress *p, const hone_train_metrics *metrics);
void progress_evaluated(progress *p, const hone_train_evaluation *evaluation);
void progress_prepared(progress *p, const char *what, int64_t done, int64_t total);
void progress_end(progress *p);

#endif
