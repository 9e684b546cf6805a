/* Devices: names, options, buffers, copies, the table of buffers, operations that a backend lacks. */
#include <core/memory.h>
#include <dispatch/device.h>
#include <hone/log.h>
#include <tensor/tensor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void ok(hone_status status) {
    if (status != HONE_OK)
        fail_msg("%s: %s", hone_status_name(status), hone_message());
}

static hone_device *open_device(const hone_device_options *options) {
    hone_device *device = NULL;
    ok(hone_device_open(NULL, options, &device));
    return device;
}

static void test_names(void **state) {
    (void)state;
    static const char *const wrong[] = {"",
                                        ":0",
                                        "nope",
                                        "cpu:",
                                        "cpu:x",
                                        "cpu:1 ",
                                        "cpu:-1",
                                        "cpu:99",
                                        "cpu:99999999999999999999",
                                        "a name that is far too long for a backend"};
    hone_device *device = open_device(NULL), *again = NULL;

    assert_string_equal(hone_device_name(device), "cpu:0");
    assert_true(strlen(hone_device_detail(device)) > 0);
    assert_true(strlen(hone_device_numerics(device)) > 0);
    ok(hone_device_open("cpu", NULL, &again));
    assert_string_equal(hone_device_numerics(device), hone_device_numerics(again));
    hone_device_close(again);
    hone_device_close(device);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        again = (hone_device *)&again;
        assert_int_not_equal(hone_device_open(wrong[i], NULL, &again), HONE_OK);
        assert_null(again);
    }
    assert_int_equal(hone_device_open("nope", NULL, &again), HONE_ERROR_NOT_FOUND);
    assert_non_null(strstr(hone_message(), "hone devices"));
    hone_device_close(NULL);
}

static void test_options(void **state) {
    (void)state;
    hone_device *device = open_device(&(hone_device_options){.threads = 3});
    hone_device *other = NULL;

    assert_int_equal(hone_device_threads(device), 3);
    hone_device_close(device);
    assert_int_equal(hone_device_open(NULL, &(hone_device_options){.threads = -1}, &other),
                     HONE_ERROR_ARGUMENT);
    assert_int_equal(hone_device_open(NULL, &(hone_device_options){.threads = 1000000}, &other),
                     HONE_ERROR_ARGUMENT);
    assert_int_not_equal(hone_device_open(NULL, &(hone_device_options){.isa = "z80"}, &other), HONE_OK);
    assert_non_null(strstr(hone_message(), "z80"));
    assert_null(other);
}

static void test_accounting(void **state) {
    (void)state;
    hone_device *device = open_device(NULL);
    uint64_t a = 0, b = 0;

    ok(hn_buffer_create(device, 1000, &a));
    ok(hn_buffer_create(device, 0, &b));
    assert_true(a != 0 && b != 0 && a != b);
    assert_int_equal(hone_device_bytes(device), 1000);
    hn_buffer_destroy(device, a);
    hn_buffer_destroy(device, 0);
    assert_int_equal(hone_device_bytes(device), 0);
    assert_int_equal(hone_device_peak_bytes(device), 1000);
    hn_buffer_destroy(device, a); /* gone: nothing happens */
    hn_buffer_destroy(device, b);
    hone_device_close(device);
}

static void test_copies_stay_in_bounds(void **state) {
    (void)state;
    hone_device *device = open_device(NULL);
    uint64_t a = 0;
    char bytes[64] = "some bytes", back[64] = {0};

    ok(hn_buffer_create(device, 64, &a));
    ok(hn_upload(device, a, 0, bytes, 64));
    ok(hn_download(device, back, a, 0, 64));
    assert_memory_equal(bytes, back, 64);
    ok(hn_upload(device, a, 64, NULL, 0));
    assert_int_equal(hn_upload(device, a, 1, bytes, 64), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_upload(device, a, UINT64_MAX, bytes, 2), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_download(device, back, a + 1, 0, 1), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_download(device, back, 0, 0, 1), HONE_ERROR_ARGUMENT);
    hone_tensor x = hn_tensor_1(a, 0, HONE_F32, 8), y = hn_tensor_1(a, 36, HONE_F32, 8);
    assert_int_equal(hn_copy(device, &y, &x), HONE_ERROR_ARGUMENT);
    y.offset = 16;
    assert_int_equal(hn_copy(device, &y, &x), HONE_ERROR_ARGUMENT);
    y.offset = 32;
    ok(hn_copy(device, &y, &x));
    ok(hn_download(device, back, a, 32, 32));
    assert_memory_equal(bytes, back, 32);
    hn_buffer_destroy(device, a);
    assert_int_equal(hn_download(device, back, a, 0, 1), HONE_ERROR_ARGUMENT);
    ok(hn_synchronise(device));
    hone_device_close(device);
}

