/** Who compares two answers: the options of hone eval and hone pairs. */
#ifndef HONE_JUDGING_H
#define HONE_JUDGING_H

#include <hone/eval.h>
#include <popt.h>

typedef struct judging {
    char *spec, *command, *url, *model, *cache;
    long long retries;
    hone_judge_options options; /* temperature, timeout, backoff and rate are read into it */
} judging;

judging judging_defaults(void);
/** The options with the rest filled in; the key is taken from HONE_JUDGE_KEY. Borrows. */
hone_judge_options judging_options(const judging *j);
void judging_clear(judging *j);

#define JUDGING_OPTIONS(j)                                                                                     \
    {"judge", '\0', POPT_ARG_STRING, &(j).spec, 0, "who compares (exact)", "SPEC"},                            \
        {"judge-temperature",                                                                                  \
         '\0',                                                                                                 \
         POPT_ARG_DOUBLE,                                                                                      \
         &(j).options.temperature,                                                                             \
         0,                                                                                                    \
         "of scores: p = sigmoid(difference / T); 0: the larger wins (0)",                                     \
         "T"},                                                                                                 \
        {"judge-timeout", '\0', POPT_ARG_DOUBLE, &(j).options.timeout, 0, "command, http: for an answer (60)", \
         "SECONDS"},                                                                                           \
        {"judge-command",                                                                                      \
         '\0',                                                                                                 \
         POPT_ARG_STRING,                                                                                      \
         &(j).command,                                                                                         \
         0,                                                                                                    \
         "command: a line {\"prompt\",\"reference\",\"a\",\"b\"} in, {\"p\": 0..1} or {\"winner\": \"a\"} "    \
         "out",                                                                                                \
         "PROGRAM"},                                                                                           \
        {"judge-url", '\0', POPT_ARG_STRING,                                                                   \
         &(j).url,    0,    "http: chat completions; the key is in HONE_JUDGE_KEY",                            \
         "URL"},                                                                                               \
        {"judge-model", '\0', POPT_ARG_STRING, &(j).model, 0, "http: the model's name there", "NAME"},         \
        {"judge-cache", '\0', POPT_ARG_STRING, &(j).cache, 0, "http: folder of verdicts (OUT/verdicts)",       \
         "DIR"},                                                                                               \
        {"judge-retries", '\0', POPT_ARG_LONGLONG, &(j).retries, 0, "http: of a question (5)", "N"},           \
        {"judge-backoff",                                                                                      \
         '\0',                                                                                                 \
         POPT_ARG_DOUBLE,                                                                                      \
         &(j).options.backoff,                                                                                 \
         0,                                                                                                    \
         "http: before the first retry, doubled for each (0.5)",                                               \
         "SECONDS"},                                                                                           \
    {                                                                                                          \
        "judge-rate", '\0', POPT_ARG_DOUBLE, &(j).options.rate, 0, "http: most requests a second (0: any)",    \
            "N"                                                                                                \
    }

#endif
