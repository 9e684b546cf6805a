/* The whole way on a device whose memory nobody else can touch: training, checkpoint and resume, sampling. The numbers are
 * those of the built-in device's scalar reference, bit for bit. */
#include "tiny_run.h"

#include <hone/sample.h>

typedef struct device_choice {
    const char *name, *isa, *matmul;
} device_choice;
static const device_choice scalar = {NULL, "scalar", "reference"}, faraway = {"faraway", NULL, NULL};

static void fill(hone_train_options *options, const device_choice *device, const char *out, bool full) {
    char *model = tr_place("model"), *data = tr_place("pairs.jsonl"), *cache = tr_place(out),
         *run = tr_place(out);

    assert_int_equal(hone_train_options_init(options), HONE_OK);
    tr_set(options, "model", model);
    tr_set(options, "data", data);
    tr_set(options, "out", run);
    tr_set(options, "cache", cache);
    tr_set(options, "method", "srpo");
    tr_set(options, "lr", "1e-2");
    tr_set(options, "batch-pairs", "2");
    tr_set(options, "accumulate", "2");
    tr_set(options, "pack-tokens", "160");
    if (full)
        tr_set(options, "full", NULL);
    else
        tr_set(options, "lora-dropout", "0.1");
    if (device->name != NULL)
        tr_set(options, "device", device->name);
    if (device->isa != NULL)
        tr_set(options, "isa", device->isa);
    if (device->matmul != NULL)
        tr_set(options, "matmul", device->matmul);
    hn_free(model);
    hn_free(data);
    hn_free(cache);
    hn_free(run);
}

static void note_step(void *context, const hone_train_metrics *metrics) {
    (void)metrics;
    *(bool *)context = true;
}

static bool stop_then(void *context) { return *(bool *)context; }

/** Trains, with a stop after the first step and a resume when `broken`. */
static void train(const device_choice *device, const char *out, bool full, bool broken) {
    hone_train_options options;
    hone_train_summary summary;
    bool stepped = false;
    const hone_train_observer stopping = {.context = &stepped, .stepped = note_step, .stop = stop_then};

    fill(&options, device, out, full);
    if (broken) {
        assert_int_equal(hone_train_options_check(&options), HONE_OK);
        assert_int_equal(hone_train(&options, &stopping, &summary), HONE_ERROR_INTERRUPTED);
        tr_set(&options, "resume", NULL);
    }
    assert_int_equal(hone_train_options_check(&options), HONE_OK);
    const hone_status status = hone_train(&options, NULL, &summary);
    if (status != HONE_OK)
        print_message("%s\n", hone_message());
    assert_int_equal(status, HONE_OK);
    assert_int_equal(summary.steps, 3);
    hone_train_options_clear(&options);
}

static void assert_same_file(const char *a, const char *b) {
    char *x = tr_place(a), *y = tr_place(b), *left = NULL, *right = NULL;
    size_t n = 0, m = 0;

    assert_int_equal(hn_file_read(x, 1 << 26, &left, &n), HONE_OK);
    assert_int_equal(hn_file_read(y, 1 << 26, &right, &m), HONE_OK);
    assert_int_equal(n, m);
    assert_memory_equal(left, right, n);
    hn_free(left);
    hn_free(right);
    hn_free(x);
    hn_free(y);
}

static bool missing(void) {
    hone_device *device = NULL;
    if (hone_device_open("faraway", NULL, &device) == HONE_OK) {
        hone_device_close(device);
        return false;
    }
    print_message("skipped: %s\n", hone_message());
    return true;
}

static void test_lora(void **state) {
    (void)state;
    if (missing())
        skip();
    train(&scalar, "near", false, false);
    train(&faraway, "far", false, true);
    assert_same_file("near/final/adapter_model.safetensors", "far/final/adapter_model.safetensors");
}

static void test_full(void **state) {
    (void)state;
    if (missing())
        skip();
    train(&scalar, "near-full", true, false);
    train(&faraway, "far-full", true, true);
    assert_same_file("near-full/final/model.safetensors", "far-full/final/model.safetensors");
}

/** Two prompts, two revisions, drawn. */
static void sample(const device_choice *choice, hone_answer answer[2]) {
    const hone_device_options options = {.isa = choice->isa, .matmul = choice->matmul};
    const char *const prompt[] = {"sort 1 b a =", "sort 2 c a b ="};
    hone_sample_options sampling = hone_sample_defaults();
    hone_device *device = NULL;
    hone_model *model = NULL;
    hone_tokenizer *tokenizer = NULL;
    hone_template *form = NULL;
    hone_sampler *sampler = NULL;
    char *folder = tr_place("model");

    sampling.max_tokens = 6;
    sampling.temperature = 1.0;
    sampling.revisions = 2;
    assert_int_equal(hone_device_open(choice->name, &options, &device), HONE_OK);
    assert_int_equal(hone_model_open(device, folder, &model), HONE_OK);
    assert_int_equal(hone_tokenizer_open(folder, &tokenizer), HONE_OK);
    assert_int_equal(hone_template_open("plain", tokenizer, &form), HONE_OK);
    assert_int_equal(hone_sampler_create(model, NULL, tokenizer, form, &sampling, &sampler), HONE_OK);
    assert_int_equal(hone_sampler_run(sampler, prompt, 2, NULL, NULL, answer), HONE_OK);
    hone_sampler_destroy(sampler);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
    hone_model_destroy(model);
    hone_device_close(device);
    hn_free(folder);
}

static void test_sampling(void **state) {
    hone_answer near[2] = {{0}}, far[2] = {{0}};

    (void)state;
    if (missing())
        skip();
    sample(&scalar, near);
    sample(&faraway, far);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(near[i].drafts, 3);
        for (int64_t d = 0; d < 3; d++) {
            assert_int_equal(near[i].draft[d].tokens.count, far[i].draft[d].tokens.count);
            assert_memory_equal(near[i].draft[d].tokens.data, far[i].draft[d].tokens.data,
                                (size_t)near[i].draft[d].tokens.count * sizeof(int32_t));
            assert_true(near[i].draft[d].logp == far[i].draft[d].logp);
        }
        hone_answer_clear(&near[i]);
        hone_answer_clear(&far[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lora), cmocka_unit_test(test_full),
                                       cmocka_unit_test(test_sampling)};
    return cmocka_run_group_tests(tests, tr_set_up, tr_tear_down);
}
