/* What the system says of this process's memory, against memory that the test takes. */
#include <core/file.h>
#include <core/process.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES = 64 << 20 };

static void test_resident(void **state) {
    (void)state;
    const uint64_t before = hn_resident_bytes();
    assert_true(before > 0 && before <= hn_peak_bytes() + (1 << 20));
    char *memory = malloc(BYTES);
    assert_non_null(memory);
    memset(memory, 1, BYTES);
    const uint64_t with = hn_resident_bytes();
    assert_true(with >= before + BYTES / 2);
    assert_int_equal(memory[BYTES / 3], 1);
    free(memory);
}

static void test_available(void **state) {
    (void)state;
    const uint64_t available = hn_available_bytes();
    assert_true(available > 0 && available < UINT64_C(1) << 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resident), cmocka_unit_test(test_available)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
