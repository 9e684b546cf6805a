/** A picture of what `hone data check` found: lengths of all parts, a panel a file. */
#ifndef HONE_DATA_FIGURE_H
#define HONE_DATA_FIGURE_H

#include "data_file.h"

/** Writes an SVG, whole or not at all. Returns the exit code after saying what is wrong. */
int data_figure_write(const data_report *report, const char *path);

#endif
