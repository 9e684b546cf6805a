/* hone eval: answers and their revisions, judged. */
#include "cli.h"
#include "drawing.h"
#include "eval_figure.h"
#include "eval_tables.h"
#include "gnuplot.h"
#include "held_out.h"
#include "interrupt.h"
#include "judging.h"
#include "machine.h"
#include "policies.h"
#include "progress.h"
#include "verbs.h"

#include <hone/eval.h>
#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone eval: win rates of models at 0..N revisions\n\n"
    "Samples the drafts that OUT/drafts.jsonl lacks, has each judged against the row's reference completion\n"
    "(\"reference\", \"answer\", \"chosen\" or \"completion\"), and prints tables: win rate (win 1, draw "
    "1/2, loss 0; "
    "mean, deviation\n"
    "and 95 % interval of 20 bootstrap resamples of 512), score, head to head, paired tests. "
    "OUT/results.json has all\n"
    "numbers. With --held-out nothing is sampled or judged: loss, margin and the preference model on pairs, "
    "or "
    "with\n--method sft the loss on completions. A judge is NAME[:WEIGHT],..: exact, chrf, rules, "
    "command, http.\n"
    "Behind the revisions stand the drafts that a model would keep itself: the likeliest and, with "
    "--reference, the best\n"
    "by r(y|y); no judge takes part in that choice.\n"
    "No text is more like the reference than itself: with exact and chrf, --against NAME compares models.";
static const char example[] = "  hone eval --model sft=sft/final --model srpo=srpo/final --data test.jsonl "
                              "--judge exact --revisions 5 \\\n"
                              "            --temperature 1 --out eval\n"
                              "  hone eval --model smollm2 --adapter sft=sft/final --adapter srpo=srpo/final "
                              "--template auto --data in.jsonl \\\n"
                              "            --ood out.jsonl --judge chrf:0.7,rules:0.3 --against sft "
                              "--revisions 2 --limit 512 --out eval";

enum { MODEL = 1, ADAPTER };

typedef struct arguments {
    policies list;
    hone_eval_options options;
    char *data, *ood, *template_name, *against, *out;
    long long limit, show, revisions, resamples, resample_size;
    int json;
    judging judging;
    drawing drawing;
    machine machine;
    progress progress;
    held_out held_out;
} arguments;

static int take(void *context, int value, const char *argument) {
    arguments *a = context;
    const int code =
        value == MODEL ? policies_model(&a->list, argument) : policies_adapter(&a->list, argument);
    return code == 0 ? -1 : code;
}

static void show(void *context, const char *what, int64_t done, int64_t total) {
    arguments *a = context;
    progress_prepared(&a->progress, what, done, total);
}

static void init(arguments *a) {
    memset(a, 0, sizeof *a);
    held_out_init(&a->held_out);
    a->options.sample = hone_sample_defaults();
    a->options.bootstrap = hone_bootstrap_defaults();
    a->judging = judging_defaults();
    a->drawing = drawing_defaults();
    a->resamples = a->options.bootstrap.resamples;
    a->resample_size = a->options.bootstrap.size;
}

static void fill(arguments *a) {
    hone_eval_options *o = &a->options;
    o->policy = a->list.policy;
    o->policies = a->list.count;
    o->data = a->data;
    o->ood = a->ood;
    o->limit = a->limit;
    o->examples = a->show;
    o->template_name = a->template_name;
    o->device = a->machine.device;
    o->on = a->machine.on;
    o->weights = a->machine.stored;
    drawing_fill(&a->drawing, &o->sample);
    o->sample.revisions = a->revisions;
    o->bootstrap.resamples = a->resamples;
    o->bootstrap.size = a->resample_size;
    o->bootstrap.seed = (uint64_t)a->drawing.seed;
    o->judge = judging_options(&a->judging);
    o->against = a->against;
    o->reference = a->held_out.reference;
    o->out = a->out;
}

