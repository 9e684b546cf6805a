/* The table of methods, and what is the same for all of them: lengths, references, checks. */
#include "loss/method.h"

#include "core/status.h"

#include <math.h>
#include <string.h>

#define WL (HN_BIT(HONE_W) | HN_BIT(HONE_L))
#define SIX ((UINT32_C(1) << HONE_CONDITIONAL_COUNT) - 1)

/* Defaults: beta of each paper's own code; RPO's lambda is 1 there, SimPO's gamma half of its beta. */
static const hn_loss_method methods[HONE_METHOD_COUNT] = {
    [HONE_SFT] = {"sft", hn_loss_sft, HN_BIT(HONE_W), false, HN_UNITS_SUM, {.method = HONE_SFT, .beta = 1.0}},
    [HONE_DPO] = {"dpo", hn_loss_dpo, WL, true, HN_UNITS_AS_ASKED, {.method = HONE_DPO, .beta = 0.1}},
    [HONE_IPO] = {"ipo", hn_loss_ipo, WL, true, HN_UNITS_IPO, {.method = HONE_IPO, .beta = 0.1}},
    [HONE_RPO] = {"rpo",
                  hn_loss_rpo,
                  WL,
                  true,
                  HN_UNITS_AS_ASKED,
                  {.method = HONE_RPO, .beta = 0.1, .rpo_lambda = 1.0}},
    [HONE_SIMPO] =
        {"simpo", hn_loss_simpo, WL, false, HN_UNITS_MEAN, {.method = HONE_SIMPO, .beta = 2.0, .gamma = 1.0}},
    [HONE_SRPO] = {"srpo",
                   hn_loss_srpo,
                   SIX,
                   true,
                   HN_UNITS_AS_ASKED,
                   {.method = HONE_SRPO, .beta = 0.1, .alpha = 0.5}},
};

static const char *const conditionals[HONE_CONDITIONAL_COUNT] = {"w", "l", "w|l", "l|l", "w|w", "l|w"};

const hn_loss_method *hn_loss_method_of(hone_method method) {
    return (int)method >= 0 && (int)method < HONE_METHOD_COUNT ? &methods[method] : NULL;
}

const char *hone_method_name(hone_method method) {
    const hn_loss_method *row = hn_loss_method_of(method);
    return row ? row->name : NULL;
}

const char *hone_conditional_name(hone_conditional conditional) {
    bool known = (int)conditional >= 0 && (int)conditional < HONE_CONDITIONAL_COUNT;
    return known ? conditionals[conditional] : NULL;
}

hone_status hone_method_parse(const char *name, hone_method *method) {
    for (int i = 0; i < HONE_METHOD_COUNT; i++)
        if (name && strcmp(name, methods[i].name) == 0) {
            *method = (hone_method)i;
            return HONE_OK;
        }
    return hn_fail(HONE_ERROR_ARGUMENT, "method \"%s\" does not exist: sft, dpo, ipo, rpo, simpo or srpo",
                   name ? name : "");
}

hone_loss_options hone_loss_defaults(hone_method method) {
    const hn_loss_method *row = hn_loss_method_of(method);
    return row ? row->defaults : (hone_loss_options){.method = method};
}

/* Written so that a NaN is out of range. */
static hone_status check(const char *field, double value, bool inside, const char *range) {
    if (inside && isfinite(value))
        return HONE_OK;
    return hn_fail(HONE_ERROR_ARGUMENT, "%s is %g: it must be %s", field, value, range);
}

hone_status hone_loss_check(const hone_loss_options *options) {
    hone_method method = options->method;
    double alpha = options->alpha, e = options->label_smoothing;
    if (!hn_loss_method_of(method))
        return hn_fail(HONE_ERROR_ARGUMENT, "method %d does not exist", (int)method);
    if (method != HONE_SFT)
        HN_TRY(check("beta", options->beta, options->beta > 0.0, "positive"));
    if (method == HONE_SRPO)
        HN_TRY(check("alpha", alpha, alpha >= 0.0 && alpha <= 1.0, "in [0, 1]"));
    if (method == HONE_SIMPO)
        HN_TRY(check("gamma", options->gamma, true, "a finite number"));
    if (method == HONE_RPO)
        HN_TRY(check("rpo-lambda", options->rpo_lambda, options->rpo_lambda >= 0.0, "at least 0"));
    if (method == HONE_DPO)
        HN_TRY(check("label-smoothing", e, e >= 0.0 && e < 0.5, "in [0, 0.5)"));
    return HONE_OK;
}

