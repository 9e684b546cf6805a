#include "eval/held_out.h"

#include <core/status.h>
#include <math.h>

/** r(a|b) in the method's units; `side` is a's: 0 for w, 1 for l. */
static double ratio(const hone_loss_options *loss, const hone_pair_logps *pair, hone_conditional c,
                    int side) {
    const double r = pair->policy[c] - pair->reference[c];
    const bool means = loss->method == HONE_IPO ? !loss->ipo_sums : loss->length_normalize;
    return means ? r / (double)pair->tokens[side] : r;
}

/** 1 when both are on the same side of 1/2, 1/2 when the prediction is on neither. */
static double agree(double predicted, double label) {
    if (predicted == 0.5)
        return 0.5;
    return (predicted > 0.5) == (label > 0.5) ? 1.0 : 0.0;
}

static void add_prediction(hone_held_out *sum, double predicted, double label) {
    const double p = fmin(1.0, fmax(0.0, predicted));
    const int k = p < 1.0 ? (int)(p * HONE_CALIBRATION_BINS) : HONE_CALIBRATION_BINS - 1;

    sum->brier += (p - label) * (p - label);
    sum->bin[k].count++;
    sum->bin[k].predicted += p;
    sum->bin[k].observed += label;
}

static void add_preferences(hn_held_out_sums *sums, const hone_loss_options *loss,
                            const hone_pair_logps *pair, double margin) {
    const double q = pair->preference;
    const double forward =
        0.5 + loss->beta * (ratio(loss, pair, HONE_W_GIVEN_L, 0) - ratio(loss, pair, HONE_L_GIVEN_L, 1));
    const double back =
        0.5 + loss->beta * (ratio(loss, pair, HONE_L_GIVEN_W, 1) - ratio(loss, pair, HONE_W_GIVEN_W, 0));

    sums->sum.margin += margin;
    add_prediction(&sums->sum, forward, q);
    add_prediction(&sums->sum, back, 1.0 - q);
    if (q != 0.5) {
        sums->decided++;
        sums->sum.accuracy += agree(margin > 0.0 ? 1.0 : margin < 0.0 ? 0.0 : 0.5, q);
        sums->sum.preference_accuracy += agree((forward + 1.0 - back) / 2.0, q);
    }
}

hone_status hn_held_out_add(hn_held_out_sums *sums, const hone_loss_options *loss,
                            const hone_pair_logps *pair) {
    hone_loss_value value;

    HN_TRY(hone_loss_evaluate(loss, pair, &value));
    sums->sum.rows++;
    sums->tokens += pair->tokens[0];
    sums->sum.loss += value.loss;
    if (loss->method != HONE_SFT)
        add_preferences(sums, loss, pair, value.reward_chosen - value.reward_rejected);
    return HONE_OK;
}

static double mean(double sum, int64_t count) { return count > 0 ? sum / (double)count : NAN; }

void hn_held_out_end(const hn_held_out_sums *sums, const hone_loss_options *loss, hone_held_out *out) {
    const bool sft = loss->method == HONE_SFT;

    *out = sums->sum;
    out->loss = mean(out->loss, sft ? sums->tokens : out->rows);
    out->margin = mean(out->margin, sft ? 0 : out->rows);
    out->accuracy = mean(out->accuracy, sums->decided);
    out->preference_accuracy = mean(out->preference_accuracy, sums->decided);
    out->brier = mean(out->brier, sft ? 0 : 2 * out->rows);
    for (int k = 0; k < HONE_CALIBRATION_BINS; k++) {
        out->bin[k].predicted = mean(out->bin[k].predicted, out->bin[k].count);
        out->bin[k].observed = mean(out->bin[k].observed, out->bin[k].count);
    }
}

typedef struct measuring {
    hn_held_out_sums sums;
    const hone_loss_options *loss;
    int64_t limit;
    hone_status status;
    bool enough; /**< the last row was the last one wanted */
} measuring;

static int take(void *context, const hone_score *score) {
    measuring *m = context;
    m->status = hn_held_out_add(&m->sums, m->loss, &score->pair);
    if (m->status != HONE_OK)
        m->status = hn_fail_in(m->status, "row %lld", (long long)score->row + 1);
    m->enough = m->limit > 0 && m->sums.sum.rows == m->limit;
    return m->status != HONE_OK || m->enough;
}

hone_status hone_held_out_measure(const hone_score_source *source, int64_t limit, hone_held_out *out) {
    hone_loss_options six = hone_loss_defaults(HONE_SRPO);
    hone_score_source all = *source;
    measuring m = {.loss = source->loss, .limit = limit};

    *out = (hone_held_out){0};
    HN_TRY(hone_loss_check(source->loss));
    if (limit < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--limit is %lld, must be at least 0", (long long)limit);
    if (source->loss->method != HONE_SFT)
        all.loss = &six;
    const hone_status status = hone_score_rows(&all, take, &m);
    HN_TRY(m.status);
    if (status != HONE_OK && !m.enough)
        return status;
    hn_held_out_end(&m.sums, source->loss, out);
    return HONE_OK;
}
