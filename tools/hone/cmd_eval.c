/* hone eval: answers and their revisions, judged. */
#include "cli.h"
#include "eval_tables.h"
#include "held_out.h"
#include "policies.h"
#include "progress.h"
#include "session.h"
#include "verbs.h"

#include <hone/eval.h>
#include <hone/tokenizer.h>
#include <signal.h>
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
    "numbers. With --held-out nothing is sampled or judged. A judge is NAME[:WEIGHT],..: exact, chrf, rules, "
    "command, http.\n"
    "No text is more like the reference than itself: with exact and chrf, --against NAME compares models.";
static const char example[] = "  hone eval --model sft=sft/final --model srpo=srpo/final --data test.jsonl "
                              "--judge exact --revisions 5 \\\n"
                              "            --temperature 1 --out eval\n"
                              "  hone eval --model smollm2 --adapter sft=sft/final --adapter srpo=srpo/final "
                              "--template auto --data in.jsonl \\\n"
                              "            --ood out.jsonl --judge chrf:0.7,rules:0.3 --against sft "
                              "--revisions 2 --limit 512 --out eval";

enum { MODEL = 1, ADAPTER };

static volatile sig_atomic_t signal_received;

static void note_signal(int number) {
    signal_received = number;
    (void)signal(number, SIG_DFL);
}

