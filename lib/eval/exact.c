#include "eval/judge.h"

#include <core/status.h>
#include <string.h>

static hone_status score(void *state, const hone_case *about, const char *text, double *out) {
    size_t length = 0, wanted = 0;

    (void)state;
    if (about->reference == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "judge \"exact\" needs a reference answer, and the row has none");
    const char *a = hn_trim(text, &length), *b = hn_trim(about->reference, &wanted);
    *out = length == wanted && memcmp(a, b, length) == 0 ? 1.0 : 0.0;
    return HONE_OK;
}

const hn_judge_kind hn_judge_exact = {.name = "exact", .score = score};
