/** What a loss method is: one row of the table in method.c, one file with its function. */
#ifndef HN_LOSS_METHOD_H
#define HN_LOSS_METHOD_H

#include <hone/loss.h>

/** A method sees ratios and sets derivatives by ratio; lengths and references are taken care of around it. */
typedef struct hn_ratios {
    double r[HONE_CONDITIONAL_COUNT];      /**< policy - reference (0 without one), sums or means */
    double policy[HONE_CONDITIONAL_COUNT]; /**< log pi in the same units */
    double nll[2];          /**< -log pi(w), -log pi(l): means, whatever the units of the others */
    double mean_by_unit[2]; /**< d mean / d value in the units of r: 1, or 1 / tokens */
    double q;               /**< p(w > l) */
} hn_ratios;

/** Fills loss, derivative (d loss / d r) and, where it has them, rewards, improvement and generation. */
typedef void hn_loss_function(const hone_loss_options *options, const hn_ratios *pair,
                              hone_loss_value *value);

/** Sums or means: what a method's authors use, and what the options may ask for. */
typedef enum hn_units { HN_UNITS_SUM, HN_UNITS_MEAN, HN_UNITS_AS_ASKED, HN_UNITS_IPO } hn_units;

typedef struct hn_loss_method {
    const char *name;
    hn_loss_function *evaluate;
    uint32_t conditionals; /**< for SRPO with 0 < alpha < 1 */
    bool reference;
    hn_units units;
    hone_loss_options defaults;
} hn_loss_method;

hn_loss_function hn_loss_sft, hn_loss_dpo, hn_loss_ipo, hn_loss_rpo, hn_loss_simpo, hn_loss_srpo;

/** NULL outside the enumeration. */
const hn_loss_method *hn_loss_method_of(hone_method method);

/** -log sigmoid(x) and its derivative -sigmoid(-x), finite for every finite x. */
double hn_nlog_sigmoid(double x);
double hn_nlog_sigmoid_slope(double x);
/** q f(x - shift) + (1-q) f(-x - shift) with f = -log sigmoid, and its derivative by x. */
double hn_soft_logistic(double x, double shift, double q, double *slope);

#define HN_BIT(conditional) (UINT32_C(1) << (conditional))

#endif
