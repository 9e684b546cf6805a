/** chrF2 against sacrebleu's sentence scores. */
#include "support.h"

#include <eval/judge.h>
#include <math.h>

static void test_sentences(void **state) {
    json_t *document = golden_json(golden_path("chrf/chrf.json"));
    const json_t *cases = golden_member(document, "cases");

    (void)state;
    assert_true(json_array_size(cases) > 60);
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *one = json_array_get(cases, i);
        double score = -1.0;
        REQUIRE(hn_chrf(golden_string(one, "text"), golden_string(one, "reference"), &score));
        if (fabs(score - golden_real(one, "chrf")) > 1e-9)
            fail_msg("case %zu: %.12g, not %.12g", i, score, golden_real(one, "chrf"));
    }
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sentences)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
