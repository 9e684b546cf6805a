/** A picture of how far the preference model can be believed. */
#ifndef HONE_CALIBRATION_FIGURE_H
#define HONE_CALIBRATION_FIGURE_H

#include "policies.h"

#include <hone/eval.h>

/** Of each model of the list, how often a side is preferred against what was predicted, bin by bin; `measured` has their numbers.
 *  Writes an SVG, whole or not at all. Returns the exit code after saying what is wrong. */
int calibration_figure_write(const policies *list, const hone_held_out *measured, const char *path);

#endif
