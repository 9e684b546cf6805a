/** `hone eval --held-out`: loss, rewards and the preference model on preference rows, or SFT's loss on completions, without
 *  judge. */
#ifndef HONE_HELD_OUT_H
#define HONE_HELD_OUT_H

#include "machine.h"
#include "policies.h"

#include <popt.h>

typedef struct held_out {
    int wanted, length_normalize, json;
    char *method, *reference, *figure;
    const char *template_name, *data;
    const machine *machine;
    double beta, alpha;
    long long pack_tokens, limit;
} held_out;

void held_out_init(held_out *h);

#define HELD_OUT_OPTIONS(h)                                                                                  \
    {"held-out",  '\0', POPT_ARG_NONE,                                                                       \
     &(h).wanted, 0,    "no judge: loss, margins and the preference model on pairs",                         \
     NULL},                                                                                                  \
        {"reference",                                                                                        \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(h).reference,                                                                                     \
         0,                                                                                                  \
         "model folder of the reference: which draft is best by r(y|y); held-out (the model without "        \
         "adapter)",                                                                                         \
         "DIR"},                                                                                             \
        {"method", '\0', POPT_ARG_STRING, &(h).method, 0, "held-out: whose loss (srpo)", "M"},               \
        {"figure",                                                                                           \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(h).figure,                                                                                        \
         0,                                                                                                  \
         "picture, .svg: scores over revisions; held-out: the preference model's calibration",               \
         "FILE"},                                                                                            \
        {"beta", '\0', POPT_ARG_DOUBLE, &(h).beta, 0, "held-out: the method's beta", "B"},                   \
        {"alpha", '\0', POPT_ARG_DOUBLE, &(h).alpha, 0, "held-out: SRPO's alpha", "A"},                      \
        {"length-normalize",          '\0', POPT_ARG_NONE, &(h).length_normalize, 0,                         \
         "held-out: means, not sums", NULL},                                                                 \
    {                                                                                                        \
        "pack-tokens", '\0', POPT_ARG_LONGLONG, &(h).pack_tokens, 0,                                         \
            "held-out: most packed tokens of a row (4096)", "T"                                              \
    }

/** Measures and prints each model; returns the exit code. */
int held_out_run(const held_out *h, const policies *list);

#endif