static void test_strided_tensors(void **state) {
    (void)state;
    hone_device *device = open_device(NULL);
    float all[12], some[6] = {1, 2, 3, 4, 5, 6}, back[6] = {0};
    uint64_t a = 0;

    for (int i = 0; i < 12; i++)
        all[i] = -1;
    ok(hn_buffer_create(device, sizeof all, &a));
    ok(hn_upload(device, a, 0, all, sizeof all));
    hone_tensor x = hn_tensor_2(a, 4, HONE_F32, 3, 2);
    x.row_stride = 4;
    ok(hn_upload_tensor(device, &x, some));
    ok(hn_download_tensor(device, &x, back));
    assert_memory_equal(some, back, sizeof some);
    ok(hn_download(device, all, a, 0, sizeof all));
    const float expected[12] = {-1, 1, 2, -1, -1, 3, 4, -1, -1, 5, 6, -1};
    assert_memory_equal(all, expected, sizeof all);
    x.offset = 12;
    assert_int_equal(hn_upload_tensor(device, &x, some), HONE_ERROR_ARGUMENT);
    hn_buffer_destroy(device, a);
    hone_device_close(device);
}

/* Against a plain list: handles that come and go, in a table that does not grow with their number. */
static void test_table_of_buffers(void **state) {
    (void)state;
    enum { LIVE = 100 };
    hn_buffers buffers = {0};
    uint64_t live[LIVE] = {0}, next = 1;
    size_t bytes = 0;

    for (int round = 0; round < 50000; round++) {
        const int i = (round * 7919) % LIVE;
        if (live[i] != 0) {
            assert_true(hn_buffers_find(&buffers, live[i], &bytes));
            assert_int_equal(bytes, live[i] * 3);
            assert_true(hn_buffers_remove(&buffers, live[i], &bytes));
            assert_false(hn_buffers_find(&buffers, live[i], &bytes));
            assert_false(hn_buffers_remove(&buffers, live[i], &bytes));
        }
        live[i] = round % 2 == 0 ? next++ : (next++) << 32;
        ok(hn_buffers_add(&buffers, live[i], live[i] * 3));
    }
    assert_true(buffers.slots <= 16 * LIVE);
    for (int i = 0; i < LIVE; i++)
        assert_true(hn_buffers_find(&buffers, live[i], &bytes) && bytes == live[i] * 3);
    assert_int_equal(hn_buffers_add(&buffers, live[0], 1), HONE_ERROR_DEVICE);
    assert_int_equal(hn_buffers_add(&buffers, 0, 1), HONE_ERROR_DEVICE);
    assert_int_equal(hn_buffers_add(&buffers, UINT64_MAX, 1), HONE_ERROR_DEVICE);
    hn_buffers_clear(&buffers);
}

static int warnings;
static char warning[256];

static void count_warning(void *context, hone_log_level level, const char *line) {
    (void)context;
    if (level == HONE_LOG_WARNING) {
        warnings++;
        (void)snprintf(warning, sizeof warning, "%s", line);
    }
}

/* A device whose backend has no addition and no linear. */
static hone_device *open_lacking(bool allow, hone_backend *table) {
    hone_device *device = open_device(&(hone_device_options){.threads = 1, .allow_fallback = allow});
    *table = *device->backend;
    table->operation[HONE_OP_ADD] = table->operation[HONE_OP_LINEAR] = NULL;
    device->backend = table;
    return device;
}

