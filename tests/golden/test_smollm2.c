/** SmolLM2-135M-Instruct, converted from GGUF by hone, against transformers: ids, log-probabilities and greedy
 *  continuations. The model folder is $HONE_SMOLLM2, or smollm2 in the build folder (tools/models/smollm2.sh). */
#include "support.h"

#include <core/memory.h>
#include <hone/tokenizer.h>
#include <math.h>
#include <model/network.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <text/lines.h>
#include <unistd.h>

/* transformers' own float32 is up to 6.8e-5 from its float64 on these texts (meta.json). */
#define TOLERANCE 2e-4
#define PROMPT_MOST 64

static const char *folder;

/** `ids` are transformers', `digits_ids` llama.cpp's for the same file: either, but the same one everywhere. */
typedef struct tally {
    int texts, wrong, ids, digits;
} tally;

static void check_ids(tally *sum, const hone_tokenizer *tokenizer, const json_t *entry) {
    const json_t *text = golden_member(entry, "text"), *digits = json_object_get(entry, "digits_ids");
    hone_ids ids = {0};

    REQUIRE(hone_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), true, &ids));
    sum->texts++;
    if (golden_same_ids(golden_member(entry, "ids"), ids.data, ids.count))
        sum->ids += digits != NULL;
    else if (digits != NULL && golden_same_ids(digits, ids.data, ids.count))
        sum->digits++;
    else if (sum->wrong++ < 10)
        print_error("other ids of: %s\n", json_string_value(text));
    hone_ids_clear(&ids);
}

static void check_text(tally *sum, const hone_tokenizer *tokenizer, const json_t *ids, const json_t *wanted,
                       bool skip) {
    int64_t count = 0;
    int32_t *list = golden_ids(ids, &count);
    char *text = NULL;

    REQUIRE(hone_tokenizer_decode(tokenizer, list, count, skip, &text));
    if (strcmp(text, json_string_value(wanted)) != 0 && sum->wrong++ < 10)
        print_error("decoded: %s, not %s\n", text, json_string_value(wanted));
    hone_text_free(text);
    hn_free(list);
}

/** Over all tests. */
static tally ever;

static void judge(const char *what, const tally *sum) {
    print_message(
        "%s: %d texts, %d mismatches; of those with a choice, %d as transformers, %d as llama.cpp\n", what,
        sum->texts, sum->wrong, sum->ids, sum->digits);
    assert_int_equal(sum->wrong, 0);
    ever.ids += sum->ids;
    ever.digits += sum->digits;
    assert_true(ever.ids == 0 || ever.digits == 0);
}

static void package_descriptions(void **state) {
    hone_tokenizer *tokenizer = NULL;
    hn_lines *lines = NULL;
    const char *line = NULL;
    size_t length = 0;
    tally sum = {0};

    (void)state;
    REQUIRE(hone_tokenizer_open(folder, &tokenizer));
    REQUIRE(hn_lines_open(golden_path("smollm2/ids.jsonl.zst"), &lines));
    for (;;) {
        json_t *entry = NULL;

        REQUIRE(hn_lines_next(lines, &line, &length));
        if (line == NULL)
            break;
        REQUIRE(hn_json_parse(line, length, "ids.jsonl", &entry));
        check_ids(&sum, tokenizer, entry);
        check_text(&sum, tokenizer, golden_member(entry, "ids"), golden_member(entry, "text"), false);
        json_decref(entry);
    }
    assert_int_equal(sum.texts, 1000);
    judge("package descriptions", &sum);
    hn_lines_close(lines);
    hone_tokenizer_destroy(tokenizer);
}

static void odd_texts(void **state) {
    json_t *document = golden_json(golden_path("smollm2/odd.json"));
    const json_t *cases = golden_member(document, "cases");
    hone_tokenizer *tokenizer = NULL;
    tally sum = {0};

    (void)state;
    REQUIRE(hone_tokenizer_open(folder, &tokenizer));
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *entry = json_array_get(cases, i), *plain = json_object_get(entry, "plain_ids");
        const json_t *text = golden_member(entry, "text"), *ids = golden_member(entry, "ids");

        check_ids(&sum, tokenizer, entry);
        check_text(&sum, tokenizer, ids, golden_member(entry, "decoded"), false);
        check_text(&sum, tokenizer, ids, golden_member(entry, "decoded_skip"), true);
        if (plain != NULL) {
            hone_ids found = {0};
            REQUIRE(hone_tokenizer_encode(tokenizer, json_string_value(text), json_string_length(text), false,
                                          &found));
            if (!golden_same_ids(plain, found.data, found.count) && sum.wrong++ < 10)
                print_error("other plain ids of: %s\n", json_string_value(text));
            hone_ids_clear(&found);
        }
    }
    judge("odd texts", &sum);
    hone_tokenizer_destroy(tokenizer);
    json_decref(document);
}

static void open_model(hone_device **device, hone_model **model) {
    REQUIRE(hone_device_open(NULL, NULL, device));
    REQUIRE(hone_model_open(*device, folder, model));
}

