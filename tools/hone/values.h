/** The values of options as popt reads them: one message for all that do not fit, and no leak where an option is given twice. */
#ifndef HONE_VALUES_H
#define HONE_VALUES_H

#include <popt.h>
#include <stdbool.h>

typedef struct values values;

/** A copy of the table in which options with a place for a text or a number hand it to values_take instead; NULL: no memory. */
values *values_create(const struct poptOption *table);
struct poptOption *values_table(values *v);
/** Whether popt's `val` is one of this table's. */
bool values_mine(const values *v, int val);
/** Puts the argument where the option wants it; a text becomes the place's own (free it), after the one given before it. -1 to go
 *  on, else the exit code. */
int values_take(values *v, const char *verb, int val, const char *argument);
void values_destroy(values *v);

#endif
