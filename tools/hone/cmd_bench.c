/* hone bench: how fast things are here, against what the machine can do at most. */
#include "bench.h"
#include "cli.h"
#include "verbs.h"

#include <stdio.h>
#include <string.h>

static const struct part {
    const char *name, *verb;
    int (*run)(int argc, const char **argv);
    const char *summary;
} parts[] = {
    {"step", "bench step", hone_bench_cmd_step, "a training step: pairs/s, share of peak, time by operation"},
    {"decode", "bench decode", hone_bench_cmd_decode,
     "tokens/s of 1 to 32 sequences, against reading the weights"},
    {"gemm", "bench gemm", hone_bench_cmd_gemm, "every matrix product of a step, against the peak"},
    {"pack", "bench pack", hone_bench_cmd_pack, "a step as a token trie, as separate sequences, and padded"},
    {"revise", "bench revise", hone_bench_cmd_revise,
     "revisions that keep keys and values, against starting over"},
    {"load", "bench load", hone_bench_cmd_load, "opening a model folder until it writes its first token"},
    {"checkpoint", "bench checkpoint", hone_bench_cmd_checkpoint, "saving and loading what training has"},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

static int help(FILE *out, int code) {
    (void)fprintf(out, "hone bench: how fast things are here, against what this machine can do at most\n\n"
                       "Usage: hone bench PART [OPTION...]\n\nParts:\n");
    for (int i = 0; i < PARTS; i++)
        (void)fprintf(out, "  %-10s %s\n", parts[i].name, parts[i].summary);
    (void)fprintf(
        out,
        "\nEverything is warmed up and repeated; times are medians, with the least and the most. What is "
        "compared runs in\n"
        "turn in one process. --json prints one line, and --compare FILE the ratios to an earlier one.\n"
        "`hone bench PART --help` shows a part's options and an example.\n\n"
        "Example:\n  hone bench step --model smollm2 --lora-rank 16\n");
    return code;
}

int hone_cmd_bench(int argc, const char **argv) {
    if (argc < 2)
        return help(stderr, 2);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return help(stdout, 0);
    for (int i = 0; i < PARTS; i++)
        if (strcmp(argv[1], parts[i].name) == 0) {
            argv[1] = parts[i].verb;
            return parts[i].run(argc - 1, argv + 1);
        }
    return cli_usage(
        "bench",
        "there is nothing called \"%s\" to measure: step, decode, gemm, pack, revise, load or checkpoint",
        argv[1]);
}
