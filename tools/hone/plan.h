/** `hone train --plan`: the table of memory, for people and as JSON. Both return the exit code. */
#ifndef HONE_PLAN_H
#define HONE_PLAN_H

#include <hone/train.h>

int plan_print(const hone_train_memory *memory);
int plan_print_json(const hone_train_memory *memory);

#endif
