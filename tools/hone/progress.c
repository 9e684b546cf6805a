#include "progress.h"

#include "cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/** Seconds between plain lines. */
static const double interval = 5.0;

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(progress *p, hone_method method) {
    p->terminal = cli_terminal(STDERR_FILENO);
    p->open = false;
    p->method = method;
    p->last = -interval;
}

/** Whether this line is to be shown: always on a terminal, else the first, the last and one now and then. */
static bool due(progress *p, bool last) {
    const double t = now();
    if (!p->terminal && !last && t - p->last < interval)
        return false;
    p->last = t;
    return true;
}

static void start(progress *p) {
    if (p->terminal)
        (void)fputs("\r\033[K", stderr);
}

static void finish(progress *p, bool last) {
    p->open = p->terminal && !last;
    if (!p->open)
        (void)fputc('\n', stderr);
    (void)fflush(stderr);
}

enum { LINE = 256 };

/** "1:05:09" or "5:09". */
static void time_text(char *text, size_t room, double seconds) {
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        (void)snprintf(text, room, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        (void)snprintf(text, room, "%ld:%02ld", s / 60, s % 60);
}

/** All that is known of a step (`less` 0), or without what can be missed most easily. Returns its length. */
static int step_text(char *text, const progress *p, const hone_train_metrics *m, int less) {
    const bool pairs = p->method != HONE_SFT;
    char margin[48] = "", accuracy[32] = "", tokens[40] = "", left[24];

    if (pairs && less < 3)
        (void)snprintf(margin, sizeof margin, "  margin %+.4f", m->reward_margin);
    if (pairs && less < 2)
        (void)snprintf(accuracy, sizeof accuracy, "  accuracy %.2f", m->reward_accuracy);
    if (less < 1)
        (void)snprintf(tokens, sizeof tokens, "  %.0f tokens/s", m->tokens_per_second);
    time_text(left, sizeof left, m->seconds_left);
    return snprintf(text, LINE, "step %lld/%lld  loss %.4f%s%s  %.2f pairs/s%s  left %s", (long long)m->step,
                    (long long)m->steps, m->loss, margin, accuracy, m->pairs_per_second, tokens, left);
}

/** A line that would be wrapped could not be rewritten: it is made to fit. */
static void put(const progress *p, char *text) {
    const int columns = cli_columns(STDERR_FILENO);
    if (p->terminal && strlen(text) >= (size_t)columns)
        text[columns - 1] = '\0';
    (void)fputs(text, stderr);
}

void progress_step(progress *p, const hone_train_metrics *m) {
    const bool last = m->step == m->steps;
    char text[LINE];
    if (!due(p, last))
        return;
    int less = 0;
    while (step_text(text, p, m, less) >= cli_columns(STDERR_FILENO) && p->terminal && less < 3)
        less++;
    start(p);
    put(p, text);
    finish(p, last);
}

/** A line of its own, always. */
void progress_evaluated(progress *p, const hone_train_evaluation *e) {
    start(p);
    (void)fprintf(stderr, "held out at step %lld: loss %.4f", (long long)e->step, e->loss);
    if (p->method != HONE_SFT)
        (void)fprintf(stderr, "  margin %+.4f  accuracy %.2f", e->margin, e->accuracy);
    if (e->best)
        (void)fputs("  the best so far", stderr);
    else
        (void)fprintf(stderr, "  (best %.4f at step %lld)", e->best_loss, (long long)e->best_step);
    finish(p, true);
}

void progress_prepared(progress *p, const char *what, int64_t done, int64_t total) {
    char text[LINE];
    if (!due(p, done == total))
        return;
    start(p);
    (void)snprintf(text, sizeof text, "%s %lld/%lld", what, (long long)done, (long long)total);
    put(p, text);
    finish(p, done == total);
}

void progress_end(progress *p) {
    if (p->open)
        (void)fputc('\n', stderr);
    p->open = false;
}
