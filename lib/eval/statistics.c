#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <hone/eval.h>
#include <math.h>
#include <stdlib.h>

enum { PAIRED_RESAMPLES = 2000 };

hone_bootstrap hone_bootstrap_defaults(void) { return (hone_bootstrap){.resamples = 20, .size = 512}; }

static int ascending(const void *left, const void *right) {
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/** Percentile of a sorted list, between neighbours linearly: position share * (count - 1). */
static double percentile(const double *sorted, int64_t count, double share) {
    const double position = share * (double)(count - 1);
    const int64_t below = (int64_t)position;
    const int64_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (position - (double)below) * (sorted[above] - sorted[below]);
}

static double mean_of(const double *value, int64_t count) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += value[i];
    return sum / (double)count;
}

/** mean[r] of resample r, sorted at the end. */
static void resample(const double *value, int64_t count, int64_t resamples, int64_t size, uint64_t seed,
                     double *mean) {
    for (int64_t r = 0; r < resamples; r++) {
        double sum = 0.0;
        for (int64_t i = 0; i < size; i++)
            sum +=
                value[hn_random_below(seed, HN_PURPOSE_BOOTSTRAP, (uint32_t)r, (uint64_t)i, (uint64_t)count)];
        mean[r] = sum / (double)size;
    }
    qsort(mean, (size_t)resamples, sizeof *mean, ascending);
}

static double deviation_of(const double *value, int64_t count, double mean) {
    double sum = 0.0;
    for (int64_t i = 0; i < count; i++)
        sum += (value[i] - mean) * (value[i] - mean);
    return sqrt(sum / (double)(count - 1));
}

hone_status hone_estimate_mean(const double *value, int64_t count, const hone_bootstrap *bootstrap,
                               hone_estimate *out) {
    const int64_t resamples = bootstrap->resamples;
    int64_t size = bootstrap->size;
    double *kept = NULL, *mean = NULL;
    hone_status status = HONE_OK;

    *out = (hone_estimate){NAN, NAN, NAN, NAN, NAN, 0};
    if (resamples < 2 || resamples > UINT32_MAX || bootstrap->size < 1)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "a bootstrap of %lld resamples of %lld: at least 2 resamples of at least 1 are needed",
                       (long long)resamples, (long long)bootstrap->size);
    HN_GO(hn_alloc(&kept, (size_t)count, sizeof *kept, "verdicts"));
    HN_GO(hn_alloc(&mean, (size_t)resamples, sizeof *mean, "resamples"));
    for (int64_t i = 0; i < count; i++)
        if (!isnan(value[i]))
            kept[out->count++] = value[i];
    if (out->count == 0)
        goto done;
    /* Resamples larger than what they are drawn from would make few rows look sure. */
    size = size < out->count ? size : out->count;
    resample(kept, out->count, resamples, size, bootstrap->seed, mean);
    out->value = mean_of(kept, out->count);
    out->mean = mean_of(mean, resamples);
    out->deviation = deviation_of(mean, resamples, out->mean);
    out->low = percentile(mean, resamples, 0.025);
    out->high = percentile(mean, resamples, 0.975);
done:
    hn_free(mean);
    hn_free(kept);
    return status;
}

/** P(X <= k) for X of n fair coins, doubled, at most 1: sums of exp(log n! - log k! - log (n-k)! - n log 2). */
static double sign_test(int64_t wins, int64_t losses) {
    const int64_t n = wins + losses, least = wins < losses ? wins : losses;
    double sum = 0.0;

    for (int64_t k = 0; k <= least; k++)
        sum += exp(lgamma((double)n + 1.0) - lgamma((double)k + 1.0) - lgamma((double)(n - k) + 1.0) -
                   (double)n * log(2.0));
    return fmin(1.0, 2.0 * sum);
}

/** The smaller tail of the resampled differences, doubled. */
static double tails(const double *sorted, int64_t count) {
    int64_t below = 0, above = 0;
    for (int64_t i = 0; i < count; i++) {
        below += sorted[i] <= 0.0;
        above += sorted[i] >= 0.0;
    }
    const int64_t least = below < above ? below : above;
    return fmin(1.0, 2.0 * (double)(least + 1) / (double)(count + 1));
}

hone_status hone_paired_test(const double *a, const double *b, int64_t count, uint64_t seed,
                             hone_paired *out) {
    double *difference = NULL, *mean = NULL;
    int64_t used = 0;
    hone_status status = HONE_OK;

    *out = (hone_paired){0, 0, 0, NAN, NAN, NAN, NAN, NAN};
    HN_GO(hn_alloc(&difference, (size_t)count, sizeof *difference, "differences"));
    HN_GO(hn_alloc(&mean, PAIRED_RESAMPLES, sizeof *mean, "resamples"));
    for (int64_t i = 0; i < count; i++) {
        if (isnan(a[i]) || isnan(b[i]))
            continue;
        difference[used++] = a[i] - b[i];
        out->wins += a[i] > b[i];
        out->draws += a[i] == b[i];
        out->losses += a[i] < b[i];
    }
    if (used == 0)
        goto done;
    resample(difference, used, PAIRED_RESAMPLES, used, seed, mean);
    out->difference = mean_of(difference, used);
    out->low = percentile(mean, PAIRED_RESAMPLES, 0.025);
    out->high = percentile(mean, PAIRED_RESAMPLES, 0.975);
    out->sign_p = sign_test(out->wins, out->losses);
    out->bootstrap_p = tails(mean, PAIRED_RESAMPLES);
done:
    hn_free(mean);
    hn_free(difference);
    return status;
}
