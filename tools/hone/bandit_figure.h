/** The bandit's figure: one panel a method, the probability of each action over the steps. */
#ifndef HONE_BANDIT_FIGURE_H
#define HONE_BANDIT_FIGURE_H

#include <hone/bandit.h>

#define BANDIT_PANELS 3

/** `run[panel][0]` was trained from the uniform behaviour (drawn solid), `run[panel][1]` from `behaviour`
 *  (dashed). */
typedef struct bandit_figure {
    const char *title[BANDIT_PANELS];
    const hone_bandit_result *run[BANDIT_PANELS][2];
    const double *behaviour;
    double beta;
    long long pairs; /**< 0: the expected loss */
} bandit_figure;

/** Draws to a file that ends in .svg or .png, by gnuplot as a child process. Prints what failed; returns the
 * exit code. */
int bandit_figure_write(const bandit_figure *figure, const char *path);

#endif
