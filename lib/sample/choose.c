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

/** The candidates worth considering, likeliest first. */
static hone_status collect(hn_choice *choice, const float *logit, int64_t count, double largest,
                           double temperature, size_t *kept) {
    HN_TRY(hn_reserve(&choice->item, &choice->capacity, (size_t)count, sizeof *choice->item, "candidates"));
    *kept = 0;
    for (int64_t i = 0; i < count; i++) {
        const double scaled = ((double)logit[i] - largest) / temperature;
        if (scaled > negligible)
            choice->item[(*kept)++] = (candidate){exp(scaled), (int32_t)i};
    }
    qsort(choice->item, *kept, sizeof *choice->item, by_weight);
    return HONE_OK;
}

/** How many of the first `count` are needed for top_p of their weight. */
static size_t nucleus(const candidate *item, size_t count, double top_p) {
    double total = 0.0, sum = 0.0;
    for (size_t i = 0; i < count; i++)
        total += item[i].weight;
    for (size_t i = 0; i < count; i++) {
        sum += item[i].weight;
        if (sum >= top_p * total)
            return i + 1;
    }
    return count;
}

static int32_t draw(const candidate *item, size_t count, double uniform) {
    double total = 0.0, sum = 0.0;
    for (size_t i = 0; i < count; i++)
        total += item[i].weight;
    for (size_t i = 0; i < count; i++) {
        sum += item[i].weight;
        if (uniform * total < sum)
            return item[i].token;
    }
    return item[count - 1].token;
}

hone_status hn_choose(hn_choice *choice, const float *logit, int64_t count,
                      const hone_sample_options *options, double uniform, int32_t *token, double *logp) {
    int64_t best = 0;
    double lse = 0.0;
    size_t kept = 0;

    HN_TRY(scan(logit, count, &best, &lse));
    *token = (int32_t)best;
    if (options->temperature > 0.0) {
        HN_TRY(collect(choice, logit, count, (double)logit[best], options->temperature, &kept));
        if (options->top_k > 0 && (size_t)options->top_k < kept)
            kept = (size_t)options->top_k;
        if (options->top_p < 1.0)
            kept = nucleus(choice->item, kept, options->top_p);
        *token = draw(choice->item, kept, uniform);
    }
    *logp = (double)logit[*token] - lse;
    return HONE_OK;
}
