#include "eval/behaviour.h"

#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[HN_FEATURES] = {"length", "score", "logp", "revision"};

static hone_status parse_part(const char *text, size_t length, hn_behaviour *behaviour) {
    const char *colon = memchr(text, ':', length);
    char *end = NULL;

    for (int f = 0; colon != NULL && f < HN_FEATURES; f++) {
        if (strlen(names[f]) != (size_t)(colon - text) || strncmp(names[f], text, strlen(names[f])) != 0)
            continue;
        behaviour->strength[f] = strtod(colon + 1, &end);
        if (end != text + length || end == colon + 1 || !isfinite(behaviour->strength[f]))
            break;
        return HONE_OK;
    }
    return hn_fail(HONE_ERROR_ARGUMENT,
                   "behaviour \"%.*s\": must be FEATURE:STRENGTH, the feature one of length, score, logp, "
                   "revision, the strength a number, as in score:-1",
                   (int)(length < 80 ? length : 80), text);
}

hone_status hn_behaviour_parse(const char *text, hn_behaviour *behaviour) {
    *behaviour = (hn_behaviour){{0}};
    for (const char *at = text; at != NULL;) {
        const size_t length = strcspn(at, ",");
        HN_TRY(parse_part(at, length, behaviour));
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return HONE_OK;
}

static double feature_of(const hn_candidate *c, int f) {
    const double value[HN_FEATURES] = {
        [HN_LENGTH] = (double)c->tokens,
        [HN_SCORE] = c->score,
        [HN_LOGP] = c->logp,
        [HN_REVISION] = (double)c->revision,
    };
    return value[f];
}

static void add_feature(double strength, int f, const hn_candidate *candidate, int64_t count, double *logit) {
    double mean = 0.0, variance = 0.0;

    for (int64_t i = 0; i < count; i++)
        mean += feature_of(&candidate[i], f) / (double)count;
    for (int64_t i = 0; i < count; i++) {
        const double d = feature_of(&candidate[i], f) - mean;
        variance += d * d / (double)count;
    }
    /* Rounding alone may leave something of equal features. */
    if (!(variance > 1e-18 * mean * mean) || variance == 0.0)
        return;
    for (int64_t i = 0; i < count; i++)
        logit[i] += strength * (feature_of(&candidate[i], f) - mean) / sqrt(variance);
}

void hn_behaviour_logits(const hn_behaviour *behaviour, const hn_candidate *candidate, int64_t count,
                         double *logit) {
    memset(logit, 0, (size_t)count * sizeof *logit);
    for (int f = 0; f < HN_FEATURES; f++)
        if (behaviour->strength[f] != 0.0)
            add_feature(behaviour->strength[f], f, candidate, count, logit);
}

static int by_key(const void *a, const void *b) {
    const hn_pair *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->a != y->a ? (x->a < y->a ? -1 : 1) : (x->b > y->b) - (x->b < y->b);
}

int64_t hn_behaviour_draw(const double *logit, int64_t count, uint64_t seed, int64_t row, int64_t want,
                          hn_pair *pair) {
    int64_t pairs = 0;

    for (int64_t a = 0; a < count; a++)
        for (int64_t b = a + 1; b < count; b++, pairs++) {
            const double u =
                hn_random_uniform(seed, HN_PURPOSE_PAIRS, 0, (uint64_t)row << 32 | (uint64_t)pairs);
            pair[pairs] = (hn_pair){a, b, logit[a] + logit[b] - log(-log(u + 0x1p-54))};
        }
    qsort(pair, (size_t)pairs, sizeof *pair, by_key);
    return pairs < want ? pairs : want;
}
