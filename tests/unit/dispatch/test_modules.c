/* Modules that must be refused: each is listed with its reason, and nothing of it runs. */
#include <dispatch/device.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BAD HONE_BINARY_DIR "/tests/bad-modules"
#define GOOD HONE_BINARY_DIR "/tests/modules"

static char folder[] = "/tmp/hone-modules-XXXXXX", mark[64];

static const hone_device_entry *find(const hone_device_entry *entries, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0)
            return &entries[i];
    fail_msg("%s is not in the list", name);
    return NULL;
}

/* What the list says of each; the first two words would do, but a remedy must be there too. */
static const struct {
    const char *name, *reason;
} expected[] = {
    {"abi", "built for backend ABI 3, this hone has 2"},
    {"magic", "no magic number"},
    {"size", "its manifest has"},
    {"name", "its manifest calls it"},
    {"table", "its table of functions has"},
    {"nothing", "no manifest (symbol hone_backend_manifest_1)"},
    {"missing", "cannot open shared object file"},
    {"cut", "the file is cut"},
    {"text", "not a 64-bit shared object"},
    {"failing", "the driver is too old: 3, 7 is needed"},
    {"empty", "no device"},
    {"folder", "not a regular file"},
    {"short", "too few for a shared object"},
};

static void test_listed_with_reasons(void **state) {
    (void)state;
    hone_device_entry *entries = NULL;
    size_t count = 0;

    assert_int_equal(hone_devices_list(&entries, &count), HONE_OK);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        const hone_device_entry *entry = find(entries, count, expected[i].name);
        assert_non_null(entry->reason);
        assert_null(entry->detail);
        if (strstr(entry->reason, expected[i].reason) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", entry->name, entry->reason, expected[i].reason);
    }
    assert_int_not_equal(access(mark, F_OK), 0);
    hone_devices_free(entries, count);
}

static void test_good_ones_stay(void **state) {
    (void)state;
    hone_device_entry *entries = NULL;
    size_t count = 0;

    assert_int_equal(hone_devices_list(&entries, &count), HONE_OK);
    assert_null(entries[0].reason);
    assert_string_equal(entries[0].path, "built in");
    const hone_device_entry *oracle = find(entries, count, "oracle:0");
    assert_null(oracle->reason);
    assert_non_null(oracle->detail);
    assert_string_equal(oracle->path, GOOD "/hone-oracle.so");
    /* The folder is named twice: its modules are there once. A file of the same name further on is not loaded. */
    size_t seen = 0;
    for (size_t i = 0; i < count; i++)
        seen += strcmp(entries[i].name, "oracle:0") == 0;
    assert_int_equal(seen, 1);
    assert_string_equal(find(entries, count, "oracle")->reason, "another backend of this name comes first");
    hone_devices_free(entries, count);
}

static void test_relative_folders_are_refused(void **state) {
    (void)state;
    hone_device_entry *entries = NULL;
    size_t count = 0;
    bool told = false;

    assert_int_equal(hone_devices_list(&entries, &count), HONE_OK);
    for (size_t i = 0; i < count; i++) {
        assert_null(strstr(entries[i].name, "relative"));
        told = told ||
               (strcmp(entries[i].path, "modules") == 0 && strstr(entries[i].reason, "relative") != NULL);
    }
    assert_true(told);
    hone_devices_free(entries, count);
}

static void test_opening_says_why(void **state) {
    (void)state;
    hone_device *device = NULL;

    assert_int_equal(hone_device_open("abi", NULL, &device), HONE_ERROR_DEVICE);
    assert_non_null(strstr(hone_message(), "backend ABI 3"));
    assert_int_equal(hone_device_open("cut:0", NULL, &device), HONE_ERROR_DEVICE);
    assert_non_null(strstr(hone_message(), "cut"));
    assert_int_equal(hone_device_open("empty", NULL, &device), HONE_ERROR_NOT_FOUND);
    assert_int_equal(hone_device_open("failing", NULL, &device), HONE_ERROR_DEVICE);
    assert_null(device);
    assert_int_not_equal(access(mark, F_OK), 0);
}

/* A good module cut at any length: refused, never a crash. Cutting nothing off is refused too: the name differs. */
static void test_cut_anywhere(void **state) {
    (void)state;
    static char data[1 << 20];
    FILE *file = fopen(GOOD "/hone-oracle.so", "rb");
    assert_non_null(file);
    const size_t size = fread(data, 1, sizeof data, file);
    assert_int_equal(fclose(file), 0);
    assert_true(size > 4096 && size < sizeof data);

    for (size_t length = 0; length < size; length += length < 200 ? 1 : 1009) {
        const hone_backend *backend = NULL;
        char path[128];
        (void)snprintf(path, sizeof path, "%s/hone-part.so", folder);
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(data, 1, length, file), length);
        assert_int_equal(fclose(file), 0);
        assert_int_not_equal(hn_module_load(path, "part", &backend), HONE_OK);
        assert_null(backend);
    }
}

static void test_hostile_manifests(void **state) {
    (void)state;
    static const hone_backend table = {.abi = HONE_BACKEND_ABI, .size = sizeof(hone_backend)};
    const hone_backend_manifest good = {.magic = HONE_BACKEND_MAGIC,
                                        .abi = HONE_BACKEND_ABI,
                                        .size = sizeof(hone_backend_manifest),
                                        .name = "x",
                                        .backend = &table};
    assert_int_equal(hn_manifest_check(&good, "x"), HONE_OK);
    hone_backend_manifest bad = good;
    memset(bad.name, 'x', sizeof bad.name);
    assert_int_equal(hn_manifest_check(&bad, "x"), HONE_ERROR_DEVICE);
    bad = good;
    bad.backend = NULL;
    assert_int_equal(hn_manifest_check(&bad, "x"), HONE_ERROR_DEVICE);
    bad = good;
    bad.magic++;
    assert_int_equal(hn_manifest_check(&bad, "x"), HONE_ERROR_DEVICE);
}

static void write_file(const char *name, const char *text) {
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

/* The search happens once per process, so the environment is made before the first call. */
static int set_up(void **state) {
    char path[512], link[128];

    (void)state;
    if (mkdtemp(folder) == NULL || chdir(HONE_BINARY_DIR "/tests") != 0)
        return -1;
    (void)snprintf(link, sizeof link, "%s/hone-folder.so", folder);
    if (mkdir(link, 0700) != 0)
        return -1;
    write_file("hone-short.so", "\177ELF");
    write_file("other.so", "not a name of a module");
    (void)snprintf(link, sizeof link, "%s/hone-oracle.so", folder);
    if (symlink(GOOD "/hone-oracle.so", link) != 0)
        return -1;
    (void)snprintf(mark, sizeof mark, "%s/mark", folder);
    (void)snprintf(path, sizeof path, "%s:%s:modules:%s/../modules:/nowhere/at/all:%s", BAD, GOOD, GOOD,
                   folder);
    return setenv("HONE_TEST_MARK", mark, 1) == 0 && setenv("HONE_BACKEND_PATH", path, 1) == 0 ? 0 : -1;
}

static int tear_down(void **state) {
    static const char *const names[] = {"hone-folder.so", "hone-short.so", "other.so", "hone-oracle.so",
                                        "hone-part.so"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)remove(path);
    }
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed_with_reasons),
        cmocka_unit_test(test_good_ones_stay),
        cmocka_unit_test(test_relative_folders_are_refused),
        cmocka_unit_test(test_opening_says_why),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_hostile_manifests),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
