#include "core/hash.h"
#include "core/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Known answers of Philox4x32-10 from Random123's own test file (kat_vectors), reached through the key and
 * counter layout that random.h promises. */
static void known_answers(void **state) {
    static const uint32_t zero[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
    static const uint32_t ones[4] = {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu};
    static const uint32_t digits[4] = {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u};
    uint32_t out[4];
    (void)state;
    hn_random4(0, (hn_purpose)0, 0, 0, out);
    assert_memory_equal(out, zero, sizeof out);
    hn_random4(UINT64_MAX, (hn_purpose)-1, UINT32_MAX, UINT64_MAX, out);
    assert_memory_equal(out, ones, sizeof out);
    /* counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0 */
    hn_random4(UINT64_C(0x299f31d0a4093822), (hn_purpose)0x03707344, 0x13198a2eu,
               UINT64_C(0x85a308d3243f6a88), out);
    assert_memory_equal(out, digits, sizeof out);
}

static void moments(void **state) {
    enum { N = 200000 };
    double uniform = 0.0, square = 0.0, normal = 0.0, variance = 0.0;
    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        double u = hn_random_uniform(1, HN_PURPOSE_TEST, 2, i),
               z = hn_random_normal(1, HN_PURPOSE_TEST, 3, i);
        assert_true(u >= 0.0 && u < 1.0 && isfinite(z));
        uniform += u / N;
        square += u * u / N;
        normal += z / N;
        variance += z * z / N;
    }
    assert_true(fabs(uniform - 0.5) < 0.003 && fabs(square - 1.0 / 3.0) < 0.003);
    assert_true(fabs(normal) < 0.01 && fabs(variance - 1.0) < 0.02);
}

static void below_and_shuffle(void **state) {
    int64_t order[100], again[100], count[7] = {0};
    unsigned char seen[100] = {0};
    (void)state;
    for (uint64_t i = 0; i < 70000; i++)
        count[hn_random_below(5, HN_PURPOSE_TEST, 0, i, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_true(count[i] > 9500 && count[i] < 10500);
    hn_random_shuffle(9, HN_PURPOSE_SHUFFLE, 1, order, 100);
    hn_random_shuffle(9, HN_PURPOSE_SHUFFLE, 1, again, 100);
    assert_memory_equal(order, again, sizeof order);
    for (int i = 0; i < 100; i++)
        seen[order[i]]++;
    for (int i = 0; i < 100; i++)
        assert_int_equal(seen[i], 1);
    hn_random_shuffle(9, HN_PURPOSE_SHUFFLE, 2, again, 100);
    assert_memory_not_equal(order, again, sizeof order);
    hn_random_shuffle(9, HN_PURPOSE_SHUFFLE, 2, again, 0);
}

static void purposes_differ(void **state) {
    (void)state;
    uint64_t a = hn_random_u64(1, HN_PURPOSE_SAMPLE, 0, 0), b = hn_random_u64(1, HN_PURPOSE_DROPOUT, 0, 0);
    uint64_t c = hn_random_u64(1, HN_PURPOSE_SAMPLE, 1, 0), d = hn_random_u64(2, HN_PURPOSE_SAMPLE, 0, 0);
    assert_true(a != b && a != c && a != d && b != c);
}

static void digest_of(const char *first, const char *second, char digest[33]) {
    hn_hasher *hasher = NULL;
    assert_int_equal(hn_hasher_create(&hasher), HONE_OK);
    hn_hasher_text(hasher, first);
    hn_hasher_text(hasher, second);
    hn_hasher_digest(hasher, digest);
    hn_hasher_destroy(hasher);
}

static void hashes(void **state) {
    char a[33], b[33], c[33];
    (void)state;
    digest_of("ab", "c", a);
    digest_of("a", "bc", b);
    digest_of("ab", "c", c);
    assert_string_equal(a, c);
    assert_string_not_equal(a, b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(strspn(a, "0123456789abcdef"), 32);
    assert_true(hn_hash64("", 0) == UINT64_C(0x2d06800538d394c2)); /* XXH3's published value */
    hn_hasher_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),   cmocka_unit_test(moments), cmocka_unit_test(below_and_shuffle),
        cmocka_unit_test(purposes_differ), cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
