#include "core/json.h"

#include "core/file.h"
#include "core/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static json_t *parsed(const char *text) {
    json_t *value = NULL;
    assert_int_equal(hn_json_parse(text, strlen(text), "here", &value), HONE_OK);
    return value;
}

static void refused(const char *text, const char *word) {
    json_t *value = NULL;
    assert_int_equal(hn_json_parse(text, strlen(text), "rows.jsonl:7", &value), HONE_ERROR_FORMAT);
    assert_null(value);
    assert_non_null(strstr(hone_message(), "rows.jsonl:7"));
    if (!strstr(hone_message(), word))
        fail_msg("\"%s\" does not say \"%s\"", hone_message(), word);
}

static void damaged(void **state) {
    (void)state;
    refused("{\"a\":1,\"a\":2}", "duplicate");
    refused("{\"a\":1", "line 1");
    refused("{}\n x", "line 2");
    refused("", "column");
    refused("{\"a\":\"\xff\"}", "0xff");
    refused("{\"a\":1e999}", "overflow");
    char *deep = test_malloc(10001);
    memset(deep, '[', 10000);
    deep[10000] = '\0';
    refused(deep, "depth");
    test_free(deep);
}

static void accessors(void **state) {
    json_t *value = parsed("{\"i\":5,\"r\":2.5,\"b\":true,\"s\":\"x\",\"n\":null,\"whole\":64.0}");
    int64_t integer = 0;
    double real = 0.0;
    bool boolean = false;
    const char *text = NULL;
    (void)state;
    assert_int_equal(hn_json_integer(value, "i", "here", &integer), HONE_OK);
    assert_int_equal(integer, 5);
    assert_int_equal(hn_json_integer(value, "whole", "here", &integer), HONE_OK);
    assert_int_equal(integer, 64);
    assert_int_equal(hn_json_integer(value, "r", "here", &integer), HONE_ERROR_FORMAT);
    assert_int_equal(hn_json_integer(value, "absent", "here", &integer), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "\"absent\" is missing"));
    assert_int_equal(hn_json_integer_or(value, "n", "here", 9, &integer), HONE_OK);
    assert_int_equal(integer, 9);
    assert_int_equal(hn_json_integer_or(value, "s", "here", 9, &integer), HONE_ERROR_FORMAT);
    assert_non_null(strstr(hone_message(), "here: \"s\" must be an integer, not a string"));
    assert_int_equal(hn_json_real(value, "i", "here", &real), HONE_OK);
    assert_true(real == 5.0);
    assert_int_equal(hn_json_real_or(value, "absent", "here", 0.5, &real), HONE_OK);
    assert_true(real == 0.5);
    assert_int_equal(hn_json_boolean_or(value, "b", "here", false, &boolean), HONE_OK);
    assert_true(boolean);
    assert_int_equal(hn_json_boolean_or(value, "i", "here", false, &boolean), HONE_ERROR_FORMAT);
    assert_int_equal(hn_json_string(value, "s", "here", &text), HONE_OK);
    assert_string_equal(text, "x");
    assert_int_equal(hn_json_string_or(value, "absent", "here", "other", &text), HONE_OK);
    assert_string_equal(text, "other");
    json_decref(value);
    value = parsed("[1]");
    assert_int_equal(hn_json_string(value, "s", "here", &text), HONE_ERROR_FORMAT);
    assert_int_equal(hn_json_integer_or(value, "s", "here", 1, &integer), HONE_ERROR_FORMAT);
    json_decref(value);
    assert_int_equal(hn_json_string(NULL, "s", "here", &text), HONE_ERROR_FORMAT);
}

/* tokenizer_config.json of many models: an integer that no type holds. */
static void huge_integers(void **state) {
    json_t *value = parsed("{\"model_max_length\":1000000000000000019884624838656,\"size\":32}");
    double real = 0.0;
    int64_t integer = 0;
    (void)state;
    assert_int_equal(hn_json_real(value, "model_max_length", "here", &real), HONE_OK);
    assert_true(real > 0.9e30 && real < 1.1e30);
    assert_int_equal(hn_json_integer(value, "model_max_length", "here", &integer), HONE_ERROR_FORMAT);
    assert_int_equal(hn_json_integer(value, "size", "here", &integer), HONE_OK);
    assert_int_equal(integer, 32);
    json_decref(value);
}

static void round_trip(void **state) {
    char path[] = "/tmp/hone-json-XXXXXX";
    const double number = 0.1 + 0.2;
    double back = 0.0;
    json_t *value = json_pack("{s:f,s:i,s:s}", "z", number, "a", 1, "m", "caf\xc3\xa9"), *read = NULL;
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(close(file), 0);
    assert_int_equal(hn_json_write(path, value), HONE_OK);
    assert_int_equal(hn_json_read(path, &read), HONE_OK);
    assert_true(json_equal(value, read));
    assert_int_equal(hn_json_real(read, "z", path, &back), HONE_OK);
    assert_true(back == number);
    char *text = NULL;
    size_t length = 0;
    assert_int_equal(hn_file_read(path, 1000, &text, &length), HONE_OK);
    assert_true(strstr(text, "\"z\"") < strstr(text, "\"a\"")); /* insertion order */
    hn_free(text);
    json_decref(value);
    json_decref(read);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hn_json_read(path, &read), HONE_ERROR_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged),
        cmocka_unit_test(accessors),
        cmocka_unit_test(huge_integers),
        cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
