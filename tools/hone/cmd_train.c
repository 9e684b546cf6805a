/* hone train: preference data in, a model or an adapter out. */
#include "cli.h"
#include "interrupt.h"
#include "plan.h"
#include "progress.h"
#include "verbs.h"

#include <hone/tokenizer.h>
#include <hone/train.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char summary[] =
    "hone train: train a model from preference data\n"
    "\n"
    "Rows are JSONL: prompt, chosen, rejected (and preference in [0,1]); for sft, prompt and completion.\n"
    "RUN/metrics.jsonl has a line a step, RUN/checkpoints the state to resume from, RUN/final the result: a "
    "LoRA\n"
    "adapter (PEFT folder), or with --full a model folder. Ctrl-C finishes the step, saves, and says how to "
    "go on.";

static const char example[] =
    "  hone train --model smollm2 --data pairs.jsonl --method srpo --out run --steps 100 --save-every 20\n"
    "  hone train --out run --resume";

/** popt values of the option table start here. */
enum { TABLE = 1000, CONFIG = 1 };

typedef struct arguments {
    size_t count;
    const char **given; /* per option: its text, "" for a flag, NULL when absent */
    char *config;
    int quiet, json, plan;
    progress progress;
} arguments;

static int take(void *context, int value, const char *argument) {
    arguments *a = context;
    char *copy = strdup(argument != NULL ? argument : "");
    if (copy == NULL)
        return cli_error("out of memory");
    if (value == CONFIG) {
        free(a->config);
        a->config = copy;
        return -1;
    }
    free((char *)a->given[value - TABLE]);
    a->given[value - TABLE] = copy;
    return -1;
}

static struct poptOption *make_table(arguments *a) {
    struct poptOption *table = calloc(a->count + 5, sizeof *table);
    size_t n = 0;
    if (table == NULL)
        return NULL;
    for (size_t i = 0; i < a->count; i++) {
        const hone_option_info *info = hone_train_option_info(i);
        table[n++] =
            (struct poptOption){.longName = info->name,
                                .argInfo = info->kind == HONE_OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING,
                                .val = TABLE + (int)i,
                                .descrip = info->help,
                                .argDescrip = info->metavar};
    }
    table[n++] = (struct poptOption){.longName = "config",
                                     .argInfo = POPT_ARG_STRING,
                                     .val = CONFIG,
                                     .descrip = "options from a YAML file; flags win",
                                     .argDescrip = "FILE"};
    table[n++] = (struct poptOption){.longName = "quiet",
                                     .argInfo = POPT_ARG_NONE,
                                     .arg = &a->quiet,
                                     .descrip = "no progress, no summary"};
    table[n++] = (struct poptOption){.longName = "plan",
                                     .argInfo = POPT_ARG_NONE,
                                     .arg = &a->plan,
                                     .descrip = "say what memory the run will take, and train nothing"};
    table[n] = (struct poptOption){
        .longName = "json", .argInfo = POPT_ARG_NONE, .arg = &a->json, .descrip = "the summary as JSON"};
    return table;
}

static const char *given(const arguments *a, const char *name) {
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(hone_train_option_info(i)->name, name) == 0)
            return a->given[i];
    return NULL;
}

/** Configuration first, flags over it. A run that is resumed brings its own configuration. */
static hone_status fill(const arguments *a, hone_train_options *options) {
    char path[4096];
    const char *out = given(a, "out");
    hone_status status = HONE_OK;

    if (given(a, "resume") != NULL && out != NULL && a->config == NULL) {
        (void)snprintf(path, sizeof path, "%s/config.yaml", out);
        if (access(path, R_OK) == 0)
            status = hone_train_options_load(options, path);
    }
    if (status == HONE_OK && a->config != NULL)
        status = hone_train_options_load(options, a->config);
    for (size_t i = 0; status == HONE_OK && i < a->count; i++) {
        const hone_option_info *info = hone_train_option_info(i);
        if (a->given[i] != NULL)
            status = hone_train_options_set(options, info->name,
                                            info->kind == HONE_OPTION_FLAG ? NULL : a->given[i]);
    }
    return status == HONE_OK ? hone_train_options_check(options) : status;
}

/** Options that do not fit each other or their ranges may stand in either place. */
static int refuse(const arguments *a, hone_status status) {
    const char *message = hone_message();
    if (a->config == NULL || strncmp(message, a->config, strlen(a->config)) == 0)
        (void)cli_fail(status);
    else
        (void)cli_error("%s and the command line: %s", a->config, message);
    return status == HONE_ERROR_ARGUMENT ? 2 : 1;
}

/** A run that is resumed brings its configuration, unless the command line has it all. */
static bool nothing_to_resume(const arguments *a) {
    char path[4096];
    const char *out = given(a, "out");

    if (given(a, "resume") == NULL || out == NULL || a->config != NULL || given(a, "model") != NULL)
        return false;
    (void)snprintf(path, sizeof path, "%s/config.yaml", out);
    return access(path, F_OK) != 0;
}

