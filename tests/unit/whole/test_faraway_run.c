/* The whole way on a device whose memory nobody else can touch: training, checkpoint and resume, sampling. The numbers are
 * those of the built-in device's scalar reference, bit for bit. */
#include <core/file.h>
#include <core/memory.h>
#include <hone/sample.h>
#include <hone/tokenizer.h>
#include <hone/train.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char root[] = "/tmp/hone-faraway-XXXXXX";

static char *place(const char *name) {
    char *path = NULL;
    assert_int_equal(hn_path_join(root, name, &path), HONE_OK);
    return path;
}

/** A tokenizer, a tiny model and twelve pairs. */
static int set_up(void **state) {
    const char *const text[] = {"sort b a c = a b c", "sort c a b = a c b Better"}, *const special[] = {
                                                                                        "<|endoftext|>"};
    const size_t length[] = {strlen(text[0]), strlen(text[1])};
    const hone_tokenizer_train_options options = {
        .vocabulary = 270, .min_frequency = 1, .special = special, .special_count = 1};
    hone_tokenizer *tokenizer = NULL;
    hone_device *device = NULL;
    hone_model *model = NULL;
    hn_bytes rows = {0};
    char *folder = NULL, *data = NULL;

    (void)state;
    assert_non_null(mkdtemp(root));
    folder = place("model");
    data = place("pairs.jsonl");
    assert_int_equal(hone_tokenizer_train(&options, text, length, 2, &tokenizer), HONE_OK);
    assert_int_equal(hone_device_open(NULL, NULL, &device), HONE_OK);
    const hone_model_config config = {.width = 16,
                                      .hidden = 24,
                                      .layers = 2,
                                      .heads = 2,
                                      .kv_heads = 1,
                                      .head_dim = 8,
                                      .vocabulary = hone_tokenizer_vocabulary(tokenizer),
                                      .max_positions = 128,
                                      .norm_epsilon = 1e-5,
                                      .tied = true,
                                      .rope_theta = 10000.0,
                                      .initializer_range = 0.1,
                                      .bos = -1,
                                      .eos = hone_tokenizer_eos(tokenizer)};
    assert_int_equal(hone_model_create(device, &config, 3, &model), HONE_OK);
    assert_int_equal(hone_model_save(model, folder, HONE_F32), HONE_OK);
    assert_int_equal(hone_tokenizer_save(tokenizer, folder), HONE_OK);
    for (int i = 0; i < 12; i++)
        assert_int_equal(
            hn_bytes_printf(
                &rows, "{\"prompt\":\"sort %d b a =\",\"chosen\":\" a b %d\",\"rejected\":\" b %d a\"}\n", i,
                i, i),
            HONE_OK);
    assert_int_equal(hn_file_replace(data, rows.data, rows.length), HONE_OK);
    hn_bytes_clear(&rows);
    hone_model_destroy(model);
    hone_device_close(device);
    hone_tokenizer_destroy(tokenizer);
    hn_free(folder);
    hn_free(data);
    return 0;
}

static int tear_down(void **state) {
    char command[64];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void set(hone_train_options *options, const char *name, const char *value) {
    assert_int_equal(hone_train_options_set(options, name, value), HONE_OK);
}

typedef struct device_choice {
    const char *name, *isa, *matmul;
} device_choice;
static const device_choice scalar = {NULL, "scalar", "reference"}, faraway = {"faraway", NULL, NULL};

static void fill(hone_train_options *options, const device_choice *device, const char *out, bool full) {
    char *model = place("model"), *data = place("pairs.jsonl"), *cache = place(out), *run = place(out);

    assert_int_equal(hone_train_options_init(options), HONE_OK);
    set(options, "model", model);
    set(options, "data", data);
    set(options, "out", run);
    set(options, "cache", cache);
    set(options, "method", "srpo");
    set(options, "lr", "1e-2");
    set(options, "batch-pairs", "2");
    set(options, "accumulate", "2");
    set(options, "pack-tokens", "160");
    if (full)
        set(options, "full", NULL);
    else
        set(options, "lora-dropout", "0.1");
    if (device->name != NULL)
        set(options, "device", device->name);
    if (device->isa != NULL)
        set(options, "isa", device->isa);
    if (device->matmul != NULL)
        set(options, "matmul", device->matmul);
    hn_free(model);
    hn_free(data);
    hn_free(cache);
    hn_free(run);
}

static bool stop_at_once(void *context) {
    (void)context;
    return true;
}

/** Trains, with a stop after the first step and a resume when `broken`. */
static void train(const device_choice *device, const char *out, bool full, bool broken) {
    hone_train_options options;
    hone_train_summary summary;
    const hone_train_observer stopping = {.stop = stop_at_once};

    fill(&options, device, out, full);
    if (broken) {
        assert_int_equal(hone_train_options_check(&options), HONE_OK);
        assert_int_equal(hone_train(&options, &stopping, &summary), HONE_ERROR_INTERRUPTED);
        set(&options, "resume", NULL);
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
    char *x = place(a), *y = place(b), *left = NULL, *right = NULL;
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
    char *folder = place("model");

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
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
