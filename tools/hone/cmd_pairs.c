/* hone pairs: preference pairs out of a model and a judge. */
#include "cli.h"
#include "drawing.h"
#include "interrupt.h"
#include "judging.h"
#include "machine.h"
#include "policies.h"
#include "progress.h"
#include "verbs.h"

#include <hone/pairs.h>
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

typedef struct arguments {
    hone_pairs_options options;
    char *name, *model, *adapter, *data, *template_name, *behaviour, *select, *label, *out;
    long long limit, samples, count, revisions;
    int json;
    judging judging;
    drawing drawing;
    machine machine;
    progress progress;
} arguments;

static void show(void *context, const char *what, int64_t done, int64_t total) {
    arguments *a = context;
    progress_prepared(&a->progress, what, done, total);
}

static void init(arguments *a) {
    memset(a, 0, sizeof *a);
    a->options = hone_pairs_defaults();
    a->samples = a->options.samples;
    a->count = a->options.count;
    a->judging = judging_defaults();
    a->drawing = drawing_defaults();
    a->drawing.temperature = a->options.sample.temperature;
    a->drawing.batch = 32;
}

static void fill(arguments *a) {
    hone_pairs_options *o = &a->options;
    if (a->name == NULL)
        a->name = policies_name(a->model);
    o->policy = (hone_eval_policy){a->name, a->model, a->adapter};
    o->data = a->data;
    o->limit = a->limit;
    o->template_name = a->template_name;
    o->device = a->machine.device;
    o->on = a->machine.on;
    o->weights = a->machine.stored;
    drawing_fill(&a->drawing, &o->sample);
    o->sample.revisions = a->revisions;
    o->samples = a->samples;
    o->count = a->count;
    o->judge = judging_options(&a->judging);
    o->behaviour = a->behaviour;
    o->out = a->out;
}

static int parse_names(arguments *a) {
    if (a->select != NULL && hone_pairs_select_parse(a->select, &a->options.select) != HONE_OK)
        return cli_usage("pairs", "%s", hone_message());
    if (a->label != NULL && hone_pairs_label_parse(a->label, &a->options.label) != HONE_OK)
        return cli_usage("pairs", "%s", hone_message());
    return machine_read(&a->machine, "pairs");
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
                 integer(s, "candidates"), integer(s, "unended"), a->drawing.max_tokens, integer(s, "empty"),
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
    const hone_eval_observer observer = {.context = a, .progress = show, .stop = interrupt_asked};
    char *text = NULL;

    if (a->model == NULL || a->data == NULL || a->out == NULL)
        return cli_usage("pairs", "--model, --data and --out are required");
    int code = parse_names(a);
    if (code != 0)
        return code;
    fill(a);
    interrupt_begin();
    progress_begin(&a->progress, HONE_SFT);
    const hone_status status = hone_pairs_make(&a->options, &observer, &text);
    progress_end(&a->progress);
    code = interrupt_code(status, status == HONE_OK ? print(a, text) : cli_fail(status));
    hone_text_free(text);
    return code;
}

static void clear(arguments *a) {
    char *const texts[] = {a->name,      a->model,  a->adapter, a->data, a->template_name,
                           a->behaviour, a->select, a->label,   a->out};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        free(texts[i]);
    judging_clear(&a->judging);
    machine_clear(&a->machine);
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
        JUDGING_OPTIONS(a.judging),
        DRAWING_OPTIONS(a.drawing, "of the draws (1)", "seed of answers, pairs and labels (0)",
                        "answers in lockstep (32)"),
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0,
         "template: built-in name, auto, or file (plain)", "T"},
        MACHINE_OPTIONS(a.machine),
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "summary.json as one line", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    clear(&a);
    return code;
}
