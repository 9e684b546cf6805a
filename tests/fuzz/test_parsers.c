/* Every parser against files that are cut, flipped, overwritten with extreme numbers, stretched and shuffled: an error
 * with a reason or a result, never a crash. The mutations are a function of the round alone. */
#include "parsers.h"
#include "tiny.h"

#include <core/file.h>
#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/tokenizer.h>
#include <model/gguf.h>
#include <model/safetensors.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint64_t seed = 1;

/** xorshift64*: quick, and the same everywhere. */
static uint64_t draw(uint64_t below) {
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 2685821657736338717u % below;
}

static long rounds(void) {
    const char *text = getenv("HONE_FUZZ_ROUNDS");
    return text != NULL ? strtol(text, NULL, 10) : 600;
}

/* ---- mutations; the buffer has room for EXTRA more bytes ---- */

enum { EXTRA = 64 };

static void overwrite(unsigned char *data, size_t length) {
    static const uint64_t extreme[] = {0,
                                       1,
                                       127,
                                       255,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0x7fffffffffffffff,
                                       0x8000000000000000,
                                       0xffffffffffffffff,
                                       1u << 20,
                                       1u << 30,
                                       (uint64_t)1 << 40};
    const uint64_t value = extreme[draw(sizeof extreme / sizeof extreme[0])];
    const size_t bytes = (size_t)1 << draw(4), at = draw(length);
    for (size_t i = 0; i < bytes && at + i < length; i++)
        data[at + i] = (unsigned char)(value >> (8 * i));
}

/** Puts a piece of text in the place of some bytes. */
static size_t splice(unsigned char *data, size_t length) {
    static const char *const piece[] = {"",
                                        "{",
                                        "}",
                                        "[[[[[[[[",
                                        "]",
                                        "\"",
                                        ",",
                                        ":",
                                        "\\",
                                        "\\u",
                                        "\\ud83d",
                                        "null",
                                        "true",
                                        "-1",
                                        "0",
                                        "1e999",
                                        "9223372036854775808",
                                        "0.5",
                                        "\n",
                                        "\xff",
                                        "\xc3",
                                        "\xf0\x9f",
                                        "[]",
                                        "{}",
                                        "\"\"",
                                        "4294967296"};
    const char *text = piece[draw(sizeof piece / sizeof piece[0])];
    const size_t n = strlen(text), at = draw(length);
    size_t gone = draw(12);
    if (gone > length - at)
        gone = length - at;
    memmove(data + at + n, data + at + gone, length - at - gone);
    memcpy(data + at, text, n);
    return length - gone + n;
}

/** In "name": value, or YAML's like, puts a sound value of another kind or size, so that the file stays well formed. */
static size_t revalue(unsigned char *data, size_t length) {
    static const char *const value[] = {"0",       "-1",          "1",           "2",
                                        "1e308",   "1e-308",      "4294967296",  "9223372036854775807",
                                        "1048576", "3.5",         "true",        "false",
                                        "null",    "[]",          "{}",          "\"\"",
                                        "\"x\"",   "[[1,2],[3]]", "\"\\u0000\"", "{\"type\":\"x\"}"};
    const char *text = value[draw(sizeof value / sizeof value[0])];
    const size_t n = strlen(text), from = draw(length);
    const unsigned char *colon = memchr(data + from, ':', length - from);
    if (colon == NULL)
        return length;
    const size_t at = (size_t)(colon - data) + 1;
    size_t end = at;
    while (end < length && strchr(",\n}]", data[end]) == NULL)
        end++;
    memmove(data + at + n, data + end, length - end);
    memcpy(data + at, text, n);
    return length - (end - at) + n;
}

static size_t move(unsigned char *data, size_t length) {
    size_t bytes = draw(64) + 1;
    if (bytes > length)
        bytes = length;
    memmove(data + draw(length - bytes + 1), data + draw(length - bytes + 1), bytes);
    return length;
}