static void test_a_lacking_operation_is_an_error(void **state) {
    (void)state;
    hone_backend table;
    hone_device *device = open_lacking(false, &table);
    uint64_t a = 0;

    ok(hn_buffer_create(device, 3 * 128, &a));
    const hone_tensor operand[3] = {hn_tensor_2(a, 0, HONE_F32, 2, 2), hn_tensor_2(a, 128, HONE_F32, 2, 2),
                                    hn_tensor_2(a, 256, HONE_F32, 2, 2)};
    assert_int_equal(hn_run(device, HONE_OP_ADD, &(hone_call){.operand = operand}), HONE_ERROR_UNSUPPORTED);
    assert_non_null(strstr(hone_message(), "add"));
    assert_non_null(strstr(hone_message(), "--allow-fallback"));
    hn_buffer_destroy(device, a);
    hone_device_close(device);
}

/* Columns of one buffer, in place and accumulating: what lies beside them stays. */
static void test_fallback(void **state) {
    (void)state;
    hone_backend table;
    hone_device *device = open_lacking(true, &table);
    float x[12] = {1, 2, 10, 20, 7, 7, 3, 4, 30, 40, 7, 7};
    uint64_t a = 0;

    warnings = 0;
    hone_log_set_sink(count_warning, NULL, HONE_LOG_WARNING);
    ok(hn_buffer_create(device, sizeof x, &a));
    ok(hn_upload(device, a, 0, x, sizeof x));
    hone_tensor operand[4] = {hn_tensor_2(a, 0, HONE_F32, 2, 2), hn_tensor_2(a, 8, HONE_F32, 2, 2)};
    operand[0].row_stride = operand[1].row_stride = 6;
    operand[2] = operand[1];
    ok(hn_run(device, HONE_OP_ADD, &(hone_call){.operand = operand}));
    ok(hn_run(device, HONE_OP_ADD, &(hone_call){.operand = operand}));
    ok(hn_download(device, x, a, 0, sizeof x));
    const float sums[12] = {1, 2, 12, 24, 7, 7, 3, 4, 36, 48, 7, 7};
    assert_memory_equal(x, sums, sizeof x);
    assert_int_equal(warnings, 1);
    assert_non_null(strstr(warning, "add"));
    assert_non_null(strstr(warning, "bytes"));

    const hone_scale_params one = {1.0};
    hone_tensor wide = operand[1];
    wide.offset = 16; /* columns 4 and 5 */
    const hone_tensor linear[4] = {operand[0], hn_tensor_2(a, 0, HONE_F32, 2, 2), hn_tensor_absent(), wide};
    ok(hn_run(device, HONE_OP_LINEAR,
              &(hone_call){.operand = linear, .params = &one, .accumulate = 1u << HONE_LINEAR_Y}));
    ok(hn_download(device, x, a, 0, sizeof x));
    /* w = [[1,2],[12,24]]: the rows (1,2) and (3,4) give (5,60) and (11,132) */
    const float products[12] = {1, 2, 12, 24, 12, 67, 3, 4, 36, 48, 18, 139};
    assert_memory_equal(x, products, sizeof x);
    assert_int_equal(warnings, 2);
    hone_log_set_sink(NULL, NULL, HONE_LOG_WARNING);
    hn_buffer_destroy(device, a);
    hone_device_close(device);
}

/* Every allocation of opening, listing and running fails once: a clean error, nothing leaks (the sanitizers see). */
static void test_allocations_that_fail(void **state) {
    (void)state;
    for (int64_t n = 1; n < 200; n++) {
        hone_device *device = NULL;
        hone_device_entry *entries = NULL;
        size_t count = 0;
        hn_memory_fail_at(n);
        const hone_status opened = hone_device_open("cpu:0", &(hone_device_options){.threads = 2}, &device);
        const hone_status listed = hone_devices_list(&entries, &count);
        hn_memory_fail_at(0);
        hone_device_close(device);
        if (listed == HONE_OK)
            hone_devices_free(entries, count);
        else
            assert_null(entries);
        assert_true(opened == HONE_OK || device == NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_accounting),
        cmocka_unit_test(test_copies_stay_in_bounds),
        cmocka_unit_test(test_strided_tensors),
        cmocka_unit_test(test_table_of_buffers),
        cmocka_unit_test(test_a_lacking_operation_is_an_error),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_allocations_that_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
