/** How tokens are drawn: the options that all share who sample. */
#ifndef HONE_DRAWING_H
#define HONE_DRAWING_H

#include <hone/sample.h>
#include <popt.h>

typedef struct drawing {
    long long max_tokens, top_k, seed, batch;
    double temperature, top_p;
} drawing;

/** What the library takes where nothing is said. */
drawing drawing_defaults(void);
void drawing_fill(const drawing *d, hone_sample_options *options);

/** Defaults that differ from verb to verb are part of the text. */
#define DRAWING_OPTIONS(d, of_temperature, of_seed, of_batch)                                                \
    {"max-tokens", '\0', POPT_ARG_LONGLONG, &(d).max_tokens, 0, "most tokens of a draft (256)", "N"},        \
        {"temperature", '\0', POPT_ARG_DOUBLE, &(d).temperature, 0, of_temperature, "T"},                    \
        {"top-k", '\0', POPT_ARG_LONGLONG, &(d).top_k, 0, "draw among the K likeliest (0: all)", "K"},       \
        {"top-p", '\0', POPT_ARG_DOUBLE, &(d).top_p, 0, "draw among the fewest that have this share (1)",    \
         "P"},                                                                                               \
        {"seed", '\0', POPT_ARG_LONGLONG, &(d).seed, 0, of_seed, "S"}, {                                     \
        "batch", '\0', POPT_ARG_LONGLONG, &(d).batch, 0, of_batch, "N"                                       \
    }

#endif