static void stepped(void *context, const hone_train_metrics *metrics) {
    arguments *a = context;
    if (!a->quiet)
        progress_step(&a->progress, metrics);
}

static void prepared(void *context, const char *what, int64_t done, int64_t total) {
    arguments *a = context;
    if (!a->quiet)
        progress_prepared(&a->progress, what, done, total);
}

static void evaluated(void *context, const hone_train_evaluation *evaluation) {
    arguments *a = context;
    if (!a->quiet)
        progress_evaluated(&a->progress, evaluation);
}

static int print_json(const hone_train_summary *s) {
    json_t *object =
        json_pack("{s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:I,s:I,s:I,s:I,s:s,s:s}", "steps", (json_int_t)s->steps,
                  "planned_steps", (json_int_t)s->planned, "pairs", (json_int_t)s->pairs, "seconds",
                  s->seconds, "loss", s->loss, "tree_ratio", s->tree_ratio, "pairs_per_second",
                  s->pairs_per_second, "parameters", (json_int_t)s->parameters, "trainable",
                  (json_int_t)s->trainable, "peak_bytes", (json_int_t)s->peak_bytes, "recomputed_layers",
                  (json_int_t)s->recomputed, "final", s->final_folder, "checkpoint", s->checkpoint);
    if (object != NULL && s->best_step > 0)
        (void)json_object_update_new(
            object, json_pack("{s:I,s:f}", "best_step", (json_int_t)s->best_step, "best_loss", s->best_loss));
    return cli_print_json(object);
}

/** What the held-out rows said, in the end. */
static void print_best(const hone_train_options *options, const hone_train_summary *s) {
    if (s->steps < s->planned)
        (void)fprintf(stderr,
                      "ended at step %lld of %lld: no lower held-out loss in %lld evaluations (--patience)\n",
                      (long long)s->steps, (long long)s->planned, (long long)options->patience);
    if (s->best_step > 0)
        (void)fprintf(stderr, "lowest held-out loss %.4f at step %lld: %s/best\n", s->best_loss,
                      (long long)s->best_step, options->out);
}

static int print_summary(const arguments *a, const hone_train_options *options, const hone_train_summary *s) {
    if (a->json)
        return print_json(s);
    if (a->quiet)
        return 0;
    print_best(options, s);
    (void)fprintf(stderr,
                  "trained %lld of %lld weights, %lld steps in %.1f s; %.2f pairs/s, tree ratio %.2f, peak "
                  "memory %.2f GB\n",
                  (long long)s->trainable, (long long)s->parameters, (long long)s->steps, s->seconds,
                  s->pairs_per_second, s->tree_ratio, (double)s->peak_bytes / 1e9);
    return printf("%s\n", s->final_folder) > 0 && fflush(stdout) == 0 ? 0 : 1;
}

static int run_plan(const arguments *a, const hone_train_options *options) {
    hone_train_memory memory;
    const hone_status status = hone_train_plan(options, &memory);
    if (status != HONE_OK && memory.lines == 0)
        return cli_fail(status);
    const int code = a->json ? plan_print_json(&memory) : plan_print(&memory);
    return status != HONE_OK ? cli_fail(status) : code; /* the table says why it does not fit */
}

static int run(arguments *a) {
    hone_train_options options;
    hone_train_summary result;
    const hone_train_observer observer = {.context = a,
                                          .stepped = stepped,
                                          .prepared = prepared,
                                          .stop = interrupt_asked,
                                          .evaluated = evaluated};
    hone_status status = hone_train_options_init(&options);
    int code = 1;

    if (status == HONE_OK && nothing_to_resume(a)) {
        code = cli_error(
            "%s: there is no run to go on with (config.yaml is missing); leave out --resume to begin one",
            given(a, "out"));
        goto done;
    }
    if (status == HONE_OK)
        status = fill(a, &options);
    if (status != HONE_OK) {
        code = refuse(a, status);
        goto done;
    }
    if (a->plan) {
        code = run_plan(a, &options);
        goto done;
    }
    interrupt_begin();
    progress_begin(&a->progress, options.loss.method);
    status = hone_train(&options, &observer, &result);
    progress_end(&a->progress);
    code = interrupt_code(status, status == HONE_OK ? print_summary(a, &options, &result) : cli_fail(status));
done:
    hone_train_options_clear(&options);
    return code;
}

int hone_cmd_train(int argc, const char **argv) {
    arguments a = {0};
    struct poptOption *table = NULL;
    int code = 1;

    while (hone_train_option_info(a.count) != NULL)
        a.count++;
    a.given = calloc(a.count, sizeof *a.given);
    table = make_table(&a);
    if (a.given == NULL || table == NULL) {
        code = cli_error("out of memory");
        goto done;
    }
    code = cli_parse(argc, argv, table, summary, example, take, &a);
    if (code < 0)
        code = run(&a);
done:
    for (size_t i = 0; a.given != NULL && i < a.count; i++)
        free((char *)a.given[i]);
    free(a.given);
    free(a.config);
    free(table);
    return code;
}
