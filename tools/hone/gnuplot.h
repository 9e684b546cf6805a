/** Pictures are drawn by gnuplot, a program of its own. */
#ifndef HONE_GNUPLOT_H
#define HONE_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

/**
 * gnuplot reads the script from a file without a name (rewound by the caller) and writes the picture to its
 * standard output: no shell, no quoting of paths, no pipe to fill. -d keeps the user's own start-up files
 * out. Returns 0, or 1 after saying why not.
 */
int gnuplot_run(FILE *script, FILE *picture);

bool gnuplot_ends_with(const char *text, const char *end);

/** The file at `path`, drawn from what `write` puts into the script. It is drawn beside its place and moved there when it is whole.
 *  Returns 0, or 1 after saying why not. */
int gnuplot_file(const char *path, void (*write)(FILE *script, const void *context), const void *context);

/** Writes 'text' in quotes for a script. Names come from outside: what gnuplot could read as its own becomes a
 * space. */
void gnuplot_text(FILE *to, const char *text);

#endif
