/* Checkpoints written beside the steps: what is saved is the state when saving began, a failure is reported by the next
 * call, and the checkpoint before it stays. */
#include <core/file.h>
#include <core/memory.h>
#include <errno.h>
#include <model/parameters.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>
#include <train/saver.h>

#include <cmocka.h>

static const hone_model_config config = {.width = 16,
                                         .hidden = 24,
                                         .layers = 1,
                                         .heads = 2,
                                         .kv_heads = 1,
                                         .head_dim = 8,
                                         .vocabulary = 40,
                                         .max_positions = 32,
                                         .norm_epsilon = 1e-5,
                                         .rope_theta = 10000.0,
                                         .initializer_range = 0.1,
                                         .bos = -1,
                                         .eos = 0,
                                         .tied = true};
static const hn_identity identity = {.base = "base",
                                     .data = "data",
                                     .method = "srpo",
                                     .trained = "full",
                                     .numerics = "n",
                                     .seed = 1,
                                     .batch = 2};

typedef struct fixture {
    char folder[32];
    hone_device *device;
    hone_model *model;
    hn_parameters *weights;
    hn_optimizer *optimizer;
    hn_saver *saver;
} fixture;

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s", hone_message());
}

static int set_up(void **state) {
    const hn_optimizer_options options = {.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    static fixture f;

    f = (fixture){.folder = "/tmp/hone-saver-XXXXXX"};
    assert_non_null(mkdtemp(f.folder));
    ok(hone_device_open(NULL, NULL, &f.device));
    ok(hone_model_create(f.device, &config, 1, &f.model));
    f.weights = hn_model_weights(f.model);
    ok(hn_optimizer_create(f.weights, &options, &f.optimizer));
    ok(hn_saver_create(f.folder, 2, &identity, f.weights, f.optimizer, &f.saver));
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    char **names = NULL;
    size_t count = 0;

    hn_files_replace(NULL);
    hn_saver_destroy(f->saver);
    hn_optimizer_destroy(f->optimizer);
    hone_model_destroy(f->model);
    hone_device_close(f->device);
    ok(hn_folder_list(f->folder, &names, &count));
    for (size_t i = 0; i < count; i++) {
        char *path = NULL;
        ok(hn_path_join(f->folder, names[i], &path));
        (void)remove(path);
        hn_free(path);
    }
    hn_names_free(names, count);
    return remove(f->folder);
}

static void set_weights(fixture *f, float value) {
    for (size_t i = 0; i < f->weights->count; i++) {
        const size_t count = (size_t)hn_tensor_elements(&f->weights->item[i].value);
        float *values = NULL;
        ok(hn_alloc(&values, count, sizeof *values, "values"));
        for (size_t j = 0; j < count; j++)
            values[j] = value;
        ok(hn_parameter_write(f->weights, &f->weights->item[i], HONE_F32, values));
        hn_free(values);
    }
}

static float first_weight(const fixture *f) {
    const hone_tensor row = hn_tensor_rows(f->weights->item[0].value, 0, 1);
    float values[16] = {0};
    ok(hn_parameter_read(f->weights, &row, HONE_F32, values));
    return values[0];
}

static int64_t restore(fixture *f) {
    int64_t step = -1;
    ok(hn_snapshot_restore(f->folder, &identity, f->weights, f->optimizer, &step));
    return step;
}

static void test_state_of_the_beginning(void **state) {
    fixture *f = *state;

    assert_true(hn_saver_copy_bytes(f->weights) > 0);
    assert_null(hn_saver_last(f->saver));
    for (int step = 1; step <= 4; step++) {
        set_weights(f, (float)step);
        ok(hn_saver_begin(f->saver, step));
        set_weights(f, -7.0f); /* training goes on */
    }
    ok(hn_saver_wait(f->saver));
    assert_non_null(strstr(hn_saver_last(f->saver), "step-00000004.hone"));
    assert_int_equal(restore(f), 4);
    assert_true(first_weight(f) == 4.0f);
}

static int no_rename(const char *from, const char *to) {
    (void)from;
    (void)to;
    errno = ENOSPC;
    return -1;
}

static void test_failure_comes_later(void **state) {
    fixture *f = *state;
    hn_file_calls full = *hn_files();

    set_weights(f, 1.0f);
    ok(hn_saver_begin(f->saver, 1));
    ok(hn_saver_wait(f->saver));
    full.rename = no_rename;
    hn_files_replace(&full);
    set_weights(f, 2.0f);
    ok(hn_saver_begin(f->saver, 2)); /* nobody knows yet */
    assert_int_equal(hn_saver_begin(f->saver, 3), HONE_ERROR_IO);
    assert_non_null(strstr(hone_message(), "step-00000002"));
    hn_files_replace(NULL);
    assert_non_null(strstr(hn_saver_last(f->saver), "step-00000001.hone"));
    ok(hn_saver_wait(f->saver)); /* reported once */
    assert_int_equal(restore(f), 1);
    assert_true(first_weight(f) == 1.0f);
    ok(hn_saver_begin(f->saver, 5)); /* and it can go on */
    ok(hn_saver_wait(f->saver));
    assert_int_equal(restore(f), 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_state_of_the_beginning, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_comes_later, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