static void log_probabilities(void **state) {
    json_t *document = golden_json(golden_path("smollm2/logps.json"));
    const json_t *sequences = golden_member(document, "sequences");
    const hn_network_budget budget = hn_network_budget_for(512);
    hone_device *device = NULL;
    hone_model *model = NULL;
    hn_network *network = NULL;
    double worst = 0.0, worst64 = 0.0;

    (void)state;
    open_model(&device, &model);
    REQUIRE(hn_network_create(model, NULL, false, 0, &budget, &network));
    for (size_t s = 0; s < json_array_size(sequences); s++) {
        const json_t *entry = json_array_get(sequences, s);
        int64_t count = 0, expected = 0;
        int32_t *ids = golden_ids(golden_member(entry, "ids"), &count);
        double *wanted = golden_reals(golden_member(entry, "logp"), &expected);
        double *wanted64 = golden_reals(golden_member(entry, "logp64"), &expected);
        const hone_sequence sequence = {ids, 1, ids + 1, count - 1};
        hone_pack *pack = NULL;
        float *edge = NULL;

        assert_int_equal(expected, count - 1);
        REQUIRE(hone_pack_create(&sequence, 1, HONE_PACK_TRIE, &pack));
        REQUIRE(hn_alloc(&edge, (size_t)pack->edges, sizeof *edge, "log-probabilities"));
        REQUIRE(hn_network_forward(network, pack, 0, edge));
        for (int64_t i = 0; i < expected; i++) {
            const double found = (double)edge[pack->sequence_edge[i]];
            assert_true(isfinite(found));
            worst = fmax(worst, fabs(found - wanted[i]));
            worst64 = fmax(worst64, fabs(found - wanted64[i]));
        }
        hn_free(edge);
        hone_pack_destroy(pack);
        hn_free(wanted64);
        hn_free(wanted);
        hn_free(ids);
    }
    print_message("log-probabilities of %zu texts: worst difference %.3g from float32, %.3g from float64\n",
                  json_array_size(sequences), worst, worst64);
    assert_true(worst <= TOLERANCE);
    assert_true(worst64 <= TOLERANCE);
    hn_network_destroy(network);
    hone_model_destroy(model);
    hone_device_close(device);
    json_decref(document);
}

/** One token's logits, or the last ones of a prompt: `count` tokens from row `at` of the cache, which see the rows before. */
static int32_t best(hn_decoder *decoder, const int32_t *token, int64_t count, int64_t at, float *logits,
                    int64_t vocabulary) {
    int32_t place[PROMPT_MOST];
    const int32_t ranges = at > 0 ? 1 : 0;
    const int32_t segment[6] = {0, (int32_t)count, (int32_t)at, 0, ranges, (int32_t)count};
    const int32_t range[2] = {0, (int32_t)at}, row = (int32_t)count - 1;
    int32_t result = 0;

    assert_in_range(count, 1, PROMPT_MOST);
    for (int64_t i = 0; i < count; i++)
        place[i] = (int32_t)(at + i);
    const hn_decoder_step step = {.tokens = count,
                                  .segments = 1,
                                  .ranges = ranges,
                                  .logits = 1,
                                  .token = token,
                                  .position = place,
                                  .cache_row = place,
                                  .segment = segment,
                                  .range = range,
                                  .row = &row};
    REQUIRE(hn_decoder_run(decoder, &step, logits));
    for (int64_t v = 1; v < vocabulary; v++)
        if (logits[v] > logits[result])
            result = (int32_t)v;
    return result;
}

static void greedy(void **state) {
    json_t *document = golden_json(golden_path("smollm2/greedy.json"));
    const json_t *prompts = golden_member(document, "prompts");
    hone_tokenizer *tokenizer = NULL;
    hone_device *device = NULL;
    hone_model *model = NULL;
    hn_decoder *decoder = NULL;
    float *logits = NULL;
    tally sum = {0};

    (void)state;
    open_model(&device, &model);
    const int64_t vocabulary = hone_model_configuration(model)->vocabulary;
    REQUIRE(hone_tokenizer_open(folder, &tokenizer));
    REQUIRE(hn_decoder_create(model, NULL, PROMPT_MOST + 32, PROMPT_MOST, 1, &decoder));
    REQUIRE(hn_alloc(&logits, (size_t)vocabulary, sizeof *logits, "logits"));
    for (size_t p = 0; p < json_array_size(prompts); p++) {
        const json_t *prompt = json_array_get(prompts, p), *wanted = golden_member(prompt, "continuation");
        int64_t count = 0;
        int32_t *ids = golden_ids(golden_member(prompt, "ids"), &count), found[32];

        check_ids(&sum, tokenizer, prompt);
        check_text(&sum, tokenizer, wanted, golden_member(prompt, "continued"), false);
        for (int64_t i = 0; i < 32; i++)
            found[i] = i == 0 ? best(decoder, ids, count, 0, logits, vocabulary)
                              : best(decoder, &found[i - 1], 1, count + i - 1, logits, vocabulary);
        for (int64_t i = 0; i < 32; i++)
            if (json_integer_value(json_array_get(wanted, (size_t)i)) != found[i]) {
                print_error("%s: token %lld is %d, not %lld (whose lead was %g)\n",
                            golden_string(prompt, "text"), (long long)i, (int)found[i],
                            (long long)json_integer_value(json_array_get(wanted, (size_t)i)),
                            json_number_value(json_array_get(golden_member(prompt, "margin"), (size_t)i)));
                sum.wrong++;
                break;
            }
        hn_free(ids);
    }
    judge("greedy continuations", &sum);
    hn_free(logits);
    hn_decoder_destroy(decoder);
    hone_model_destroy(model);
    hone_device_close(device);
    hone_tokenizer_destroy(tokenizer);
    json_decref(document);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(package_descriptions), cmocka_unit_test(odd_texts),
                                       cmocka_unit_test(log_probabilities), cmocka_unit_test(greedy)};
    char config[1024];

    folder = getenv("HONE_SMOLLM2");
    if (folder == NULL)
        folder = HONE_BINARY_DIR "/smollm2";
    snprintf(config, sizeof config, "%s/config.json", folder);
    if (access(config, R_OK) != 0) {
        printf("skipped: no %s: run tools/models/smollm2.sh %s, or set HONE_SMOLLM2\n", config, folder);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
