#include "eval/candidates.h"

#include "eval/judge.h"

#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <string.h>

/** Row r becomes rows r * samples and following; from the last to the first, so that none is overwritten unread. */
static void repeat(hn_eval_rows *rows, int64_t samples) {
    for (int64_t i = rows->count * samples - 1; i >= 0; i--)
        rows->row[i] = rows->row[i / samples];
}

hone_status hn_candidates_rows(const char *path, int64_t limit, int64_t samples, hn_eval_rows *rows) {
    size_t wanted = 0;

    HN_TRY(hn_eval_rows_read(path, limit, rows));
    if (!hn_mul_size((size_t)rows->count, (size_t)samples, &wanted))
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld samples of %lld prompts are too many", (long long)samples,
                       (long long)rows->count);
    HN_TRY(hn_reserve(&rows->row, &rows->row_capacity, wanted, sizeof *rows->row, "rows"));
    repeat(rows, samples);
    return HONE_OK;
}

static bool repeated(const hn_candidate *candidate, int64_t count, const char *text) {
    for (int64_t i = 0; i < count; i++)
        if (strcmp(candidate[i].text, text) == 0)
            return true;
    return false;
}

static bool is_empty(const char *text) {
    size_t length = 0;
    (void)hn_trim(text, &length);
    return length == 0;
}

static hone_status keep(const json_t *draft, int64_t sample, int64_t revision, const hone_case *about,
                        hone_judge *judge, hn_candidate *c) {
    const int64_t tokens = json_integer_value(json_object_get(draft, "tokens"));

    *c = (hn_candidate){.text = json_string_value(json_object_get(draft, "text")),
                        .sample = sample,
                        .revision = revision,
                        .tokens = tokens,
                        .score = NAN};
    c->logp = json_number_value(json_object_get(draft, "logp")) / (double)(tokens > 0 ? tokens : 1);
    return hone_judge_has_scores(judge) ? hone_judge_score(judge, about, c->text, &c->score) : HONE_OK;
}

static hone_status add(const json_t *draft, int64_t sample, int64_t revision, const hone_case *about,
                       hone_judge *judge, hn_candidate *candidate, int64_t *count,
                       hn_candidate_counts *counts) {
    const char *text = json_string_value(json_object_get(draft, "text"));

    if (!json_is_true(json_object_get(draft, "ended")))
        counts->unended++;
    else if (is_empty(text))
        counts->empty++;
    else if (repeated(candidate, *count, text))
        counts->repeated++;
    else {
        counts->kept++;
        return keep(draft, sample, revision, about, judge, &candidate[(*count)++]);
    }
    return HONE_OK;
}

hone_status hn_candidates_of(const json_t *const *answer, int64_t samples, int64_t drafts,
                             const hone_case *about, hone_judge *judge, hn_candidate *candidate,
                             int64_t *count, hn_candidate_counts *counts) {
    *count = 0;
    for (int64_t s = 0; s < samples; s++)
        for (int64_t d = 0; d < drafts; d++)
            HN_TRY(add(json_array_get(answer[s], (size_t)d), s, d, about, judge, candidate, count, counts));
    return HONE_OK;
}
