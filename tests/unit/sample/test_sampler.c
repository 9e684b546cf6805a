/* Drafts and revisions of a tiny random model: against full recomputation, alone against in a batch, and their
 * log-probabilities against those of the packed network. */
#include <core/file.h>
#include <core/memory.h>
#include <hone/sample.h>
#include <math.h>
#include <sample/scorer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PROMPTS = 7, POSITIONS = 2048, DRAFT = 12, LONG = 500, REVISIONS = 2 };
static const char *const prompts[PROMPTS] = {
    "sort b a c =",      "a",     "sort b a c = a", "x y z", "sort c c c c c c c c c c =",
    "\xc3\xa9t\xc3\xa9", "sort b"};

static hone_device *device;
static hone_tokenizer *tokenizer;
static hone_template *form;
static hone_model *model, *other;
static hone_adapter *adapter;

static void expect(hone_status found, hone_status wanted) {
    if (found != wanted)
        print_message("%s, wanted %s: %s\n", hone_status_name(found), hone_status_name(wanted),
                      hone_message());
    assert_int_equal(found, wanted);
}

static hone_model *make_model(uint64_t seed) {
    const hone_model_config config = {.width = 32,
                                      .hidden = 48,
                                      .layers = 2,
                                      .heads = 4,
                                      .kv_heads = 2,
                                      .head_dim = 8,
                                      .vocabulary = hone_tokenizer_vocabulary(tokenizer),
                                      .max_positions = POSITIONS,
                                      .norm_epsilon = 1e-5,
                                      .rope_theta = 10000.0,
                                      .initializer_range = 0.2,
                                      .bos = -1,
                                      .eos = hone_tokenizer_eos(tokenizer)};
    hone_model *made = NULL;
    expect(hone_model_create(device, &config, seed, &made), HONE_OK);
    return made;
}

