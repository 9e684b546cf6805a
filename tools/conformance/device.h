/** Finding and opening what is to be tested. */
#ifndef CF_DEVICE_H
#define CF_DEVICE_H

#include "suite.h"

typedef struct cf_selection {
    const char *device; /**< NAME or NAME:INDEX; NULL: all that load */
    const char *isa;    /**< NULL: every level that the device opens with */
    const char *module; /**< a file: only its devices */
    int threads;
    cf_option option[CF_MOST_OPTIONS];
    int options;
} cf_selection;

/** Opens targets into the suite. What was left out, and why, is told on the standard output (or error, with
 *  `json`). False, told on the standard error, when nothing was found or something named can't be opened. */
bool cf_targets_open(cf_suite *suite, const cf_selection *selection);
void cf_targets_close(cf_suite *suite);

#endif