static size_t mutate(unsigned char *data, size_t length, size_t focus, bool text) {
    if (text && draw(3) > 0)
        return revalue(data, length);
    /* Most parsers look at the first bytes most closely. */
    const size_t window = draw(2) == 0 && focus < length ? focus : length;
    switch (draw(6)) {
    case 0:
        return draw(length);
    case 1:
        data[draw(window)] ^= (unsigned char)(1u << draw(8));
        return length;
    case 2:
        overwrite(data, window);
        return length;
    case 3:
        move(data, window);
        return length;
    default:
        if (window == length)
            return splice(data, length);
        data[draw(window)] = (unsigned char)"0123456789\"{}[],:-e\\"[draw(20)];
        return length;
    }
}

static void fuzz(const char *name, size_t focus, parser *parse) {
    size_t length = 0;
    unsigned char *original = tiny_read(name, &length), *data = malloc(length + 4 * EXTRA);
    const bool text = length > 0 && (original[0] == '{' || strstr(name, ".yaml") != NULL);
    long refused = 0;

    assert_non_null(data);
    seed = 88172645463325252u;
    tiny_expect(parse(), HONE_OK);
    for (long round = 0; round < rounds(); round++) {
        size_t now = length;
        memcpy(data, original, length);
        for (uint64_t times = draw(3) + 1; times > 0 && now > 0; times--)
            now = mutate(data, now, focus, text);
        parsers_put(name, data, now);
        if (parse() != HONE_OK) {
            parsers_check_message();
            refused++;
        }
    }
    parsers_put(name, original, length);
    tiny_expect(parse(), HONE_OK);
    print_message("%s: %ld of %ld refused\n", name, refused, rounds());
    assert_true(refused > 0);
    free(data);
    hn_free(original);
}

/** No beginning of the file is a file. */
static void cut(const char *name, parser *parse) {
    size_t length = 0;
    unsigned char *data = tiny_read(name, &length);
    for (size_t n = 0; n < length; n += n < 400 || length - n < 400 ? 7 : 1013) {
        parsers_put(name, data, n);
        if (parse() == HONE_OK)
            fail_msg("%s: its first %zu of %zu bytes are taken for a whole", name, n, length);
        parsers_check_message();
    }
    parsers_put(name, data, length);
    hn_free(data);
}

/* ---- a GGUF file of one layer, with the tiny tokenizer ---- */

static void put(hn_bytes *to, const void *data, size_t bytes) {
    assert_int_equal(hn_bytes_append(to, data, bytes), HONE_OK);
}
static void put_number(hn_bytes *to, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
        const unsigned char byte = (unsigned char)(value >> (8 * i));
        put(to, &byte, 1);
    }
}
static void put_text(hn_bytes *to, const char *text) {
    put_number(to, strlen(text), 8);
    put(to, text, strlen(text));
}
static void put_key(hn_bytes *to, const char *key, uint32_t type) {
    put_text(to, key);
    put_number(to, type, 4);
}
static void put_string(hn_bytes *to, const char *key, const char *value) {
    put_key(to, key, 8);
    put_text(to, value);
}
static void put_integer(hn_bytes *to, const char *key, uint32_t value) {
    put_key(to, key, 4);
    put_number(to, value, 4);
}

static void put_tokens(hn_bytes *to, const hone_tokenizer *tokenizer) {
    const int64_t count = hone_tokenizer_vocabulary(tokenizer);
    put_key(to, "tokenizer.ggml.tokens", 9);
    put_number(to, 8, 4);
    put_number(to, (uint64_t)count, 8);
    for (int64_t i = 0; i < count; i++)
        put_text(to, hone_tokenizer_token(tokenizer, (int32_t)i));
    put_key(to, "tokenizer.ggml.token_type", 9);
    put_number(to, 5, 4);
    put_number(to, (uint64_t)count, 8);
    for (int64_t i = 0; i < count; i++)
        put_number(to, hone_tokenizer_is_special(tokenizer, (int32_t)i) ? 3 : 1, 4);
}

