#include "eval/examples.h"

#include <core/status.h>
#include <math.h>

/** One policy's drafts of one row; `score` points at draft 0's, the others follow at a distance of `rows`. */
static json_t *drafts_json(const json_t *drafts, int64_t count, const double *score, int64_t rows) {
    json_t *list = json_array();

    for (int64_t n = 0; n < count; n++) {
        const json_t *text = json_object_get(json_array_get(drafts, (size_t)n), "text");
        const double s = score != NULL ? score[n * rows] : (double)NAN;
        json_array_append_new(list, json_pack("{s:O,s:o}", "text", (json_t *)text, "score",
                                              isfinite(s) ? json_real(s) : json_null()));
    }
    return list;
}

static json_t *row_json(const hn_eval_run *run, int set, const json_t *const *answer, const double *score,
                        int64_t row) {
    const int64_t rows = run->rows[set].count, drafts = run->options->sample.revisions + 1;
    const hone_case *about = &run->rows[set].row[row];
    json_t *policies = json_array();

    for (size_t i = 0; i < run->options->policies; i++) {
        const int64_t first = (int64_t)i * drafts * rows + row;
        json_array_append_new(policies, json_pack("{s:s,s:o}", "name", run->options->policy[i].name, "drafts",
                                                  drafts_json(answer[(int64_t)i * rows + row], drafts,
                                                              score != NULL ? score + first : NULL, rows)));
    }
    return json_pack("{s:s,s:I,s:s,s:s?,s:o}", "set", hn_eval_set_name(set), "row", (json_int_t)row, "prompt",
                     about->prompt, "reference", about->reference, "policies", policies);
}

hone_status hn_eval_examples(const hn_eval_run *run, int set, const json_t *const *answer,
                             const double *score, json_t *list) {
    for (int64_t row = 0; row < run->rows[set].count && row < run->options->examples; row++)
        if (json_array_append_new(list, row_json(run, set, answer, score, row)) != 0)
            return hn_fail(HONE_ERROR_MEMORY, "out of memory for examples");
    return HONE_OK;
}