typedef struct arguments {
    policies list;
    hone_eval_options options;
    char *data, *ood, *template_name, *device, *isa, *matmul, *dtype, *weights, *judge, *against, *out;
    char *judge_command, *judge_url, *judge_model, *judge_cache;
    long long limit, show, max_tokens, top_k, seed, revisions, batch, resamples, resample_size, judge_retries;
    int allow_fallback, json;
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

static bool stop(void *context) {
    (void)context;
    return signal_received != 0;
}

static void init(arguments *a) {
    memset(a, 0, sizeof *a);
    held_out_init(&a->held_out);
    a->options.sample = hone_sample_defaults();
    a->options.judge = hone_judge_defaults();
    a->options.bootstrap = hone_bootstrap_defaults();
    a->max_tokens = a->options.sample.max_tokens;
    a->batch = a->options.sample.batch;
    a->judge_retries = a->options.judge.retries;
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
    o->device = a->device;
    o->on.isa = a->isa;
    o->on.matmul = a->matmul;
    o->on.dtype = a->dtype;
    o->on.allow_fallback = a->allow_fallback != 0;
    o->sample.max_tokens = a->max_tokens;
    o->sample.top_k = a->top_k;
    o->sample.seed = a->seed;
    o->sample.revisions = a->revisions;
    o->sample.batch = a->batch;
    o->bootstrap.resamples = a->resamples;
    o->bootstrap.size = a->resample_size;
    o->bootstrap.seed = (uint64_t)a->seed;
    o->judge.spec = a->judge != NULL ? a->judge : o->judge.spec;
    o->judge.command = a->judge_command;
    o->judge.url = a->judge_url;
    o->judge.model = a->judge_model;
    o->judge.key = getenv("HONE_JUDGE_KEY");
    o->judge.cache = a->judge_cache;
    o->judge.retries = a->judge_retries;
    o->against = a->against;
    o->out = a->out;
}

static int print(const arguments *a, const char *text) {
    if (a->json)
        (void)puts(text);
    else {
        json_t *results = json_loads(text, 0, NULL);
        if (results == NULL)
            return cli_error("out of memory");
        eval_tables_print(results);
        json_decref(results);
    }
    return cli_flushed() ? 0 : cli_error("the result could not be written to standard output");
}

static int measure(arguments *a) {
    a->held_out.template_name = a->template_name;
    a->held_out.data = a->data;
    a->held_out.device = a->device;
    a->held_out.on = a->options.on;
    a->held_out.weights = a->options.weights;
    a->held_out.limit = a->limit;
    a->held_out.json = a->json;
    return held_out_run(&a->held_out, &a->list);
}

static int run(arguments *a) {
    const hone_eval_observer observer = {.context = a, .progress = show, .stop = stop};
    char *text = NULL;

    if (policies_end(&a->list) != 0)
        return 1;
    if (a->list.count == 0 || a->data == NULL || (a->out == NULL && !a->held_out.wanted))
        return cli_usage("eval", "--model, --data and --out are required");
    const int bad = session_precision("eval", a->dtype, a->weights, &a->options.weights);
    if (bad != 0)
        return bad;
    fill(a);
    if (a->held_out.wanted)
        return measure(a);
    (void)signal(SIGINT, note_signal);
    (void)signal(SIGTERM, note_signal);
    progress_begin(&a->progress, HONE_SFT);
    const hone_status status = hone_eval(&a->options, &observer, &text);
    progress_end(&a->progress);
    int code = status == HONE_OK ? print(a, text) : cli_fail(status);
    if (status == HONE_ERROR_INTERRUPTED)
        code = 128 + (int)signal_received;
    hone_text_free(text);
    return code;
}

static void clear(arguments *a) {
    char *const texts[] = {a->data,
                           a->ood,
                           a->template_name,
                           a->device,
                           a->isa,
                           a->matmul,
                           a->dtype,
                           a->weights,
                           a->judge,
                           a->against,
                           a->out,
                           a->judge_command,
                           a->judge_url,
                           a->judge_model,
                           a->judge_cache,
                           a->held_out.method,
                           a->held_out.reference};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    policies_clear(&a->list);
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
        {"judge", '\0', POPT_ARG_STRING, &a.judge, 0, "who compares (exact)", "SPEC"},
        {"judge-temperature", '\0', POPT_ARG_DOUBLE, &a.options.judge.temperature, 0,
         "of scores: p = sigmoid(difference / T); 0: the larger wins (0)", "T"},
        {"judge-timeout", '\0', POPT_ARG_DOUBLE, &a.options.judge.timeout, 0,
         "command, http: for an answer (60)", "SECONDS"},
        {"judge-command", '\0', POPT_ARG_STRING, &a.judge_command, 0,
         "command: a line {\"prompt\",\"reference\",\"a\",\"b\"} in, {\"p\": 0..1} or {\"winner\": \"a\"} "
         "out",
         "PROGRAM"},
        {"judge-url", '\0', POPT_ARG_STRING, &a.judge_url, 0,
         "http: chat completions; the key is in HONE_JUDGE_KEY", "URL"},
        {"judge-model", '\0', POPT_ARG_STRING, &a.judge_model, 0, "http: the model's name there", "NAME"},
        {"judge-cache", '\0', POPT_ARG_STRING, &a.judge_cache, 0, "http: folder of verdicts", "DIR"},
        {"judge-retries", '\0', POPT_ARG_LONGLONG, &a.judge_retries, 0, "http: of a question (5)", "N"},
        {"judge-backoff", '\0', POPT_ARG_DOUBLE, &a.options.judge.backoff, 0,
         "http: before the first retry, doubled for each (0.5)", "SECONDS"},
        {"judge-rate", '\0', POPT_ARG_DOUBLE, &a.options.judge.rate, 0,
         "http: most requests a second (0: any)", "N"},
        {"against", '\0', POPT_ARG_STRING, &a.against, 0,
         "the opponent: draft 0 of this model (the reference completion)", "NAME"},
        {"revisions", '\0', POPT_ARG_LONGLONG, &a.revisions, 0, "revisions of each draft (0)", "N"},
        {"max-tokens", '\0', POPT_ARG_LONGLONG, &a.max_tokens, 0, "most tokens of a draft (256)", "N"},
        {"temperature", '\0', POPT_ARG_DOUBLE, &a.options.sample.temperature, 0,
         "0: always the likeliest token (0)", "T"},
        {"top-k", '\0', POPT_ARG_LONGLONG, &a.top_k, 0, "draw among the K likeliest (0: all)", "K"},
        {"top-p", '\0', POPT_ARG_DOUBLE, &a.options.sample.top_p, 0,
         "draw among the fewest that have this share (1)", "P"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a.seed, 0, "seed of drafts and resamples (0)", "S"},
        {"batch", '\0', POPT_ARG_LONGLONG, &a.batch, 0, "prompts in lockstep (8)", "N"},
        {"resamples", '\0', POPT_ARG_LONGLONG, &a.resamples, 0, "bootstrap resamples (20)", "N"},
        {"resample-size", '\0', POPT_ARG_LONGLONG, &a.resample_size, 0,
         "rows of a resample (512, or all of fewer)", "N"},
        HELD_OUT_OPTIONS(a.held_out),
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0,
         "template: built-in name, auto, or file (plain)", "T"},
        {"device", '\0', POPT_ARG_STRING, &a.device, 0, "device, as `hone devices` names it", "D"},
        {"threads", '\0', POPT_ARG_INT, &a.options.on.threads, 0, "threads (0: all processors)", "N"},
        {"isa", '\0', POPT_ARG_STRING, &a.isa, 0, "instruction set override", "I"},
        {"matmul", '\0', POPT_ARG_STRING, &a.matmul, 0, "matrix product provider override", "P"},
        {"dtype", '\0', POPT_ARG_STRING, &a.dtype, 0,
         "products in f32, or in bf16 where the processor has them (f32)", "T"},
        {"weights", '\0', POPT_ARG_STRING, &a.weights, 0,
         "weights in f32, bf16, q8 (8 bits), or auto: as they are in the file (auto)", "T"},
        {"allow-fallback", '\0', POPT_ARG_NONE, &a.allow_fallback, 0,
         "run operations that the device lacks on the host", NULL},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "the results as one line of JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, take, &a);
    if (code < 0)
        code = run(&a);
    clear(&a);
    return code;
}
