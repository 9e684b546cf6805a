/** What `hone generate` and `hone revise` have in common: prompts in, answers out. */
#ifndef HONE_ANSWERS_H
#define HONE_ANSWERS_H

#include "drawing.h"
#include "session.h"

typedef struct answers {
    session session;
    char *prompt, *data, *keep;
    long long revisions, limit;
    drawing drawing;
    int json;
} answers;

#define ANSWER_OPTIONS(a)                                                                                    \
    {"prompt", '\0', POPT_ARG_STRING, &(a).prompt, 0, "one prompt", "S"},                                    \
        {"data", '\0', POPT_ARG_STRING, &(a).data, 0, "the prompts of JSONL rows", "FILE"},                  \
        {"limit", '\0', POPT_ARG_LONGLONG, &(a).limit, 0, "the first N rows alone (0: all)", "N"},           \
        DRAWING_OPTIONS((a).drawing, "0: always the likeliest token (0)", "seed of the draws (0)",           \
                        "prompts in lockstep (8)"),                                                          \
    {                                                                                                        \
        "json", '\0', POPT_ARG_NONE, &(a).json, 0, "a line of JSON a prompt", NULL                           \
    }

void answers_init(answers *a);
/** Opens, runs and prints; `revise`: all drafts. Returns the exit code. */
int answers_run(answers *a, const char *verb, int revise);
void answers_close(answers *a);

#endif
