/* Checkpoint files: what is written is read; what is cut or changed is refused. */
#include <checkpoint/checkpoint.h>
#include <checkpoint/planes.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/random.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/hone-checkpoint-XXXXXX";
static char path[64], other[64];
enum { FLOATS = 1300000, BYTES = 1001 };
static float *values;
static unsigned char bytes[BYTES];

static void write_checkpoint(const char *to) {
    hn_checkpoint_writer *writer = NULL;
    assert_int_equal(hn_checkpoint_writer_create(to, &writer), HONE_OK);
    assert_int_equal(hn_checkpoint_add(writer, "floats", HONE_F32, values, FLOATS * sizeof *values), HONE_OK);
    assert_int_equal(hn_checkpoint_add(writer, "bytes", HONE_U8, bytes, BYTES), HONE_OK);
    assert_int_equal(hn_checkpoint_add(writer, "odd", HONE_BF16, bytes, 7), HONE_OK);
    assert_int_equal(hn_checkpoint_add(writer, "nothing", HONE_F32, bytes, 0), HONE_OK);
    assert_int_equal(hn_checkpoint_add(writer, "bytes", HONE_U8, bytes, BYTES), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_checkpoint_commit(writer), HONE_OK);
    hn_checkpoint_writer_destroy(writer);
}

static int set_up(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL)
        return 1;
    (void)snprintf(path, sizeof path, "%s/a.hone", folder);
    (void)snprintf(other, sizeof other, "%s/b.hone", folder);
    values = malloc(FLOATS * sizeof *values);
    for (int i = 0; i < FLOATS; i++)
        values[i] = 0.02f * (float)hn_random_normal(1, HN_PURPOSE_TEST, 0, (uint64_t)i);
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (unsigned char)(i * 7);
    write_checkpoint(path);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free(values);
    return unlink(path) + unlink(other) + rmdir(folder);
}

static void test_round_trip(void **state) {
    hn_checkpoint *checkpoint = NULL;
    float *back = malloc(FLOATS * sizeof *back);
    unsigned char small[BYTES];

    (void)state;
    assert_int_equal(hn_checkpoint_open(path, &checkpoint), HONE_OK);
    assert_int_equal(hn_checkpoint_count(checkpoint), 4);
    assert_int_equal(hn_checkpoint_read(checkpoint, "floats", back, FLOATS * sizeof *back), HONE_OK);
    assert_memory_equal(back, values, FLOATS * sizeof *back);
    assert_int_equal(hn_checkpoint_read(checkpoint, "bytes", small, BYTES), HONE_OK);
    assert_memory_equal(small, bytes, BYTES);
    assert_int_equal(hn_checkpoint_read(checkpoint, "odd", small, 7), HONE_OK);
    assert_memory_equal(small, bytes, 7);
    assert_int_equal(hn_checkpoint_read(checkpoint, "nothing", small, 0), HONE_OK);
    assert_int_equal(hn_checkpoint_read(checkpoint, "bytes", small, 5), HONE_ERROR_FORMAT);
    assert_int_equal(hn_checkpoint_read(checkpoint, "absent", small, 5), HONE_ERROR_FORMAT);
    /* Planes: normal float32 weights take less than 0.9 of their bytes. */
    const hn_checkpoint_chunk *chunk = hn_checkpoint_find(checkpoint, "floats");
    assert_true((double)chunk->stored_bytes < 0.9 * (double)chunk->bytes);
    hn_checkpoint_destroy(checkpoint);
    free(back);
}

static void test_same_bytes(void **state) {
    char *a = NULL, *b = NULL;
    size_t n = 0, m = 0;
    (void)state;
    write_checkpoint(other);
    assert_int_equal(hn_file_read(path, 1 << 27, &a, &n), HONE_OK);
    assert_int_equal(hn_file_read(other, 1 << 27, &b, &m), HONE_OK);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    hn_free(a);
    hn_free(b);
}

/** Opens and reads everything. */
static hone_status read_all(const char *from, float *room) {
    hn_checkpoint *checkpoint = NULL;
    unsigned char small[BYTES];
    hone_status status = hn_checkpoint_open(from, &checkpoint);
    if (status == HONE_OK)
        status = hn_checkpoint_read(checkpoint, "floats", room, FLOATS * sizeof *room);
    if (status == HONE_OK)
        status = hn_checkpoint_read(checkpoint, "bytes", small, BYTES);
    if (status == HONE_OK)
        status = hn_checkpoint_read(checkpoint, "odd", small, 7);
    hn_checkpoint_destroy(checkpoint);
    return status;
}

static void test_damage(void **state) {
    char *data = NULL;
    size_t length = 0;
    float *room = malloc(FLOATS * sizeof *room);

    (void)state;
    assert_int_equal(hn_file_read(path, 1 << 27, &data, &length), HONE_OK);
    for (int i = 0; i < 60; i++) { /* cuts: everywhere, and near both ends */
        const size_t any = (size_t)hn_random_below(2, HN_PURPOSE_TEST, 0, (uint64_t)i, length);
        const size_t cut = i < 20 ? (size_t)i * 3 : i < 40 ? length - 1 - (size_t)(i - 20) * 5 : any;
        assert_int_equal(hn_file_replace(other, data, cut), HONE_OK);
        assert_int_not_equal(read_all(other, room), HONE_OK);
        assert_true(hone_message()[0] != '\0');
    }
    for (int i = 0; i < 80; i++) { /* one bit, in the frames, the index and the footer */
        const size_t any = (size_t)hn_random_below(3, HN_PURPOSE_TEST, 0, (uint64_t)i, length);
        const size_t at = i < 24 ? length - 1 - (size_t)i : any;
        if (at >= 12 && at < 16)
            continue; /* reserved bytes of the header mean nothing */
        data[at] = (char)(data[at] ^ (1 << (i % 8)));
        assert_int_equal(hn_file_replace(other, data, length), HONE_OK);
        assert_int_not_equal(read_all(other, room), HONE_OK);
        data[at] = (char)(data[at] ^ (1 << (i % 8)));
    }
    free(room);
    hn_free(data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip), cmocka_unit_test(test_same_bytes),
                                       cmocka_unit_test(test_damage)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
