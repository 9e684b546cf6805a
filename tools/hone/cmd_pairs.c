/* hone pairs: preference pairs out of a model and a judge. */
#include "cli.h"
#include "policies.h"
#include "progress.h"
#include "session.h"
#include "verbs.h"

#include <hone/pairs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone pairs: preference pairs out of a model and a judge\n"
    "\n"
    "Samples answers to each row's prompt, has a judge compare them, and writes OUT/pairs.jsonl: what hone "
    "train\n"
    "reads, with the probability of the preference and where each side came from. OUT/drafts.jsonl keeps "
    "the\n"
    "samples: a run that was cut goes on, and other judges or behaviours cost no sampling. --behaviour skews "
    "which\n"
    "answers pairs are drawn of (not who wins them): mu(y|x) ~ exp(strength * z), z the feature's distance "
    "from its mean\n"
    "over the prompt's answers, in deviations: length, score, logp, revision. Judges: as for hone eval.";
static const char example[] = "  hone pairs --model sft --data prompts.jsonl --judge chrf:0.7,rules:0.3 "
                              "--judge-temperature 0.05 --out pairs\n"
                              "  hone pairs --model sft --data prompts.jsonl --samples 8 --behaviour "
                              "score:-2 --judge exact --out careless\n"
                              "  hone train --model sft --data pairs/pairs.jsonl --method srpo --out run";

static volatile sig_atomic_t signal_received;

static void note_signal(int number) {
    signal_received = number;
    (void)signal(number, SIG_DFL);
}

typedef struct arguments {
    hone_pairs_options options;
    char *name, *model, *adapter, *data, *template_name, *device, *isa, *matmul, *dtype, *weights, *judge,
        *behaviour, *select, *label, *out;
    char *judge_command, *judge_url, *judge_model, *judge_cache;
    long long limit, samples, count, max_tokens, top_k, seed, revisions, batch, judge_retries;
    int allow_fallback, json;
    progress progress;
} arguments;

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
    a->options = hone_pairs_defaults();
    a->samples = a->options.samples;
    a->count = a->options.count;
    a->max_tokens = a->options.sample.max_tokens;
    a->batch = 32;
    a->judge_retries = a->options.judge.retries;
}

static void fill(arguments *a) {
    hone_pairs_options *o = &a->options;
    if (a->name == NULL)
        a->name = policies_name(a->model);
    o->policy = (hone_eval_policy){a->name, a->model, a->adapter};
    o->data = a->data;
    o->limit = a->limit;
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
    o->samples = a->samples;
    o->count = a->count;
    o->judge.spec = a->judge != NULL ? a->judge : o->judge.spec;
    o->judge.command = a->judge_command;
    o->judge.url = a->judge_url;
    o->judge.model = a->judge_model;
    o->judge.key = getenv("HONE_JUDGE_KEY");
    o->judge.cache = a->judge_cache;
    o->judge.retries = a->judge_retries;
    o->behaviour = a->behaviour;
    o->out = a->out;
}

static int parse_names(arguments *a) {
    if (a->select != NULL && hone_pairs_select_parse(a->select, &a->options.select) != HONE_OK)
        return cli_usage("pairs", "%s", hone_message());
    if (a->label != NULL && hone_pairs_label_parse(a->label, &a->options.label) != HONE_OK)
        return cli_usage("pairs", "%s", hone_message());
    return session_precision("pairs", a->dtype, a->weights, &a->options.weights);
}

static long long integer(const json_t *object, const char *key) {
    return (long long)json_integer_value(json_object_get(object, key));
}

static double real(const json_t *object, const char *group, const char *key) {
    return json_number_value(json_object_get(json_object_get(object, group), key));
}

static void print_text(const arguments *a, const json_t *s) {
    (void)printf("%s/pairs.jsonl: %lld pairs of %lld prompts, mean preference %.3f\n", a->out,
                 integer(s, "pairs"), integer(s, "rows"),
                 json_number_value(json_object_get(s, "preference")));
    (void)printf("answers: %lld to compare; left out: %lld that did not end in %lld tokens, %lld empty, %lld "
                 "repeated\n",
                 integer(s, "candidates"), integer(s, "unended"), a->max_tokens, integer(s, "empty"),
                 integer(s, "repeated"));
    (void)printf("no pair: %lld ties, %lld without a verdict, %lld prompts with fewer than two answers\n",
                 integer(s, "ties"), integer(s, "no_verdict"), integer(s, "alone"));
    (void)printf("tokens: chosen %.1f, rejected %.1f", real(s, "tokens", "chosen"),
                 real(s, "tokens", "rejected"));
    if (json_is_number(json_object_get(json_object_get(s, "score"), "chosen")))
        (void)printf("; score: chosen %.3f, rejected %.3f", real(s, "score", "chosen"),
                     real(s, "score", "rejected"));
    (void)puts("");
}

static int print(const arguments *a, const char *text) {
    if (a->json)
        (void)puts(text);
    else {
        json_t *object = json_loads(text, 0, NULL);
        if (object == NULL)
            return cli_error("out of memory");
        print_text(a, object);
        json_decref(object);
    }
    return cli_flushed() ? 0 : cli_error("the result could not be written to standard output");
}

