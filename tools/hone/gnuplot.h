/** Pictures are drawn by gnuplot, a program of its own. */
#ifndef HONE_GNUPLOT_H
#define HONE_GNUPLOT_H

#include <stdio.h>

/**
 * gnuplot reads the script from a file without a name (rewound by the caller) and writes the picture to its
 * standard output: no shell, no quoting of paths, no pipe to fill. -d keeps the user's own start-up files
 * out. Returns 0, or 1 after saying why not.
 */
int gnuplot_run(FILE *script, FILE *picture);

/** Writes 'text' in quotes for a script. Names come from outside: what gnuplot could read as its own becomes a
 * space. */
void gnuplot_text(FILE *to, const char *text);

#endif
