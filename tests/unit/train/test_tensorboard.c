/* Event files: the checksum's published vectors; the CLI tests read whole files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <train/tensorboard.h>

#include <cmocka.h>

/** RFC 3720, B.4, and the check value of the CRC catalogues. */
static void test_checksum(void **state) {
    unsigned char bytes[32];
    (void)state;
    assert_int_equal(hn_crc32c("", 0), 0);
    assert_int_equal(hn_crc32c("123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(hn_crc32c(bytes, sizeof bytes), 0x8a9136aau);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(hn_crc32c(bytes, sizeof bytes), 0x62a8ab43u);
    for (unsigned char i = 0; i < sizeof bytes; i++)
        bytes[i] = i;
    assert_int_equal(hn_crc32c(bytes, sizeof bytes), 0x46dd794eu);
}

static void test_folder_that_is_a_file(void **state) {
    char *path = NULL;
    (void)state;
    assert_int_not_equal(hn_tensorboard_begin("/dev/null/events", 1, &path), HONE_OK);
    assert_null(path);
    assert_int_not_equal(hone_message()[0], '\0');
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_checksum),
                                       cmocka_unit_test(test_folder_that_is_a_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
