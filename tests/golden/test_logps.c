/** Log-probabilities of every token against transformers and PEFT in float64 on the same stored weights. */
#include "support.h"

#include <core/memory.h>
#include <math.h>
#include <model/network.h>
#include <model/parameters.h>

/* float32 arithmetic over two layers. */
#define TOLERANCE_F32 2e-5
/* The fixtures' float64 models have their rotary frequencies in float64 too (make/common.py), unlike transformers' own,
 * so nothing but the order of sums is left. */
#define TOLERANCE_F64 1e-12

static double worst(hn_network *network, const json_t *sequences, bool exact) {
    double result = 0.0;

    for (size_t s = 0; s < json_array_size(sequences); s++) {
        const json_t *entry = json_array_get(sequences, s);
        int64_t count = 0, expected = 0;
        int32_t *ids = golden_ids(golden_member(entry, "ids"), &count);
        double *wanted = golden_reals(golden_member(entry, "logp64"), &expected), *found = NULL;
        float *single = NULL;
        const hone_sequence sequence = {ids, 1, ids + 1, count - 1};
        hone_pack *pack = NULL;

        assert_int_equal(expected, count - 1);
        REQUIRE(hone_pack_create(&sequence, 1, HONE_PACK_TRIE, &pack));
        assert_int_equal(pack->edges, expected);
        REQUIRE(hn_alloc(&found, (size_t)expected, sizeof *found, "log-probabilities"));
        REQUIRE(hn_alloc(&single, (size_t)expected, sizeof *single, "log-probabilities"));
        if (exact) {
            REQUIRE(hn_network_forward_f64(network, pack, 0, found));
        } else {
            REQUIRE(hn_network_forward(network, pack, 0, single));
            for (int64_t i = 0; i < expected; i++)
                found[i] = (double)single[i];
        }
        for (int64_t i = 0; i < expected; i++) {
            const double difference = fabs(found[pack->sequence_edge[i]] - wanted[i]);
            assert_true(isfinite(difference));
            result = fmax(result, difference);
        }
        hn_free(single);
        hn_free(found);
        hn_free(wanted);
        hn_free(ids);
        hone_pack_destroy(pack);
    }
    return result;
}

static void check(hone_device *device, const char *file, hone_dtype dtype) {
    json_t *fixture = golden_json(golden_path("%s", file));
    const json_t *adapter_path = json_object_get(fixture, "adapter");
    const hn_network_budget budget = hn_network_budget_for(1024);
    hone_model *model = NULL;
    hone_adapter *adapter = NULL;
    hn_network *network = NULL;
    const double tolerance = dtype == HONE_F64 ? TOLERANCE_F64 : TOLERANCE_F32;

    REQUIRE(
        hn_model_open_as(device, golden_path("%s", golden_string(fixture, "model")), dtype, dtype, &model));
    if (adapter_path != NULL)
        REQUIRE(hone_adapter_open(model, golden_path("%s", json_string_value(adapter_path)), &adapter));
    REQUIRE(hn_network_create(model, adapter, false, 0, &budget, &network));
    const double difference = worst(network, golden_member(fixture, "sequences"), dtype == HONE_F64);
    print_message("%-30s %s %s: worst difference %.3g\n", file, hone_device_name(device),
                  dtype == HONE_F64 ? "float64" : "float32", difference);
    if (difference > tolerance)
        fail_msg("%s: off by %g, more than %g", file, difference, tolerance);
    hn_network_destroy(network);
    hone_adapter_destroy(adapter);
    hone_model_destroy(model);
    json_decref(fixture);
}

static const char *const files[] = {"models/tied.logps.json", "models/untied.logps.json",
                                    "models/scaled.logps.json", "adapters/tied.logps.json",
                                    "adapters/untied.logps.json"};

static void float32_matches(void **state) {
    hone_device *device = NULL;

    (void)state;
    REQUIRE(hone_device_open(NULL, NULL, &device));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check(device, files[i], HONE_F32);
    hone_device_close(device);
}

static void float64_matches(void **state) {
    hone_device *device = golden_device("oracle");

    (void)state;
    if (device == NULL)
        skip();
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        check(device, files[i], HONE_F64);
    hone_device_close(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(float32_matches), cmocka_unit_test(float64_matches)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
