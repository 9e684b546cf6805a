/** A picture of a data set's lengths. */
#ifndef HONE_DATA_FIGURE_H
#define HONE_DATA_FIGURE_H

#include "data_facts.h"

/** One panel a file: rows by length, in doubling bins, for prompt, chosen and rejected. Returns the exit code. */
int data_figure_write(const data_facts *facts, char *const *name, int files, bool pairs, bool tokens,
                      const char *path);

#endif
