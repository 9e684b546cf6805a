/* The verbs, in the order of their help. */
#include "verbs.h"

#include <stddef.h>

static const char *const bench_parts[] = {"step",   "decode", "gemm",       "pack",
                                          "revise", "load",   "checkpoint", NULL};
static const char *const data_parts[] = {"check", NULL};
static const char *const tokenizer_parts[] = {"train", NULL};

const verb_info hone_verbs[] = {
    {"train", hone_cmd_train, "train a model from preference data (srpo, dpo, ipo, rpo, simpo, sft)", NULL},
    {"generate", hone_cmd_generate, "answer a prompt", NULL},
    {"revise", hone_cmd_revise, "answer a prompt and improve the answer, n times", NULL},
    {"score", hone_cmd_score, "log-probabilities of the answers in a data set", NULL},
    {"eval", hone_cmd_eval, "win rates of models and their revisions", NULL},
    {"pairs", hone_cmd_pairs, "preference pairs out of a model and a judge", NULL},
    {"tokenize", hone_cmd_tokenize, "text to token ids", NULL},
    {"tokenizer", hone_cmd_tokenizer, "train a byte-level BPE tokenizer", tokenizer_parts},
    {"inspect", hone_cmd_inspect, "what a model folder holds, and how a data set packs", NULL},
    {"init", hone_cmd_init, "a new model with random weights", NULL},
    {"convert", hone_cmd_convert, "a GGUF file to a model folder", NULL},
    {"merge", hone_cmd_merge, "an adapter made part of its model", NULL},
    {"data", hone_cmd_data, "what a data set holds, and what is wrong with it", data_parts},
    {"top", hone_cmd_top, "where a run is: progress, loss, rate, time left", NULL},
    {"report", hone_cmd_report, "runs and evaluations as one page of HTML", NULL},
    {"bandit", hone_cmd_bandit, "preference optimisation in tables, with its closed forms", NULL},
    {"bench", hone_cmd_bench, "how fast things are here, against what the machine can do at most",
     bench_parts},
    {"devices", hone_cmd_devices, "what can compute here", NULL},
    {"check", hone_cmd_check, "check a device against the float64 oracle", NULL},
};
const int hone_verb_count = sizeof hone_verbs / sizeof hone_verbs[0];
