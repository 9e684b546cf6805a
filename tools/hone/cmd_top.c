/* hone top: where a run is, from what it writes. */
#include "cli.h"
#include "report.h"
#include "verbs.h"

#include <hone/train.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char summary[] =
    "hone top RUN: where a run is\n\n"
    "Progress, loss with its recent course, rate and time left, from RUN/metrics.jsonl. On a "
    "terminal the line is\nrenewed every second until the run ends; in a pipe it is one line.";
static const char example[] = "  hone top run";

enum { SPARKS = 40, RECENT = 50 };

typedef struct standing {
    long long step, steps; /* steps 0: not known */
    double loss, rate, left;
    size_t rows;
} standing;

static double number(const json_t *row, const char *key) {
    return json_number_value(json_object_get(row, key));
}

/* Steps are given, or follow from epochs: the last row says how many steps an epoch has. */
static long long steps_of(const char *folder, const json_t *last) {
    hone_train_options options;
    char path[4096];
    double steps = 0.0;
    if (hone_train_options_init(&options) != HONE_OK)
        return 0;
    (void)snprintf(path, sizeof path, "%s/config.yaml", folder);
    if (hone_train_options_load(&options, path) == HONE_OK) {
        const double per_epoch =
            number(last, "epoch") > 0.0 ? number(last, "step") / number(last, "epoch") : 0.0;
        steps = options.steps > 0 ? (double)options.steps : ceil(options.epochs * round(per_epoch));
    }
    hone_train_options_clear(&options);
    return steps >= 1.0 && steps < 9e15 ? (long long)steps : 0;
}

static standing stand(const report_run *run) {
    const size_t rows = json_array_size(run->metrics), recent = rows < RECENT ? rows : RECENT;
    const json_t *last = rows > 0 ? json_array_get(run->metrics, rows - 1) : NULL;
    standing s = {.rows = rows};
    double seconds = 0.0;
    if (!last)
        return s;
    s.step = (long long)json_integer_value(json_object_get(last, "step"));
    s.steps = steps_of(run->folder, last);
    s.loss = number(last, "loss");
    s.rate = number(last, "pairs_per_second");
    for (size_t i = rows - recent; i < rows; i++)
        seconds += number(json_array_get(run->metrics, i), "seconds");
    if (s.steps > s.step)
        s.left = seconds / (double)recent * (double)(s.steps - s.step);
    return s;
}

/* The last losses as eighths of a line's height. */
static void print_sparks(const json_t *metrics) {
    const size_t rows = json_array_size(metrics), from = rows > SPARKS ? rows - SPARKS : 0;
    double low = INFINITY, high = -INFINITY;
    for (size_t i = from; i < rows; i++) {
        low = fmin(low, number(json_array_get(metrics, i), "loss"));
        high = fmax(high, number(json_array_get(metrics, i), "loss"));
    }
    for (size_t i = from; i < rows; i++) {
        const double at = number(json_array_get(metrics, i), "loss");
        const int level = high > low ? (int)((at - low) / (high - low) * 7.0 + 0.5) : 3;
        (void)printf("\xe2\x96%c", 0x81 + level);
    }
}

static void print_line(const report_run *run, const standing *s) {
    const long left = lround(s->left);
    if (s->rows == 0) {
        (void)printf("%s: no step yet", run->folder);
        return;
    }
    (void)printf("step %lld", s->step);
    if (s->steps > 0)
        (void)printf("/%lld (%.0f %%)", s->steps, 100.0 * (double)s->step / (double)s->steps);
    (void)printf("  loss %.4f ", s->loss);
    print_sparks(run->metrics);
    (void)printf("  %.2f pairs/s", s->rate);
    if (s->steps > 0)
        (void)printf("  left %ld:%02ld:%02ld", left / 3600, left / 60 % 60, left % 60);
}

static int print_json(const standing *s) {
    return cli_print_json(json_pack("{s:I,s:I,s:f,s:f,s:f}", "step", (json_int_t)s->step, "steps",
                                    (json_int_t)s->steps, "loss", s->loss, "pairs_per_second", s->rate,
                                    "seconds_left", s->left));
}

/* One look; *done when the run has ended, or nobody watches. */
static int look(const char *folder, bool json, bool terminal, bool *done) {
    report_run run;
    int code = report_run_read(folder, &run);
    *done = true;
    if (code == 0 && !run.metrics)
        code = cli_error("%s: no metrics.jsonl in it: the folder of a training run is wanted", folder);
    if (code == 0) {
        const standing s = stand(&run);
        *done = !terminal || json || (s.steps > 0 && s.step >= s.steps);
        if (json)
            code = print_json(&s);
        else {
            (void)fputs(terminal ? "\r\033[K" : "", stdout);
            print_line(&run, &s);
            (void)fputs(*done ? "\n" : "", stdout);
            code = fflush(stdout) == 0 ? 0 : cli_error("the line could not be written");
        }
    }
    report_run_clear(&run);
    return code;
}

int hone_cmd_top(int argc, const char **argv) {
    char *folder = NULL;
    int json = 0;
    bool done = false;
    struct poptOption options[] = {
        {"json", '\0', POPT_ARG_NONE, &json, 0, "as JSON, once", NULL},
        POPT_TABLEEND,
    };
    const char *const names[] = {"RUN"};
    char **const places[] = {&folder};
    const bool terminal = cli_terminal(STDOUT_FILENO);
    int code = cli_parse_operands(argc, argv, options, summary, example, 1, names, places);
    if (code < 0)
        code = look(folder, json != 0, terminal, &done);
    while (code == 0 && folder && !done) {
        const struct timespec second = {.tv_sec = 1};
        (void)nanosleep(&second, NULL);
        code = look(folder, json != 0, terminal, &done);
    }
    free(folder);
    return code;
}
