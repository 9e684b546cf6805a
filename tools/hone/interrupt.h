/** Ctrl-C and a polite kill: asked between parts of the work; a second one ends the process at once. */
#ifndef HONE_INTERRUPT_H
#define HONE_INTERRUPT_H

#include <hone/status.h>
#include <stdbool.h>

void interrupt_begin(void);
/** The library's `stop` callbacks; the context is not used. */
bool interrupt_asked(void *context);
/** The exit code of work that ended with `status`: 128 + the signal after HONE_ERROR_INTERRUPTED, else `code`. */
int interrupt_code(hone_status status, int code);

#endif