/** Merges as text, whether tokenizer.json has them as pairs or as "left right". */
static void put_merges(hn_bytes *to) {
    size_t length = 0;
    char *text = (char *)tiny_read("model/tokenizer.json", &length);
    json_t *root = json_loadb(text, length, 0, NULL);
    const json_t *merges = json_object_get(json_object_get(root, "model"), "merges");
    put_key(to, "tokenizer.ggml.merges", 9);
    put_number(to, 8, 4);
    put_number(to, json_array_size(merges), 8);
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const json_t *merge = json_array_get(merges, i);
        char both[256];
        (void)snprintf(both, sizeof both, "%s %s", json_string_value(json_array_get(merge, 0)),
                       json_string_value(json_array_get(merge, 1)));
        put_text(to, json_is_string(merge) ? json_string_value(merge) : both);
    }
    json_decref(root);
    hn_free(text);
}

typedef struct part {
    const char *name;
    uint64_t rows; /* 0: a vector */
    uint32_t type;
} part;
enum { WIDTH = 32, METADATA = 14 };

static void make_gguf(void) {
    char *folder = tiny_place("model");
    hone_tokenizer *tokenizer = NULL;
    hn_bytes file = {0}, data = {0};
    tiny_expect(hone_tokenizer_open(folder, &tokenizer), HONE_OK);
    const part parts[] = {{"token_embd.weight", (uint64_t)hone_tokenizer_vocabulary(tokenizer), HN_GGUF_Q8_0},
                          {"blk.0.attn_norm.weight", 0, HN_GGUF_F32},
                          {"blk.0.attn_q.weight", WIDTH, HN_GGUF_F32},
                          {"blk.0.attn_k.weight", WIDTH, HN_GGUF_F16},
                          {"blk.0.attn_v.weight", WIDTH, HN_GGUF_BF16},
                          {"blk.0.attn_output.weight", WIDTH, HN_GGUF_Q4_0},
                          {"blk.0.ffn_norm.weight", 0, HN_GGUF_F32},
                          {"blk.0.ffn_gate.weight", WIDTH, HN_GGUF_Q4_1},
                          {"blk.0.ffn_up.weight", WIDTH, HN_GGUF_Q8_0},
                          {"blk.0.ffn_down.weight", WIDTH, HN_GGUF_Q4_0},
                          {"output_norm.weight", 0, HN_GGUF_F32}};
    const size_t count = sizeof parts / sizeof parts[0];

    put(&file, "GGUF", 4);
    put_number(&file, 3, 4);
    put_number(&file, count, 8);
    put_number(&file, METADATA, 8);
    put_string(&file, "general.architecture", "llama");
    put_integer(&file, "general.alignment", 32);
    put_integer(&file, "llama.embedding_length", WIDTH);
    put_integer(&file, "llama.feed_forward_length", WIDTH);
    put_integer(&file, "llama.block_count", 1);
    put_integer(&file, "llama.attention.head_count", 2);
    put_integer(&file, "llama.attention.head_count_kv", 2);
    put_integer(&file, "llama.context_length", 64);
    put_string(&file, "tokenizer.ggml.model", "gpt2");
    put_string(&file, "tokenizer.ggml.pre", "gpt-2");
    put_integer(&file, "tokenizer.ggml.eos_token_id", (uint32_t)hone_tokenizer_eos(tokenizer));
    put_tokens(&file, tokenizer);
    put_merges(&file);
    for (size_t i = 0; i < count; i++) {
        /* Bytes of 32 elements, by type. */
        const uint64_t block = parts[i].type == HN_GGUF_F32    ? 128
                               : parts[i].type == HN_GGUF_Q8_0 ? 34
                               : parts[i].type == HN_GGUF_Q4_0 ? 18
                               : parts[i].type == HN_GGUF_Q4_1 ? 20
                                                               : 64;
        put_text(&file, parts[i].name);
        put_number(&file, parts[i].rows > 0 ? 2 : 1, 4);
        put_number(&file, WIDTH, 8);
        if (parts[i].rows > 0)
            put_number(&file, parts[i].rows, 8);
        put_number(&file, parts[i].type, 4);
        put_number(&file, data.length, 8);
        for (uint64_t b = 0; b < block * (parts[i].rows > 0 ? parts[i].rows : 1); b++)
            put_number(&data, b % 37, 1);
        while (data.length % 32 != 0)
            put_number(&data, 0, 1);
    }
    while (file.length % 32 != 0)
        put_number(&file, 0, 1);
    put(&file, data.data, data.length);
    parsers_put("model.gguf", file.data, file.length);
    hn_bytes_clear(&file);
    hn_bytes_clear(&data);
    hone_tokenizer_destroy(tokenizer);
    hn_free(folder);
}

