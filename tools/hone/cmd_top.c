/* hone top: where a run is, from what it writes. */
#include "cli.h"
#include "report.h"
#include "verbs.h"

#include <errno.h>
#include <hone/train.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char summary[] = "hone top RUN: where a run is\n\n"
                              "Progress, loss with its recent course, the loss of held-out rows, rate and "
                              "time left, from RUN/metrics.jsonl "
                              "and\nRUN/eval.jsonl. On a terminal the line is renewed every second until the "
                              "run ends; in a pipe it is one "
                              "line.";
static const char example[] = "  hone top run";

enum { SPARKS = 40, FEWEST = 12, RECENT = 50, TEXT = 256 };

typedef struct standing {
    long long step, steps; /* steps 0: not known */
    double loss, held_out, rate, left;
    size_t rows;
    bool evaluated, running; /* running: somebody holds the folder */
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

/* Who writes into a folder locks it, with the number of the process in .lock; one that was killed leaves the file. */
static bool is_held(const char *folder) {
    char path[4096];
    long process = 0;
    (void)snprintf(path, sizeof path, "%s/.lock", folder);
    FILE *lock = fopen(path, "r");
    if (!lock)
        return false;
    if (fgets(path, sizeof path, lock))
        process = strtol(path, NULL, 10);
    (void)fclose(lock);
    return process <= 0 || kill((pid_t)process, 0) == 0 || errno != ESRCH;
}

static standing stand(const report_run *run) {
    const size_t rows = json_array_size(run->metrics), recent = rows < RECENT ? rows : RECENT;
    const json_t *last = rows > 0 ? json_array_get(run->metrics, rows - 1) : NULL;
    standing s = {.rows = rows, .running = is_held(run->folder)};
    const size_t evaluations = json_array_size(run->held);
    double seconds = 0.0;
    if (!last)
        return s;
    s.evaluated = evaluations > 0;
    s.held_out = s.evaluated ? number(json_array_get(run->held, evaluations - 1), "eval_loss") : 0.0;
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

/* The last losses as eighths of a line's height, at most `most`. */
static void print_sparks(const json_t *metrics, size_t most) {
    const size_t rows = json_array_size(metrics), from = rows > most ? rows - most : 0;
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

static size_t put_progress(char *text, const standing *s) {
    if (s->steps > 0)
        (void)snprintf(text, TEXT, "step %lld/%lld (%.0f %%)  loss %.4f ", s->step, s->steps,
                       100.0 * (double)s->step / (double)s->steps, s->loss);
    else
        (void)snprintf(text, TEXT, "step %lld  loss %.4f ", s->step, s->loss);
    return strlen(text);
}

/* What follows the course of the loss. */
static size_t put_rest(char *text, const standing *s, bool rate) {
    const long left = lround(s->left);
    char held_out[48] = "", speed[48] = "", end[48] = "";
    if (rate)
        (void)snprintf(speed, sizeof speed, "  %.2f pairs/s", s->rate);
    if (s->evaluated)
        (void)snprintf(held_out, sizeof held_out, "  held out %.4f", s->held_out);
    if (s->steps > s->step && !s->running)
        (void)snprintf(end, sizeof end, "  stopped");
    else if (s->steps > 0)
        (void)snprintf(end, sizeof end, "  left %ld:%02ld:%02ld", left / 3600, left / 60 % 60, left % 60);
    (void)snprintf(text, TEXT, "%s%s%s", held_out, speed, end);
    return strlen(text);
}

/* A line of `columns`: one that is wrapped could not be renewed. 0: as long as it is. */
static void print_line(const report_run *run, const standing *s, int columns) {
    char before[TEXT], after[TEXT];
    if (s->rows == 0) {
        (void)printf("%s: no step yet", run->folder);
        return;
    }
    const size_t room = columns > 0 ? (size_t)columns - 1 : 2 * TEXT, begin = put_progress(before, s);
    size_t used = begin + put_rest(after, s, true);
    if (used + FEWEST > room)
        used = begin + put_rest(after, s, false);
    (void)printf("%.*s", (int)room, before);
    print_sparks(run->metrics, used >= room ? 0 : room - used < SPARKS ? room - used : SPARKS);
    (void)printf("%.*s", (int)(room > begin ? room - begin : 0), after);
}

static int print_json(const standing *s) {
    return cli_print_json(json_pack("{s:I,s:I,s:f,s:f,s:f,s:b,s:o}", "step", (json_int_t)s->step, "steps",
                                    (json_int_t)s->steps, "loss", s->loss, "pairs_per_second", s->rate,
                                    "seconds_left", s->left, "running", (int)s->running, "eval_loss",
                                    s->evaluated ? json_real(s->held_out) : json_null()));
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
        *done = !terminal || json || (s.steps > 0 && s.step >= s.steps) || !s.running;
        if (json)
            code = print_json(&s);
        else {
            (void)fputs(terminal ? "\r\033[K" : "", stdout);
            print_line(&run, &s, terminal ? cli_columns(STDOUT_FILENO) : 0);
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
