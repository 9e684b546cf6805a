#include "eval/judge.h"

#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const hn_judge_kind *const kinds[] = {&hn_judge_exact, &hn_judge_chrf, &hn_judge_rules,
                                             &hn_judge_command, &hn_judge_http};
enum { KINDS = sizeof kinds / sizeof kinds[0], PARTS = 8 };

typedef struct part {
    const hn_judge_kind *kind;
    void *state;
    double weight; /**< normalised: the weights of a judge sum to 1 */
} part;

struct hone_judge {
    part part[PARTS];
    int parts;
    double temperature;
    hone_judge_counts counts;
};

hone_judge_options hone_judge_defaults(void) {
    return (hone_judge_options){.spec = "exact", .timeout = 60.0, .retries = 5, .backoff = 0.5};
}

const char *hn_trim(const char *text, size_t *length) {
    static const char space[] = " \t\n\v\f\r";
    const char *begin = text + strspn(text, space);
    size_t count = strlen(begin);

    while (count > 0 && strchr(space, begin[count - 1]) != NULL)
        count--;
    *length = count;
    return begin;
}

static const hn_judge_kind *find(const char *name, size_t length) {
    for (int i = 0; i < KINDS; i++)
        if (strlen(kinds[i]->name) == length && memcmp(kinds[i]->name, name, length) == 0)
            return kinds[i];
    return NULL;
}

/** NAME or NAME:WEIGHT, `length` bytes. */
static hone_status read_part(const char *text, size_t length, part *out) {
    const char *colon = memchr(text, ':', length);
    const size_t name = colon != NULL ? (size_t)(colon - text) : length;
    char *end = NULL;

    out->weight = 1.0;
    out->kind = find(text, name);
    if (out->kind == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "judge \"%.*s\" is not one of exact, chrf, rules, command, http",
                       (int)name, text);
    if (colon != NULL)
        out->weight = strtod(colon + 1, &end);
    if (colon != NULL &&
        (end != text + length || end == colon + 1 || !isfinite(out->weight) || out->weight <= 0.0))
        return hn_fail(HONE_ERROR_ARGUMENT, "judge \"%.*s\": the weight must be a number > 0", (int)length,
                       text);
    return HONE_OK;
}

static hone_status read_spec(const char *spec, hone_judge *judge) {
    double sum = 0.0;

    for (const char *at = spec;; at++) {
        const size_t length = strcspn(at, ",");
        if (judge->parts == PARTS)
            return hn_fail(HONE_ERROR_ARGUMENT, "judge \"%s\" has more than %d parts", spec, PARTS);
        HN_TRY(read_part(at, length, &judge->part[judge->parts]));
        sum += judge->part[judge->parts++].weight;
        at += length;
        if (*at == '\0')
            break;
    }
    for (int i = 0; i < judge->parts; i++)
        judge->part[i].weight /= sum;
    return HONE_OK;
}

hone_status hone_judge_open(const hone_judge_options *options, hone_judge **out) {
    hone_judge *judge = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    if (!isfinite(options->temperature) || options->temperature < 0.0)
        return hn_fail(HONE_ERROR_ARGUMENT, "the judge's temperature is %g, must be a number >= 0",
                       options->temperature);
    if (!isfinite(options->timeout) || options->timeout <= 0.0 || options->timeout > 86400.0)
        return hn_fail(HONE_ERROR_ARGUMENT, "the judge's timeout is %g s, must be in (0, 86400]",
                       options->timeout);
    HN_GO(hn_alloc(&judge, 1, sizeof *judge, "judge"));
    judge->temperature = options->temperature;
    HN_GO(read_spec(options->spec, judge));
    for (int i = 0; i < judge->parts; i++)
        if (judge->part[i].kind->open != NULL)
            HN_GO(judge->part[i].kind->open(options, &judge->part[i].state));
    *out = judge;
    judge = NULL;
done:
    hone_judge_close(judge);
    return status;
}

