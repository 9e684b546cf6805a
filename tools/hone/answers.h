/** What `hone generate` and `hone revise` have in common: prompts in, answers out. */
#ifndef HONE_ANSWERS_H
#define HONE_ANSWERS_H

#include "session.h"

#include <hone/sample.h>

typedef struct answers {
    session session;
    char *prompt, *data, *keep;
    long long max_tokens, top_k, seed, revisions, batch, limit;
    double temperature, top_p;
    int json;
} answers;

#define ANSWER_OPTIONS(a)                                                                                      \
    {"prompt", '\0', POPT_ARG_STRING, &(a).prompt, 0, "one prompt", "S"},                                      \
        {"data", '\0', POPT_ARG_STRING, &(a).data, 0, "the prompts of JSONL rows", "FILE"},                    \
        {"limit", '\0', POPT_ARG_LONGLONG, &(a).limit, 0, "the first N rows alone (0: all)", "N"},             \
        {"max-tokens", '\0', POPT_ARG_LONGLONG, &(a).max_tokens, 0, "most tokens of a draft (256)", "N"},      \
        {"temperature", '\0', POPT_ARG_DOUBLE, &(a).temperature, 0, "0: always the likeliest token (0)", "T"}, \
        {"top-k", '\0', POPT_ARG_LONGLONG, &(a).top_k, 0, "draw among the K likeliest (0: all)", "K"},         \
        {"top-p", '\0', POPT_ARG_DOUBLE, &(a).top_p, 0, "draw among the fewest that have this share (1)",      \
         "P"},                                                                                                 \
        {"seed", '\0', POPT_ARG_LONGLONG, &(a).seed, 0, "seed of the draws (0)", "S"},                         \
        {"batch", '\0', POPT_ARG_LONGLONG, &(a).batch, 0, "prompts in lockstep (8)", "N"}, {                   \
        "json", '\0', POPT_ARG_NONE, &(a).json, 0, "a line of JSON a prompt", NULL                             \
    }

void answers_init(answers *a);
/** Opens, runs and prints; `revise`: all drafts. Returns the exit code. */
int answers_run(answers *a, const char *verb, int revise);
void answers_close(answers *a);

#endif