uint32_t hone_loss_conditionals(const hone_loss_options *options) {
    const hn_loss_method *row = hn_loss_method_of(options->method);
    uint32_t bits = row ? row->conditionals : 0;
    if (options->method == HONE_SRPO && options->alpha >= 1.0)
        bits &= ~WL;
    if (options->method == HONE_SRPO && options->alpha <= 0.0)
        bits &= ~(HN_BIT(HONE_L_GIVEN_L) | HN_BIT(HONE_W_GIVEN_W));
    return bits;
}

bool hone_loss_needs_reference(const hone_loss_options *options) {
    const hn_loss_method *row = hn_loss_method_of(options->method);
    return row && row->reference;
}

/* Whose completion it is that a conditional scores: 0 for w, 1 for l. */
static int scored(int conditional) {
    return conditional == HONE_L || conditional == HONE_L_GIVEN_L || conditional == HONE_L_GIVEN_W;
}

static bool by_mean(const hone_loss_options *options, hn_units units) {
    switch (units) {
    case HN_UNITS_MEAN:
        return true;
    case HN_UNITS_AS_ASKED:
        return options->length_normalize;
    case HN_UNITS_IPO:
        return !options->ipo_sums;
    case HN_UNITS_SUM:
        break;
    }
    return false;
}

static hone_status check_pair(const hone_pair_logps *pair, uint32_t read, bool reference) {
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        if (!(read & HN_BIT(c)))
            continue;
        if (!isfinite(pair->policy[c]) || (reference && !isfinite(pair->reference[c])))
            return hn_fail(HONE_ERROR_NUMERIC, "log-probability %s is not finite: policy %g, reference %g",
                           conditionals[c], pair->policy[c], reference ? pair->reference[c] : 0.0);
        if (pair->tokens[scored(c)] < 1)
            return hn_fail(HONE_ERROR_ARGUMENT, "completion %s has %lld tokens", scored(c) ? "l" : "w",
                           (long long)pair->tokens[scored(c)]);
    }
    if (!(pair->preference >= 0.0 && pair->preference <= 1.0))
        return hn_fail(HONE_ERROR_ARGUMENT, "preference is %g: it must be in [0, 1]", pair->preference);
    return HONE_OK;
}

hone_status hone_loss_evaluate(const hone_loss_options *options, const hone_pair_logps *pair,
                               hone_loss_value *value) {
    const hn_loss_method *row = hn_loss_method_of(options->method);
    const uint32_t read = hone_loss_conditionals(options);
    hn_ratios ratios = {.q = pair->preference};
    double unit[HONE_CONDITIONAL_COUNT] = {0.0};
    *value = (hone_loss_value){0};
    HN_TRY(hone_loss_check(options));
    HN_TRY(check_pair(pair, read, row->reference));
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        if (!(read & HN_BIT(c)))
            continue;
        double tokens = (double)pair->tokens[scored(c)];
        unit[c] = by_mean(options, row->units) ? 1.0 / tokens : 1.0;
        ratios.policy[c] = pair->policy[c] * unit[c];
        ratios.r[c] = row->reference ? (pair->policy[c] - pair->reference[c]) * unit[c] : 0.0;
        if (c == HONE_W || c == HONE_L) {
            ratios.nll[c] = -pair->policy[c] / tokens;
            ratios.mean_by_unit[c] = 1.0 / (tokens * unit[c]);
        }
    }
    row->evaluate(options, &ratios, value);
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        value->derivative[c] *= unit[c];
    if (!isfinite(value->loss))
        return hn_fail(HONE_ERROR_NUMERIC, "the %s loss is too large for a number", row->name);
    return HONE_OK;
}

bool hone_loss_at_reference(const hone_loss_options *options, const hone_pair_logps *pair, double *loss) {
    hone_pair_logps same = *pair;
    hone_loss_value value;
    if (!hone_loss_needs_reference(options))
        return false;
    memcpy(same.policy, pair->reference, sizeof same.policy);
    if (hone_loss_evaluate(options, &same, &value) != HONE_OK)
        return false;
    *loss = value.loss;
    return true;
}
