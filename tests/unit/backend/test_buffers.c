/* Buffers of the cpu backend, called without dispatch between: handles are recognised when stale, copies stay within
 * their buffers, memory comes from the host and all of it goes back. */
#include <dispatch/dispatch.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct {
    int living;
    size_t bytes;
    bool empty; /* no memory is left */
    char message[256];
} host_state;

static hone_status host_fail(void *context, hone_status status, const char *format, ...) HONE_PRINTF(3, 4);

static hone_status host_fail(void *context, hone_status status, const char *format, ...) {
    va_list arguments;
    (void)context;
    va_start(arguments, format);
    (void)vsnprintf(host_state.message, sizeof host_state.message, format, arguments);
    va_end(arguments);
    return status;
}

static void *host_allocate(void *context, size_t bytes, size_t alignment) {
    (void)context;
    if (host_state.empty) {
        return NULL;
    }
    host_state.living++;
    host_state.bytes += bytes;
    return aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
}

static void host_release(void *context, void *memory, size_t bytes) {
    (void)context;
    host_state.living--;
    host_state.bytes -= bytes;
    free(memory);
}

static void host_parallel(void *context, int64_t count,
                          void (*body)(void *argument, int64_t index, int thread), void *argument) {
    (void)context;
    for (int64_t i = 0; i < count; i++) {
        body(argument, i, 0);
    }
}

static int host_threads(void *context) {
    (void)context;
    return 1;
}

static const char *host_option(void *context, const char *name) {
    (void)context;
    (void)name;
    return NULL;
}

static const hone_host host = {.abi = HONE_BACKEND_ABI,
                               .size = sizeof(hone_host),
                               .fail = host_fail,
                               .allocate = host_allocate,
                               .release = host_release,
                               .parallel = host_parallel,
                               .threads = host_threads,
                               .option = host_option};

static const hone_backend *backend(void) { return hone_builtin_manifests[0]->backend; }

static hone_backend_device *open_device(void) {
    hone_backend_device *device = NULL;
    assert_int_equal(backend()->open(&host, 0, &device), HONE_OK);
    assert_non_null(device);
    return device;
}

static void stale_handles_are_refused(void **state) {
    hone_backend_device *device = open_device();
    uint64_t first, second;
    char text[4] = "abc";
    (void)state;
    assert_int_equal(backend()->buffer_create(device, 64, &first), HONE_OK);
    backend()->buffer_destroy(device, first);
    assert_int_equal(backend()->buffer_create(device, 64, &second), HONE_OK);
    assert_true(first != 0 && second != 0 && first != second);
    assert_int_equal(backend()->upload(device, first, 0, text, 4), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->upload(device, 0, 0, text, 4), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->upload(device, second + 1, 0, text, 4), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->upload(device, second, 0, text, 4), HONE_OK);
    backend()->buffer_destroy(device, first); /* the second must live on */
    assert_int_equal(backend()->download(device, text, second, 0, 4), HONE_OK);
    backend()->close(device);
}

static void copies_stay_within(void **state) {
    hone_backend_device *device = open_device();
    uint64_t a, b;
    char text[8] = "1234567", back[8] = "";
    (void)state;
    assert_int_equal(backend()->buffer_create(device, 8, &a), HONE_OK);
    assert_int_equal(backend()->buffer_create(device, 8, &b), HONE_OK);
    assert_int_equal(backend()->upload(device, a, 0, text, 8), HONE_OK);
    assert_int_equal(backend()->copy(device, b, 0, a, 0, 8), HONE_OK);
    assert_int_equal(backend()->download(device, back, b, 0, 8), HONE_OK);
    assert_string_equal(text, back);
    assert_int_equal(backend()->upload(device, a, 1, text, 8), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->download(device, back, a, UINT64_MAX, 2), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->copy(device, b, 9, a, 0, 0), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->copy(device, b, 8, a, 8, 0), HONE_OK);
    backend()->close(device);
}

/* The host's memory is read where it lies, is no one's to release, and its handle dies like any other. */
static void imported_memory(void **state) {
    hone_backend_device *device = open_device();
    const int own = host_state.living;
    static const char text[] = "not to be written";
    char back[sizeof text] = "";
    uint64_t buffer = 0;
    (void)state;
    assert_int_equal(backend()->buffer_import(device, text, sizeof text, &buffer), HONE_OK);
    assert_int_equal(host_state.living, own);
    assert_int_equal(backend()->download(device, back, buffer, 0, sizeof back), HONE_OK);
    assert_string_equal(back, text);
    assert_int_equal(backend()->download(device, back, buffer, 1, sizeof back), HONE_ERROR_ARGUMENT);
    backend()->buffer_destroy(device, buffer);
    assert_int_equal(backend()->download(device, back, buffer, 0, 1), HONE_ERROR_ARGUMENT);
    assert_int_equal(backend()->buffer_import(device, text, sizeof text, &buffer), HONE_OK);
    backend()->close(device); /* releases what is its own */
    assert_int_equal(host_state.living, own - 1);
}

static void memory_goes_back(void **state) {
    hone_backend_device *device = open_device();
    uint64_t buffer[200];
    const int own = host_state.living; /* the device's scratch */
    (void)state;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(backend()->buffer_create(device, (size_t)i, &buffer[i]), HONE_OK);
    }
    assert_int_equal(host_state.living, own + 200);
    for (int i = 0; i < 200; i += 2) {
        backend()->buffer_destroy(device, buffer[i]);
        backend()->buffer_destroy(device, buffer[i]);
    }
    assert_int_equal(host_state.living, own + 100);
    backend()->close(device);
    assert_int_equal(host_state.living, 0);
    assert_int_equal(host_state.bytes, 0);
}

static void lack_of_memory_is_told(void **state) {
    hone_backend_device *device = open_device();
    uint64_t buffer = 7;
    (void)state;
    host_state.empty = true;
    assert_int_equal(backend()->buffer_create(device, 123456, &buffer), HONE_ERROR_MEMORY);
    host_state.empty = false;
    assert_non_null(strstr(host_state.message, "123456"));
    assert_true(buffer == 0);
    backend()->close(device);
}

static void there_is_one_device(void **state) {
    hone_backend_device *device = (hone_backend_device *)(void *)&host_state;
    int count = 0;
    (void)state;
    assert_int_equal(backend()->count(&host, &count), HONE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(backend()->open(&host, 1, &device), HONE_ERROR_NOT_FOUND);
    assert_null(device);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stale_handles_are_refused), cmocka_unit_test(copies_stay_within),
        cmocka_unit_test(memory_goes_back),          cmocka_unit_test(imported_memory),
        cmocka_unit_test(lack_of_memory_is_told),    cmocka_unit_test(there_is_one_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