/* ---- tests ---- */

static int set_up(void **state) {
    if (parsers_set_up(state) != 0)
        return 1;
    make_gguf();
    return 0;
}

static void safetensors(void **state) {
    (void)state;
    fuzz("model/model.safetensors", 600, parse_model);
    cut("model/model.safetensors", parse_model);
}
static void config_json(void **state) {
    (void)state;
    fuzz("model/config.json", 1000, parse_config);
}
static void tokenizer_json(void **state) {
    (void)state;
    fuzz("model/tokenizer.json", 1500, parse_tokenizer);
}
static void tokenizer_config_json(void **state) {
    (void)state;
    fuzz("model/tokenizer_config.json", 1000, parse_tokenizer);
}
static void adapter_json(void **state) {
    (void)state;
    fuzz("run/final/adapter_config.json", 1000, parse_adapter);
}
static void adapter_safetensors(void **state) {
    (void)state;
    fuzz("run/final/adapter_model.safetensors", 600, parse_adapter);
    cut("run/final/adapter_model.safetensors", parse_adapter);
}
static void rows(void **state) {
    (void)state;
    fuzz("pairs.jsonl", 200, parse_rows);
}
static void options(void **state) {
    (void)state;
    fuzz("run/config.yaml", 1000, parse_options);
}
static void checkpoint(void **state) {
    (void)state;
    fuzz("run/checkpoints/step-00000002.hone", 64, parse_checkpoint);
    cut("run/checkpoints/step-00000002.hone", parse_checkpoint);
}
static void gguf(void **state) {
    (void)state;
    fuzz("model.gguf", 700, parse_gguf);
    cut("model.gguf", parse_gguf);
}

/** Brackets without end, in whatever reads JSON. */
static void deep(void **state) {
    enum { DEPTH = 1000000 };
    static const struct {
        const char *name;
        parser *parse;
    } files[] = {{"model/config.json", parse_config},
                 {"model/tokenizer.json", parse_tokenizer},
                 {"model/tokenizer_config.json", parse_tokenizer},
                 {"pairs.jsonl", parse_rows},
                 {"run/final/adapter_config.json", parse_adapter},
                 {"run/config.yaml", parse_options}};
    char *brackets = malloc(DEPTH);

    (void)state;
    assert_non_null(brackets);
    memset(brackets, '[', DEPTH);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        size_t length = 0;
        unsigned char *original = tiny_read(files[i].name, &length);
        parsers_put(files[i].name, brackets, DEPTH);
        assert_int_not_equal(files[i].parse(), HONE_OK);
        parsers_check_message();
        parsers_put(files[i].name, original, length);
        hn_free(original);
    }
    free(brackets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(safetensors),    cmocka_unit_test(config_json),
        cmocka_unit_test(tokenizer_json), cmocka_unit_test(tokenizer_config_json),
        cmocka_unit_test(adapter_json),   cmocka_unit_test(adapter_safetensors),
        cmocka_unit_test(rows),           cmocka_unit_test(options),
        cmocka_unit_test(checkpoint),     cmocka_unit_test(gguf),
        cmocka_unit_test(deep),
    };
    return cmocka_run_group_tests(tests, set_up, parsers_tear_down);
}