static int show_results(const arguments *a, const char *text) {
    json_t *results = json_loads(text, 0, NULL);
    int code = 0;

    if (results == NULL)
        return cli_error("out of memory");
    if (a->held_out.figure != NULL)
        code = eval_figure_write(results, a->held_out.figure);
    if (a->json)
        (void)puts(text);
    else
        eval_tables_print(results);
    json_decref(results);
    return cli_flushed() ? code : cli_error("the result could not be written to standard output");
}

static int measure(arguments *a) {
    a->held_out.template_name = a->template_name;
    a->held_out.data = a->data;
    a->held_out.machine = &a->machine;
    a->held_out.limit = a->limit;
    a->held_out.json = a->json;
    return held_out_run(&a->held_out, &a->list);
}

static int run(arguments *a) {
    const hone_eval_observer observer = {.context = a, .progress = show, .stop = interrupt_asked};
    char *text = NULL;

    if (policies_end(&a->list) != 0)
        return 1;
    if (a->list.count == 0 || a->data == NULL || (a->out == NULL && !a->held_out.wanted))
        return cli_usage("eval", "--model, --data and --out are required");
    if (a->held_out.figure != NULL && !gnuplot_ends_with(a->held_out.figure, ".svg"))
        return cli_usage("eval", "--figure %s: the name must end in .svg", a->held_out.figure);
    const int bad = machine_read(&a->machine, "eval");
    if (bad != 0)
        return bad;
    fill(a);
    if (a->held_out.wanted)
        return measure(a);
    interrupt_begin();
    progress_begin(&a->progress, HONE_SFT);
    const hone_status status = hone_eval(&a->options, &observer, &text);
    progress_end(&a->progress);
    const int code = interrupt_code(status, status == HONE_OK ? show_results(a, text) : cli_fail(status));
    hone_text_free(text);
    return code;
}

static void clear(arguments *a) {
    char *const texts[] = {a->data,
                           a->ood,
                           a->template_name,
                           a->against,
                           a->out,
                           a->held_out.method,
                           a->held_out.reference,
                           a->held_out.figure};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    policies_clear(&a->list);
    judging_clear(&a->judging);
    machine_clear(&a->machine);
}

int hone_cmd_eval(int argc, const char **argv) {
    arguments a;
    init(&a);
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, NULL, MODEL, "model folder; again for more (NAME: the folder's)",
         "[NAME=]DIR"},
        {"adapter", '\0', POPT_ARG_STRING, NULL, ADAPTER,
         "PEFT folder on the model before it, which without NAME is then not evaluated by itself",
         "[NAME=]DIR"},
        {"data", '\0', POPT_ARG_STRING, &a.data, 0, "JSONL rows, in distribution", "FILE"},
        {"ood", '\0', POPT_ARG_STRING, &a.ood, 0, "JSONL rows, out of distribution", "FILE"},
        {"limit", '\0', POPT_ARG_LONGLONG, &a.limit, 0, "the first K rows of each alone (0: all)", "K"},
        {"show", '\0', POPT_ARG_LONGLONG, &a.show, 0, "print the drafts of the first K rows (0)", "K"},
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "folder of drafts.jsonl and results.json", "DIR"},
        JUDGING_OPTIONS(a.judging),
        {"against", '\0', POPT_ARG_STRING, &a.against, 0,
         "the opponent: draft 0 of this model (the reference completion)", "NAME"},
        {"revisions", '\0', POPT_ARG_LONGLONG, &a.revisions, 0, "revisions of each draft (0)", "N"},
        DRAWING_OPTIONS(a.drawing, "0: always the likeliest token (0)", "seed of drafts and resamples (0)",
                        "prompts in lockstep (8)"),
        {"resamples", '\0', POPT_ARG_LONGLONG, &a.resamples, 0, "bootstrap resamples (20)", "N"},
        {"resample-size", '\0', POPT_ARG_LONGLONG, &a.resample_size, 0,
         "rows of a resample (512, or all of fewer)", "N"},
        HELD_OUT_OPTIONS(a.held_out),
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0,
         "template: built-in name, auto, or file (plain)", "T"},
        MACHINE_OPTIONS(a.machine),
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "the results as one line of JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, take, &a);
    if (code < 0)
        code = run(&a);
    clear(&a);
    return code;
}