hone_status hn_judge_open_beside(const hone_judge_options *options, const char *out,
                                 const hone_eval_observer *observer, hone_judge **judge) {
    hone_judge_options own = *options;
    char *path = NULL;
    hone_status status = HONE_OK;

    *judge = NULL;
    if (own.cache == NULL)
        HN_GO(hn_path_join(out, "verdicts", &path));
    own.cache = own.cache != NULL ? own.cache : path;
    if (own.stop == NULL && observer != NULL) {
        own.stop = observer->stop;
        own.stop_context = observer->context;
    }
    status = hone_judge_open(&own, judge);
done:
    hn_free(path);
    return status;
}

void hone_judge_close(hone_judge *judge) {
    if (judge == NULL)
        return;
    for (int i = 0; i < judge->parts; i++)
        if (judge->part[i].state != NULL)
            judge->part[i].kind->close(judge->part[i].state);
    hn_free(judge);
}

bool hone_judge_has_scores(const hone_judge *judge) {
    for (int i = 0; i < judge->parts; i++)
        if (judge->part[i].kind->score == NULL)
            return false;
    return true;
}

hone_status hone_judge_score(hone_judge *judge, const hone_case *about, const char *text, double *score) {
    double sum = 0.0, one = 0.0;

    *score = 0.0;
    for (int i = 0; i < judge->parts; i++) {
        const part *each = &judge->part[i];
        if (each->kind->score == NULL)
            return hn_fail(HONE_ERROR_UNSUPPORTED, "judge \"%s\" compares texts and has no score",
                           each->kind->name);
        HN_TRY(each->kind->score(each->state, about, text, &one));
        sum += each->weight * one;
    }
    *score = sum;
    return HONE_OK;
}

static double preference(const hone_judge *judge, double a, double b) {
    if (judge->temperature > 0.0)
        return 1.0 / (1.0 + exp((b - a) / judge->temperature));
    return a > b ? 1.0 : a < b ? 0.0 : 0.5;
}

static hone_status compare_part(hone_judge *judge, const part *each, const hone_case *about, const char *a,
                                const char *b, double *p) {
    double first = 0.0, second = 0.0;

    if (each->kind->compare != NULL) {
        HN_TRY(each->kind->compare(each->state, &judge->counts, about, a, b, &first));
        HN_TRY(each->kind->compare(each->state, &judge->counts, about, b, a, &second));
        *p = (first + 1.0 - second) / 2.0;
        return HONE_OK;
    }
    HN_TRY(each->kind->score(each->state, about, a, &first));
    HN_TRY(each->kind->score(each->state, about, b, &second));
    *p = preference(judge, first, second);
    return HONE_OK;
}

hone_status hone_judge_compare(hone_judge *judge, const hone_case *about, const char *a, const char *b,
                               double *p) {
    double first = 0.0, second = 0.0, one = 0.0, sum = 0.0;

    *p = NAN;
    judge->counts.asked++;
    if (hone_judge_has_scores(judge)) {
        HN_TRY(hone_judge_score(judge, about, a, &first));
        HN_TRY(hone_judge_score(judge, about, b, &second));
        *p = preference(judge, first, second);
        return HONE_OK;
    }
    if (strcmp(a, b) == 0) { /* both orders of one question: (p + 1 - p) / 2 */
        *p = 0.5;
        return HONE_OK;
    }
    /* A mixture with a comparing part is a weighted mean of probabilities. */
    for (int i = 0; i < judge->parts; i++) {
        HN_TRY(compare_part(judge, &judge->part[i], about, a, b, &one));
        sum += judge->part[i].weight * one;
    }
    judge->counts.failed += isnan(sum) ? 1 : 0;
    *p = sum;
    return HONE_OK;
}

hone_judge_counts hone_judge_counted(const hone_judge *judge) { return judge->counts; }
