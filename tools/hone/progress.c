#include "progress.h"

#include "cli.h"

#include <stdio.h>
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

/** "1:05:09" or "5:09". */
static void print_time(double seconds) {
    const long s = (long)(seconds + 0.5);
    if (s >= 3600)
        (void)fprintf(stderr, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        (void)fprintf(stderr, "%ld:%02ld", s / 60, s % 60);
}

void progress_step(progress *p, const hone_train_metrics *m) {
    const bool last = m->step == m->steps;
    if (!due(p, last))
        return;
    start(p);
    (void)fprintf(stderr, "step %lld/%lld  loss %.4f", (long long)m->step, (long long)m->steps, m->loss);
    if (p->method != HONE_SFT)
        (void)fprintf(stderr, "  margin %+.4f  accuracy %.2f", m->reward_margin, m->reward_accuracy);
    (void)fprintf(stderr, "  %.2f pairs/s  %.0f tokens/s  left ", m->pairs_per_second, m->tokens_per_second);
    print_time(m->seconds_left);
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
    if (!due(p, done == total))
        return;
    start(p);
    (void)fprintf(stderr, "%s %lld/%lld", what, (long long)done, (long long)total);
    finish(p, done == total);
}

void progress_end(progress *p) {
    if (p->open)
        (void)fputc('\n', stderr);
    p->open = false;
}
