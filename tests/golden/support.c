#include "support.h"

#include <core/memory.h>
#include <math.h>
#include <stdio.h>

const char *golden_path(const char *format, ...) {
    static char text[4][1024];
    static int turn;
    va_list arguments;

    turn = (turn + 1) % 4;
    const int length = snprintf(text[turn], sizeof text[turn], "%s/tests/golden/fixtures/", HONE_SOURCE_DIR);
    assert_in_range(length, 1, sizeof text[turn] - 1);
    va_start(arguments, format);
    vsnprintf(text[turn] + length, sizeof text[turn] - (size_t)length, format, arguments);
    va_end(arguments);
    return text[turn];
}

json_t *golden_json(const char *path) {
    json_t *value = NULL;

    REQUIRE(hn_json_read(path, &value));
    return value;
}

const json_t *golden_member(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);

    if (value == NULL)
        fail_msg("a fixture lacks %s", key);
    return value;
}

double golden_real(const json_t *object, const char *key) {
    return json_number_value(golden_member(object, key));
}

const char *golden_string(const json_t *object, const char *key) {
    const char *text = json_string_value(golden_member(object, key));

    assert_non_null(text);
    return text;
}

int32_t *golden_ids(const json_t *list, int64_t *count) {
    int32_t *ids = NULL;

    assert_true(json_is_array(list));
    *count = (int64_t)json_array_size(list);
    REQUIRE(hn_alloc(&ids, (size_t)*count, sizeof *ids, "ids"));
    for (int64_t i = 0; i < *count; i++)
        ids[i] = (int32_t)json_integer_value(json_array_get(list, (size_t)i));
    return ids;
}

double *golden_reals(const json_t *list, int64_t *count) {
    double *reals = NULL;

    assert_true(json_is_array(list));
    *count = (int64_t)json_array_size(list);
    REQUIRE(hn_alloc(&reals, (size_t)*count, sizeof *reals, "numbers"));
    for (int64_t i = 0; i < *count; i++)
        reals[i] = json_number_value(json_array_get(list, (size_t)i));
    return reals;
}

bool golden_same_ids(const json_t *list, const int32_t *ids, int64_t count) {
    if (!json_is_array(list) || (int64_t)json_array_size(list) != count)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (json_integer_value(json_array_get(list, (size_t)i)) != ids[i])
            return false;
    return true;
}

double golden_relative(double found, double wanted) { return fabs(found - wanted) / fabs(wanted); }

hone_device *golden_device(const char *name) {
    hone_device *device = NULL;

    if (hone_device_open(name, NULL, &device) != HONE_OK)
        print_message("skipped: no device %s: %s\n", name, hone_message());
    return device;
}
