/** The models of an evaluation, as they are named on the command line. */
#ifndef HONE_POLICIES_H
#define HONE_POLICIES_H

#include <hone/eval.h>

/** --model [NAME=]DIR and --adapter [NAME=]DIR in their order: an adapter belongs to the model before it. A model
 *  that adapters follow is evaluated by itself only when it has a name. */
typedef struct policies {
    hone_eval_policy *policy; /* strings owned */
    size_t count;
    char *model; /* the last one given */
    int pending; /* it has neither a name nor adapters so far */
} policies;

/** The last component of a path, slashes at its end left out; free it. */
char *policies_name(const char *path);
/** Each prints what is wrong and returns the exit code, or 0. */
int policies_model(policies *list, const char *argument);
int policies_adapter(policies *list, const char *argument);
/** After all options. */
int policies_end(policies *list);
void policies_clear(policies *list);

#endif
