/* hone: one command, a verb for each thing that it does. */
#include "cli.h"
#include "verbs.h"

#include <hone/log.h>
#include <hone/suggest.h>
#include <hone/version.h>
#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, const char **argv);
    const char *summary;
} verbs[] = {
    {"train", hone_cmd_train, "train a model from preference data (srpo, dpo, ipo, rpo, simpo, sft)"},
    {"generate", hone_cmd_generate, "answer a prompt"},
    {"revise", hone_cmd_revise, "answer a prompt and improve the answer, n times"},
    {"score", hone_cmd_score, "log-probabilities of the answers in a data set"},
    {"eval", hone_cmd_eval, "win rates of models and their revisions"},
    {"pairs", hone_cmd_pairs, "preference pairs out of a model and a judge"},
    {"tokenize", hone_cmd_tokenize, "text to token ids"},
    {"tokenizer", hone_cmd_tokenizer, "train a byte-level BPE tokenizer"},
    {"inspect", hone_cmd_inspect, "what a model folder holds, and how a data set packs"},
    {"init", hone_cmd_init, "a new model with random weights"},
    {"convert", hone_cmd_convert, "a GGUF file to a model folder"},
    {"merge", hone_cmd_merge, "an adapter made part of its model"},
    {"data", hone_cmd_data, "what a data set holds, and what is wrong with it"},
    {"top", hone_cmd_top, "where a run is: progress, loss, rate, time left"},
    {"report", hone_cmd_report, "runs and evaluations as one page of HTML"},
    {"bandit", hone_cmd_bandit, "preference optimisation in tables, with its closed forms"},
    {"bench", hone_cmd_bench, "how fast things are here, against what the machine can do at most"},
    {"devices", hone_cmd_devices, "what can compute here"},
    {"check", hone_cmd_check, "check a device against the float64 oracle"},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int help(FILE *out, int code) {
    (void)fprintf(out,
                  "hone %s: language models that improve their own answers, from preference data\n\n"
                  "Usage: hone VERB [OPTION...]\n\nVerbs:\n",
                  hone_version());
    for (int i = 0; i < VERBS; i++)
        (void)fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    (void)fprintf(out, "\n`hone VERB --help` shows a verb's options and an example.\n");
    return code;
}

/** What was printed must have got there, whatever the verb thinks of it. */
static int finish(int code) {
    return code == 0 && !cli_flushed() ? cli_error("the result could not be written to standard output")
                                       : code;
}

static int unknown(const char *name) {
    const char *known[VERBS];
    for (int i = 0; i < VERBS; i++)
        known[i] = verbs[i].name;
    const char *meant = hone_suggest(name, known, VERBS);
    if (meant != NULL)
        (void)fprintf(stderr, "hone: there is no verb \"%s\"; did you mean \"%s\"?\n", name, meant);
    else
        (void)fprintf(stderr, "hone: there is no verb \"%s\"; `hone --help` lists them\n", name);
    return 2;
}

/** Warnings and notes of the library, on stderr. */
static void print_log(void *context, hone_log_level level, const char *line) {
    (void)context;
    (void)fprintf(stderr, "hone: %s%s\n", level == HONE_LOG_WARNING ? "warning: " : "", line);
}

int main(int argc, const char **argv) {
    hone_log_set_sink(print_log, NULL, HONE_LOG_INFO);
    if (argc < 2)
        return help(stderr, 2);
    if (strcmp(argv[1], "--version") == 0)
        return finish(printf("hone %s\n", hone_version()) > 0 ? 0 : 1);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0)
        return finish(help(stdout, 0));
    for (int i = 0; i < VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return finish(verbs[i].run(argc - 1, argv + 1));
    return unknown(argv[1]);
}