static int run(arguments *a) {
    const hone_eval_observer observer = {.context = a, .progress = show, .stop = stop};
    char *text = NULL;

    if (a->model == NULL || a->data == NULL || a->out == NULL)
        return cli_usage("pairs", "--model, --data and --out are required");
    int code = parse_names(a);
    if (code != 0)
        return code;
    fill(a);
    (void)signal(SIGINT, note_signal);
    (void)signal(SIGTERM, note_signal);
    progress_begin(&a->progress, HONE_SFT);
    const hone_status status = hone_pairs_make(&a->options, &observer, &text);
    progress_end(&a->progress);
    code = status == HONE_OK ? print(a, text) : cli_fail(status);
    if (status == HONE_ERROR_INTERRUPTED)
        code = 128 + (int)signal_received;
    hone_text_free(text);
    return code;
}

static void clear(arguments *a) {
    char *const texts[] = {a->name,          a->model,     a->adapter,     a->data,       a->template_name,
                           a->device,        a->isa,       a->matmul,      a->dtype,      a->weights,
                           a->judge,         a->behaviour, a->select,      a->label,      a->out,
                           a->judge_command, a->judge_url, a->judge_model, a->judge_cache};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
}

int hone_cmd_pairs(int argc, const char **argv) {
    arguments a;
    init(&a);
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &a.model, 0, "model folder: who answers", "DIR"},
        {"adapter", '\0', POPT_ARG_STRING, &a.adapter, 0, "PEFT folder on top of it", "DIR"},
        {"name", '\0', POPT_ARG_STRING, &a.name, 0, "what the rows call the model (its folder)", "NAME"},
        {"data", '\0', POPT_ARG_STRING, &a.data, 0, "JSONL rows: prompt, and what the judge wants", "FILE"},
        {"limit", '\0', POPT_ARG_LONGLONG, &a.limit, 0, "the first K rows alone (0: all)", "K"},
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "folder of drafts.jsonl, pairs.jsonl, summary.json", "DIR"},
        {"samples", '\0', POPT_ARG_LONGLONG, &a.samples, 0, "answers drawn to a prompt (2)", "K"},
        {"revisions", '\0', POPT_ARG_LONGLONG, &a.revisions, 0,
         "revisions of each, which are answers too (0)", "N"},
        {"behaviour", '\0', POPT_ARG_STRING, &a.behaviour, 0,
         "skew of which answers pairs are drawn of: FEATURE:STRENGTH,.. of length, score, logp, revision",
         "SPEC"},
        {"select", '\0', POPT_ARG_STRING, &a.select, 0,
         "draw: at random; best: the best against the worst; all (draw)", "S"},
        {"pairs", '\0', POPT_ARG_LONGLONG, &a.count, 0, "draw: most pairs of a prompt (1)", "N"},
        {"label", '\0', POPT_ARG_STRING, &a.label, 0,
         "soft: with the preference's probability; hard: without; sampled: drawn from it (soft)", "L"},
        {"judge", '\0', POPT_ARG_STRING, &a.judge, 0, "who compares (exact)", "SPEC"},
        {"judge-temperature", '\0', POPT_ARG_DOUBLE, &a.options.judge.temperature, 0,
         "of scores: p = sigmoid(difference / T); 0: the larger wins (0)", "T"},
        {"judge-timeout", '\0', POPT_ARG_DOUBLE, &a.options.judge.timeout, 0,
         "command, http: for an answer (60)", "SECONDS"},
        {"judge-command", '\0', POPT_ARG_STRING, &a.judge_command, 0, "command: as for hone eval", "PROGRAM"},
        {"judge-url", '\0', POPT_ARG_STRING, &a.judge_url, 0,
         "http: chat completions; the key is in HONE_JUDGE_KEY", "URL"},
        {"judge-model", '\0', POPT_ARG_STRING, &a.judge_model, 0, "http: the model's name there", "NAME"},
        {"judge-cache", '\0', POPT_ARG_STRING, &a.judge_cache, 0, "http: folder of verdicts", "DIR"},
        {"judge-retries", '\0', POPT_ARG_LONGLONG, &a.judge_retries, 0, "http: of a question (5)", "N"},
        {"judge-backoff", '\0', POPT_ARG_DOUBLE, &a.options.judge.backoff, 0,
         "http: before the first retry, doubled for each (0.5)", "SECONDS"},
        {"judge-rate", '\0', POPT_ARG_DOUBLE, &a.options.judge.rate, 0,
         "http: most requests a second (0: any)", "N"},
        {"max-tokens", '\0', POPT_ARG_LONGLONG, &a.max_tokens, 0, "most tokens of an answer (256)", "N"},
        {"temperature", '\0', POPT_ARG_DOUBLE, &a.options.sample.temperature, 0, "of the draws (1)", "T"},
        {"top-k", '\0', POPT_ARG_LONGLONG, &a.top_k, 0, "draw among the K likeliest (0: all)", "K"},
        {"top-p", '\0', POPT_ARG_DOUBLE, &a.options.sample.top_p, 0,
         "draw among the fewest that have this share (1)", "P"},
        {"seed", '\0', POPT_ARG_LONGLONG, &a.seed, 0, "seed of answers, pairs and labels (0)", "S"},
        {"batch", '\0', POPT_ARG_LONGLONG, &a.batch, 0, "answers in lockstep (32)", "N"},
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
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "summary.json as one line", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    clear(&a);
    return code;
}
