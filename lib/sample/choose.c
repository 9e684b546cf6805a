#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <sample/choose.h>
#include <stdlib.h>
#include <string.h>

typedef struct hn_candidate {
    double weight; /**< exp((z - max) / temperature) */
    int32_t token;
} candidate;

/** Below this (z - max) / temperature a token's share is under 1e-17: it can't be drawn with 53 bits. */
static const double negligible = -40.0;

void hn_choice_clear(hn_choice *choice) {
    hn_free(choice->item);
    memset(choice, 0, sizeof *choice);
}

/** Index of the largest, and log sum exp of all. */
static hone_status scan(const float *logit, int64_t count, int64_t *best, double *lse) {
    double sum = 0.0;

    *best = 0;
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(logit[i]))
            return hn_fail(HONE_ERROR_NUMERIC,
                           "the logit of token %lld is not finite: the model's weights are damaged",
                           (long long)i);
        *best = logit[i] > logit[*best] ? i : *best;
    }
    for (int64_t i = 0; i < count; i++)
        sum += exp((double)logit[i] - (double)logit[*best]);
    *lse = (double)logit[*best] + log(sum);
    return HONE_OK;
}

static int by_weight(const void *a, const void *b) {
    const candidate *x = a, *y = b;
    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

/** What a set of candidates must hold for a choice among them to be the choice among all. */
typedef struct demand {
    size_t count; /**< top_k */
    double share; /**< top_p of `total` */
    double total;
} demand;

/** Candidates with (z - largest) / temperature over `least`, in order of ids; true when they meet the demand. */
static bool gather(hn_choice *choice, const float *logit, int64_t count, double largest, double temperature,
                   double least, const demand *wanted, size_t *kept) {
    double sum = 0.0;

    *kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const double scaled = ((double)logit[i] - largest) / temperature;
        if (scaled <= least)
            continue;
        choice->item[*kept] = (candidate){exp(scaled), (int32_t)i};
        sum += choice->item[(*kept)++].weight;
    }
    /* top_p is a share of the top_k's weight, which is known only once all of them are gathered. */
    return wanted->count > 0 ? *kept >= wanted->count : sum >= wanted->share * wanted->total;
}

/** The candidates that a choice needs, likeliest first. Few are sorted: the bar is lowered until enough are over it. */
static hone_status collect(hn_choice *choice, const float *logit, int64_t count, double largest,
                           const hone_sample_options *options, size_t *kept, double *total) {
    const double temperature = options->temperature;
    demand wanted = {.count = (size_t)options->top_k, .share = options->top_p};

    HN_TRY(hn_reserve(&choice->item, &choice->capacity, (size_t)count, sizeof *choice->item, "candidates"));
    for (int64_t i = 0; i < count; i++)
        wanted.total += exp(((double)logit[i] - largest) / temperature);
    static const double bars[] = {-4.0, -6.0, -9.0, -14.0, -20.0, -30.0};
    bool enough = false;
    for (size_t i = 0; i < sizeof bars / sizeof bars[0] && !enough; i++)
        enough = gather(choice, logit, count, largest, temperature, bars[i], &wanted, kept);
    if (!enough)
        (void)gather(choice, logit, count, largest, temperature, negligible, &wanted, kept);
    *total = wanted.total;
    qsort(choice->item, *kept, sizeof *choice->item, by_weight);
    return HONE_OK;
}

/** How many of the first `count` are needed for top_p of their weight. */
static size_t nucleus(const candidate *item, size_t count, double wanted) {
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += item[i].weight;
        if (sum >= wanted)
            return i + 1;
    }
    return count;
}

static double weight_of(const candidate *item, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += item[i].weight;
    return total;
}

static int32_t draw(const candidate *item, size_t count, double uniform) {
    const double wanted = uniform * weight_of(item, count);
    double sum = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += item[i].weight;
        if (wanted < sum)
            return item[i].token;
    }
    return item[count - 1].token;
}

/** Without cuts nothing needs sorting: every token in order of ids. */
static int32_t draw_any(const float *logit, int64_t count, double largest, double temperature,
                        double uniform) {
    double total = 0.0, sum = 0.0;
    int64_t last = 0;

    for (int64_t i = 0; i < count; i++)
        total += exp(((double)logit[i] - largest) / temperature);
    for (int64_t i = 0; i < count; i++) {
        const double weight = exp(((double)logit[i] - largest) / temperature);
        sum += weight;
        last = weight > 0.0 ? i : last;
        if (uniform * total < sum)
            return (int32_t)i;
    }
    return (int32_t)last;
}

static hone_status draw_among(hn_choice *choice, const float *logit, int64_t count, double largest,
                              const hone_sample_options *options, double uniform, int32_t *token) {
    size_t kept = 0;
    double total = 0.0;

    HN_TRY(collect(choice, logit, count, largest, options, &kept, &total));
    if (options->top_k > 0) {
        kept = (size_t)options->top_k < kept ? (size_t)options->top_k : kept;
        total = weight_of(choice->item, kept);
    }
    if (options->top_p < 1.0)
        kept = nucleus(choice->item, kept, options->top_p * total);
    *token = draw(choice->item, kept, uniform);
    return HONE_OK;
}

hone_status hn_choose(hn_choice *choice, const float *logit, int64_t count,
                      const hone_sample_options *options, double uniform, int32_t *token, double *logp) {
    int64_t best = 0;
    double lse = 0.0;

    HN_TRY(scan(logit, count, &best, &lse));
    const double largest = (double)logit[best];
    *token = (int32_t)best;
    if (options->temperature > 0.0 && options->top_k == 0 && options->top_p >= 1.0)
        *token = draw_any(logit, count, largest, options->temperature, uniform);
    else if (options->temperature > 0.0)
        HN_TRY(draw_among(choice, logit, count, largest, options, uniform, token));
    *logp = (double)logit[*token] - lse;
    return HONE_OK;
}