static int set_up(void **state) {
    const char *const text[] = {"sort b a c = a b c", "sort c a b = a c b Better"};
    const char *const special[] = {"<|endoftext|>"};
    const size_t length[] = {strlen(text[0]), strlen(text[1])};
    const hone_tokenizer_train_options options = {
        .vocabulary = 270, .min_frequency = 1, .special = special, .special_count = 1};
    const hone_lora_options lora = hone_lora_defaults();

    (void)state;
    expect(hone_tokenizer_train(&options, text, length, 2, &tokenizer), HONE_OK);
    expect(hone_template_open("plain", tokenizer, &form), HONE_OK);
    expect(hone_device_open(NULL, NULL, &device), HONE_OK);
    model = make_model(3);
    other = make_model(4);
    expect(hone_adapter_create(model, &lora, 5, &adapter), HONE_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    hone_adapter_destroy(adapter);
    hone_model_destroy(other);
    hone_model_destroy(model);
    hone_device_close(device);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
    return 0;
}

static hone_sample_options drawn(int64_t batch) {
    hone_sample_options options = hone_sample_defaults();
    options.max_tokens = DRAFT;
    options.temperature = 1.0;
    options.top_k = 40;
    options.revisions = REVISIONS;
    options.seed = 11;
    options.batch = batch;
    return options;
}

/** The first `count` prompts, in calls of `step` of them. */
static void answer_with(const hone_sample_options *options, int count, int step, hone_answer *answer) {
    hone_sampler *sampler = NULL;

    expect(hone_sampler_create(model, NULL, tokenizer, form, options, &sampler), HONE_OK);
    for (int i = 0; i < count; i += step)
        expect(hone_sampler_run(sampler, prompts + i, count - i < step ? count - i : step, NULL, NULL,
                                answer + i),
               HONE_OK);
    hone_sampler_destroy(sampler);
}

static void clear(hone_answer *answer, int count) {
    for (int i = 0; i < count; i++)
        hone_answer_clear(&answer[i]);
}

/** The context of draft d of a prompt, made from texts alone. */
static void context_of(const char *prompt, const hone_answer *answer, int64_t d, hone_ids *context) {
    hone_ids x = {0}, y = {0};

    expect(hone_tokenizer_encode(tokenizer, prompt, strlen(prompt), false, &x), HONE_OK);
    if (d > 0) {
        const char *text = answer->draft[d - 1].text;
        expect(hone_tokenizer_encode(tokenizer, text, strlen(text), false, &y), HONE_OK);
    }
    expect(hone_template_context(form, &x, d > 0 ? &y : NULL, context), HONE_OK);
    hone_ids_clear(&x);
    hone_ids_clear(&y);
}

/** log pi of every next token after `ids`, by a pack of V one-token completions: no cache anywhere. */
static void next_logps(hn_scorer *scorer, const hone_ids *ids, double *logp) {
    const int64_t count = hone_tokenizer_vocabulary(tokenizer);
    hone_sequence sequence[512];
    int32_t token[512];
    hone_pack *pack = NULL;

    assert_in_range(count, 1, 512);
    for (int64_t v = 0; v < count; v++) {
        token[v] = (int32_t)v;
        sequence[v] = (hone_sequence){ids->data, ids->count, &token[v], 1};
    }
    expect(hone_pack_create(sequence, count, HONE_PACK_TRIE, &pack), HONE_OK);
    expect(hn_scorer_run(scorer, pack, logp), HONE_OK);
    hone_pack_destroy(pack);
}

/** Each token is the likeliest under full recomputation: none is likelier than it by more than rounding. */
static void check_greedy(hn_scorer *scorer, const char *prompt, const hone_answer *answer, int64_t d) {
    const hone_draft *draft = &answer->draft[d];
    hone_ids ids = {0};
    double logp[512], sum = 0.0;

    context_of(prompt, answer, d, &ids);
    assert_int_equal(draft->prefilled + draft->reused, ids.count);
    for (int64_t t = 0; t < draft->tokens.count; t++) {
        next_logps(scorer, &ids, logp);
        const int32_t token = draft->tokens.data[t];
        for (int64_t v = 0; v < hone_tokenizer_vocabulary(tokenizer); v++)
            assert_true(logp[v] <= logp[token] + 1e-5);
        sum += logp[token];
        expect(hone_ids_append(&ids, &token, 1), HONE_OK);
    }
    assert_true(fabs(sum - draft->logp) < 1e-4);
    hone_ids_clear(&ids);
}

static void test_greedy(void **state) {
    hone_sample_options options = drawn(3);
    hone_answer answer[PROMPTS] = {{0}};
    hn_scorer *scorer = NULL;

    (void)state;
    options.temperature = 0.0;
    answer_with(&options, PROMPTS, PROMPTS, answer);
    expect(hn_scorer_create(model, NULL, 1024, &scorer), HONE_OK);
    for (int i = 0; i < PROMPTS; i++) {
        assert_int_equal(answer[i].drafts, REVISIONS + 1);
        for (int64_t d = 0; d <= REVISIONS; d++)
            check_greedy(scorer, prompts[i], &answer[i], d);
    }
    hn_scorer_destroy(scorer);
    clear(answer, PROMPTS);
}

static void assert_same(const hone_answer *a, const hone_answer *b) {
    assert_int_equal(a->drafts, b->drafts);
    for (int64_t d = 0; d < a->drafts; d++) {
        const hone_draft *x = &a->draft[d], *y = &b->draft[d];
        assert_int_equal(x->tokens.count, y->tokens.count);
        assert_memory_equal(x->tokens.data, y->tokens.data, (size_t)x->tokens.count * sizeof(int32_t));
        assert_string_equal(x->text, y->text);
        assert_true(fabs(x->logp - y->logp) < 1e-4);
    }
}

/** Samples of one prompt: its context is computed once in a batch, and what is drawn is what each alone would draw. */
static void test_samples(void **state) {
    const char *same[] = {prompts[1], prompts[1], prompts[0], prompts[1], prompts[1], prompts[1]};
    enum { SAMPLES = sizeof same / sizeof same[0] };
    static const bool shared[SAMPLES] = {false, true, false, false, true, true};
    hone_sample_options options = drawn(SAMPLES);
    hone_answer together[SAMPLES] = {{0}}, alone[SAMPLES] = {{0}};
    hone_sampler *sampler = NULL;

    (void)state;
    expect(hone_sampler_create(model, NULL, tokenizer, form, &options, &sampler), HONE_OK);
    expect(hone_sampler_run(sampler, same, SAMPLES, NULL, NULL, together), HONE_OK);
    hone_sampler_seek(sampler, 0);
    for (int i = 0; i < SAMPLES; i++)
        expect(hone_sampler_run(sampler, same + i, 1, NULL, NULL, alone + i), HONE_OK);
    for (int i = 0; i < SAMPLES; i++) {
        assert_same(&together[i], &alone[i]);
        assert_int_equal(together[i].draft[0].prefilled == 0, shared[i]);
    }
    assert_string_not_equal(together[0].draft[0].text, together[1].draft[0].text);
    clear(together, SAMPLES);
    clear(alone, SAMPLES);
    hone_sampler_destroy(sampler);
}

/** What is drawn depends on the prompt's number and the seed: not on the batch, nor on how many runs there are. */
static void test_batches(void **state) {
    static const int64_t batch[] = {1, 2, 8};
    static const int step[] = {PROMPTS, 3, 2};
    hone_sample_options options = drawn(PROMPTS);
    hone_answer whole[PROMPTS] = {{0}}, second[PROMPTS] = {{0}};
    int differ = 0;

    (void)state;
    answer_with(&options, PROMPTS, PROMPTS, whole);
    for (int i = 0; i < 3; i++) {
        hone_answer parts[PROMPTS] = {{0}};
        options.batch = batch[i];
        answer_with(&options, PROMPTS, step[i], parts);
        for (int p = 0; p < PROMPTS; p++)
            assert_same(&whole[p], &parts[p]);
        clear(parts, PROMPTS);
    }
    options.seed++;
    answer_with(&options, PROMPTS, PROMPTS, second);
    for (int p = 0; p < PROMPTS; p++)
        differ += strcmp(whole[p].draft[0].text, second[p].draft[0].text) != 0;
    assert_true(differ > PROMPTS / 2);
    clear(whole, PROMPTS);
    clear(second, PROMPTS);
}

/** Keys that are kept change nothing but the work. */
static void test_afresh(void **state) {
    hone_sample_options options = drawn(2);
    hone_answer kept[PROMPTS] = {{0}}, afresh[PROMPTS] = {{0}};
    int64_t reused = 0;

    (void)state;
    answer_with(&options, PROMPTS, PROMPTS, kept);
    options.afresh = true;
    answer_with(&options, PROMPTS, PROMPTS, afresh);
    for (int p = 0; p < PROMPTS; p++) {
        assert_same(&kept[p], &afresh[p]);
        for (int64_t d = 0; d < kept[p].drafts; d++) {
            const hone_draft *a = &kept[p].draft[d], *b = &afresh[p].draft[d];
            assert_int_equal(b->reused, 0);
            assert_int_equal(a->prefilled + a->reused, b->prefilled);
            assert_true(a->prefill_seconds >= 0.0 && b->prefill_seconds > 0.0);
            reused += a->reused;
        }
    }
    assert_true(reused > 0);
    clear(kept, PROMPTS);
    clear(afresh, PROMPTS);
}

/** The draft's sum against the packed network's. */
static void check_logp(hn_scorer *scorer, const hone_ids *context, const hone_draft *draft) {
    const hone_sequence sequence = {context->data, context->count, draft->tokens.data, draft->tokens.count};
    hone_pack *pack = NULL;
    double sum = 0.0;

    expect(hone_pack_create(&sequence, 1, HONE_PACK_TRIE, &pack), HONE_OK);
    expect(hn_scorer_run(scorer, pack, &sum), HONE_OK);
    assert_true(fabs(sum - draft->logp) < 1e-5 * (double)(10 + draft->tokens.count));
    hone_pack_destroy(pack);
}

/** All drafts; returns how many revisions kept nothing of their prompt's keys and values. */
static int check_logps(int64_t max_tokens, int count) {
    hone_sample_options options = drawn(4);
    hone_answer answer[PROMPTS] = {{0}};
    hn_scorer *scorer = NULL;
    int afresh = 0;

    options.max_tokens = max_tokens;
    answer_with(&options, count, count, answer);
    expect(hn_scorer_create(model, NULL, POSITIONS, &scorer), HONE_OK);
    for (int i = 0; i < count; i++) {
        hone_ids prompt = {0};
        context_of(prompts[i], &answer[i], 0, &prompt);
        for (int64_t d = 0; d <= REVISIONS; d++) {
            const hone_draft *draft = &answer[i].draft[d];
            hone_ids context = {0};
            context_of(prompts[i], &answer[i], d, &context);
            check_logp(scorer, &context, draft);
            assert_int_equal(draft->prefilled + draft->reused, context.count);
            assert_true(draft->ended || draft->tokens.count == max_tokens);
            assert_true(d == 0 || draft->reused == 0 || draft->reused >= prompt.count);
            afresh += d > 0 && draft->reused == 0;
            hone_ids_clear(&context);
        }
        hone_ids_clear(&prompt);
    }
    hn_scorer_destroy(scorer);
    clear(answer, count);
    return afresh;
}

/** Short drafts keep keys. Long ones of cut characters come back as more tokens than was foreseen: larger slabs, several
 *  prefill calls, the same numbers. */
static void test_logps(void **state) {
    (void)state;
    assert_int_equal(check_logps(DRAFT, PROMPTS), 0);
    assert_true(check_logps(LONG, 2) > 0);
}

/** What was streamed, by draft. */
typedef struct stream {
    hn_bytes text[REVISIONS + 1];
} stream;

static void take(void *context, int64_t prompt, int64_t draft, const char *piece) {
    stream *s = context;
    hone_ids ids = {0};

    assert_int_equal(prompt, 0);
    assert_in_range(draft, 0, REVISIONS);
    expect(hone_tokenizer_encode(tokenizer, piece, strlen(piece), false, &ids),
           HONE_OK); /* refuses cut characters */
    expect(hn_bytes_append(&s->text[draft], piece, strlen(piece)), HONE_OK);
    hone_ids_clear(&ids);
}

static void test_stream(void **state) {
    hone_sample_options options = drawn(1);
    hone_sampler *sampler = NULL;
    hone_answer answer = {0};
    stream s = {0};

    (void)state;
    options.max_tokens = 60;
    expect(hone_sampler_create(model, NULL, tokenizer, form, &options, &sampler), HONE_OK);
    expect(hone_sampler_run(sampler, prompts, 1, take, &s, &answer), HONE_OK);
    for (int64_t d = 0; d <= REVISIONS; d++) {
        assert_int_equal(s.text[d].length, strlen(answer.draft[d].text));
        if (s.text[d].length > 0)
            assert_memory_equal(s.text[d].data, answer.draft[d].text, s.text[d].length);
        hn_bytes_clear(&s.text[d]);
    }
    hone_answer_clear(&answer);
    hone_sampler_destroy(sampler);
}

/** A template of `words` literal words before the prompt, from a file. */
static hone_template *open_long(int words) {
    char root[] = "/tmp/hone-sampler-XXXXXX", *path = NULL;
    hn_bytes text = {0};
    hone_template *made = NULL;

    assert_non_null(mkdtemp(root));
    expect(hn_path_join(root, "long.json", &path), HONE_OK);
    for (int role = 0; role < 2; role++) {
        expect(hn_bytes_printf(&text, "%s: [\"", role == 0 ? "{\"answer\"" : ", \"revision\""), HONE_OK);
        for (int i = 0; i < words; i++)
            expect(hn_bytes_printf(&text, "a"), HONE_OK);
        expect(hn_bytes_printf(&text, "\", \"{prompt}\", \"%s\"{completion}\"]",
                               role == 0 ? "=\", " : "=\", \"{draft}\", \"!\", "),
               HONE_OK);
    }
    expect(hn_bytes_printf(&text, "}"), HONE_OK);
    expect(hn_file_replace(path, text.data, text.length), HONE_OK);
    expect(hone_template_open(path, tokenizer, &made), HONE_OK);
    (void)remove(path);
    (void)remove(root);
    hn_bytes_clear(&text);
    hn_free(path);
    return made;
}

/** A template may be long: the model's positions are the only bound. Where they end, the draft ends. */
static void test_room(void **state) {
    hone_sample_options options = drawn(2);
    hone_template *few = open_long(POSITIONS - 40), *most = open_long(POSITIONS);
    hone_sampler *sampler = NULL;
    hone_answer answer[2] = {{0}};

    (void)state;
    options.revisions = 0;
    options.max_tokens = POSITIONS;
    expect(hone_sampler_create(model, NULL, tokenizer, few, &options, &sampler), HONE_OK);
    expect(hone_sampler_run(sampler, prompts, 2, NULL, NULL, answer), HONE_OK);
    for (int i = 0; i < 2; i++) {
        const hone_draft *draft = &answer[i].draft[0];
        assert_true(draft->ended || draft->prefilled + draft->reused + draft->tokens.count == POSITIONS + 1);
        assert_true(draft->ended ==
                    (draft->tokens.data[draft->tokens.count - 1] == hone_tokenizer_eos(tokenizer)));
    }
    clear(answer, 2);
    hone_sampler_destroy(sampler);
    expect(hone_sampler_create(model, NULL, tokenizer, most, &options, &sampler), HONE_OK);
    expect(hone_sampler_run(sampler, prompts, 2, NULL, NULL, answer), HONE_ERROR_ARGUMENT);
    assert_non_null(strstr(hone_message(), "prompt 1"));
    clear(answer, 2);
    hone_sampler_destroy(sampler);
    hone_template_destroy(few);
    hone_template_destroy(most);
}

/** r(y|y) of a draft, each sequence in a pack of its own. */
static double gain(const char *prompt, const hone_answer *answer, int64_t d) {
    hone_model *const which[] = {model, other};
    const int32_t eos = hone_tokenizer_eos(tokenizer);
    const char *text = answer->draft[d].text;
    hone_ids context = {0}, y = {0};
    hone_pack *pack = NULL;
    double sum[2] = {0.0, 0.0};

    context_of(prompt, answer, d + 1, &context);
    expect(hone_tokenizer_encode(tokenizer, text, strlen(text), false, &y), HONE_OK);
    expect(hone_ids_append(&y, &eos, 1), HONE_OK);
    const hone_sequence sequence = {context.data, context.count, y.data, y.count};
    expect(hone_pack_create(&sequence, 1, HONE_PACK_TRIE, &pack), HONE_OK);
    for (int m = 0; m < 2; m++) {
        hn_scorer *scorer = NULL;
        expect(hn_scorer_create(which[m], NULL, 1024, &scorer), HONE_OK);
        expect(hn_scorer_run(scorer, pack, &sum[m]), HONE_OK);
        hn_scorer_destroy(scorer);
    }
    hone_pack_destroy(pack);
    hone_ids_clear(&context);
    hone_ids_clear(&y);
    return sum[0] - sum[1];
}

static void test_best(void **state) {
    hone_sample_options options = drawn(1);
    hone_answer answer = {0};
    double score[REVISIONS + 1];
    int64_t best = -1, wanted = 0;

    (void)state;
    answer_with(&options, 1, 1, &answer);
    expect(hone_answer_best(model, NULL, other, tokenizer, form, prompts[0], &answer, &best, score), HONE_OK);
    for (int64_t d = 0; d <= REVISIONS; d++) {
        assert_true(fabs(score[d] - gain(prompts[0], &answer, d)) < 1e-4);
        wanted = score[d] > score[wanted] ? d : wanted;
    }
    assert_int_equal(best, wanted);
    expect(hone_answer_best(model, adapter, NULL, tokenizer, form, prompts[0], &answer, &best, score),
           HONE_OK);
    for (int64_t d = 0; d <= REVISIONS; d++)
        assert_true(score[d] == 0.0); /* a new adapter changes nothing */
    assert_int_equal(best, 0);
    expect(hone_answer_best(model, NULL, NULL, tokenizer, form, prompts[0], &answer, &best, score),
           HONE_ERROR_ARGUMENT);
    hone_answer_clear(&answer);
}

static void test_likeliest(void **state) {
    hone_draft draft[] = {
        {.logp = -3.0}, {.logp = -1.0}, {.logp = -2.0}, {.logp = -1.0}, {.logp = -INFINITY}};
    const hone_answer answer = {.draft = draft, .drafts = 5}, first = {.draft = draft, .drafts = 1},
                      none = {.draft = NULL, .drafts = 0};

    (void)state;
    assert_int_equal(hone_answer_likeliest(&answer), 3);
    assert_int_equal(hone_answer_likeliest(&first), 0);
    assert_int_equal(hone_answer_likeliest(&none), 0);
}

static void refuse(hone_sample_options options, const char *says) {
    hone_sampler *sampler = NULL;
    expect(hone_sampler_create(model, NULL, tokenizer, form, &options, &sampler), HONE_ERROR_ARGUMENT);
    assert_null(sampler);
    assert_non_null(strstr(hone_message(), says));
}

static void test_refusals(void **state) {
    hone_sample_options options = drawn(1);

    (void)state;
    options.max_tokens = 0;
    refuse(options, "--max-tokens");
    options = drawn(1);
    options.temperature = NAN;
    refuse(options, "--temperature");
    options.temperature = -1.0;
    refuse(options, "--temperature");
    options = drawn(1);
    options.top_p = 0.0;
    refuse(options, "--top-p");
    options = drawn(1);
    options.top_k = -1;
    refuse(options, "--top-k");
    refuse(drawn(0), "--batch");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_greedy),    cmocka_unit_test(test_batches),
                                       cmocka_unit_test(test_samples),   cmocka_unit_test(test_logps),
                                       cmocka_unit_test(test_stream),    cmocka_unit_test(test_afresh),
                                       cmocka_unit_test(test_room),      cmocka_unit_test(test_best),
                                       cmocka_unit_test(test_likeliest), cmocka_unit_test(test_refusals)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
