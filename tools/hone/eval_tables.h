/** The tables of `hone eval`, from the results as JSON. */
#ifndef HONE_EVAL_TABLES_H
#define HONE_EVAL_TABLES_H

#include <jansson.h>

/** Prints to stdout: win rates and scores by revision, head to head, paired tests. */
void eval_tables_print(const json_t *results);

#endif
