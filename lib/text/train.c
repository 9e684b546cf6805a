/*
 * Training a byte-level BPE tokenizer (Sennrich et al. 2016): the most frequent pair of neighbours is merged, again and
 * again; equal counts go to the pair of the smaller ids. Words are counted once; a merge changes the counts of the words
 * that hold the pair, and of no others.
 */
#include <core/hash.h>
#include <core/status.h>
#include <stdlib.h>
#include <string.h>
#include <text/tokenizer.h>
#include <text/unicode.h>

typedef struct word {
    int32_t *id; /**< what is left of its symbols */
    size_t count;
    int64_t times;
    char *text;
    size_t length;
} word;

/** A pair of neighbours, and the words that may hold it. */
typedef struct pair {
    uint64_t key; /**< left << 32 | right; UINT64_MAX: free */
    int64_t times;
    int32_t *words;
    size_t count, capacity;
} pair;

typedef struct trainer {
    word *word;
    size_t words, word_capacity;
    size_t *word_slot, word_slots; /**< index + 1 by hash of the text */
    pair *pair;
    size_t pairs, pair_slots;
    hn_bytes *token; /**< text of each token, byte alphabet */
    size_t tokens, token_capacity;
    json_t *merges;
} trainer;

static const char gpt2_pattern[] =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

static hone_status grow_words(trainer *t) {
    size_t *larger = NULL;
    const size_t slots = t->word_slots > 0 ? 2 * t->word_slots : 4096;

    if (2 * (t->words + 1) <= t->word_slots)
        return HONE_OK;
    HN_TRY(hn_alloc(&larger, slots, sizeof *larger, "words"));
    for (size_t i = 0; i < t->words; i++) {
        size_t at = (size_t)hn_hash64(t->word[i].text, t->word[i].length) & (slots - 1);
        while (larger[at] != 0)
            at = (at + 1) & (slots - 1);
        larger[at] = i + 1;
    }
    hn_free(t->word_slot);
    t->word_slot = larger;
    t->word_slots = slots;
    return HONE_OK;
}

static hone_status count_word(trainer *t, const char *text, size_t length) {
    HN_TRY(grow_words(t));
    size_t at = (size_t)hn_hash64(text, length) & (t->word_slots - 1);
    for (; t->word_slot[at] != 0; at = (at + 1) & (t->word_slots - 1)) {
        word *known = &t->word[t->word_slot[at] - 1];
        if (known->length == length && memcmp(known->text, text, length) == 0) {
            known->times++;
            return HONE_OK;
        }
    }
    HN_TRY(hn_reserve(&t->word, &t->word_capacity, t->words + 1, sizeof *t->word, "words"));
    word *fresh = &t->word[t->words];
    *fresh = (word){.times = 1, .length = length, .count = length};
    HN_TRY(hn_strndup(&fresh->text, text, length));
    t->words++;
    t->word_slot[at] = t->words;
    HN_TRY(hn_alloc(&fresh->id, length, sizeof *fresh->id, "word"));
    for (size_t i = 0; i < length; i++)
        fresh->id[i] = (unsigned char)text[i];
    return HONE_OK;
}

static hone_status count_words(trainer *t, const hn_splitter *splitter, const char *text, size_t length) {
    hn_spans spans = {0};
    hone_status status = HONE_OK;

    HN_GO(hn_utf8_check(text, length));
    HN_GO(hn_splitter_run(splitter, text, length, &spans));
    for (size_t i = 0; i < spans.count; i++)
        HN_GO(count_word(t, text + spans.item[i].begin, spans.item[i].end - spans.item[i].begin));
done:
    hn_spans_clear(&spans);
    return status;
}

static size_t find_pair(const pair *table, size_t slots, uint64_t key) {
    size_t at = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (slots - 1);
    while (table[at].key != key && table[at].key != UINT64_MAX)
        at = (at + 1) & (slots - 1);
    return at;
}

static hone_status grow_pairs(trainer *t) {
    pair *larger = NULL;
    const size_t slots = t->pair_slots > 0 ? 2 * t->pair_slots : 4096;

    if (2 * (t->pairs + 1) <= t->pair_slots)
        return HONE_OK;
    HN_TRY(hn_alloc(&larger, slots, sizeof *larger, "pairs"));
    for (size_t i = 0; i < slots; i++)
        larger[i].key = UINT64_MAX;
    for (size_t i = 0; i < t->pair_slots; i++)
        if (t->pair[i].key != UINT64_MAX)
            larger[find_pair(larger, slots, t->pair[i].key)] = t->pair[i];
    hn_free(t->pair);
    t->pair = larger;
    t->pair_slots = slots;
    return HONE_OK;
}

/** Adds the word's frequency to a pair and notes the word; a word may be noted twice. */
static hone_status add_pair(trainer *t, int32_t left, int32_t right, int32_t index, int64_t times) {
    const uint64_t key = (uint64_t)(uint32_t)left << 32 | (uint32_t)right;

    HN_TRY(grow_pairs(t));
    pair *at = &t->pair[find_pair(t->pair, t->pair_slots, key)];
    if (at->key == UINT64_MAX) {
        *at = (pair){.key = key};
        t->pairs++;
    }
    at->times += times;
    if (times < 0 || (at->count > 0 && at->words[at->count - 1] == index))
        return HONE_OK;
    HN_TRY(hn_reserve(&at->words, &at->capacity, at->count + 1, sizeof *at->words, "pairs"));
    at->words[at->count++] = index;
    return HONE_OK;
}

static hone_status count_pairs(trainer *t, size_t index, int64_t sign) {
    const word *w = &t->word[index];
    for (size_t i = 0; i + 1 < w->count; i++)
        HN_TRY(add_pair(t, w->id[i], w->id[i + 1], (int32_t)index, sign * w->times));
    return HONE_OK;
}

/** The most frequent pair; NULL when none is frequent enough. */
static const pair *best_pair(const trainer *t, int64_t min_frequency) {
    const pair *best = NULL;
    for (size_t i = 0; i < t->pair_slots; i++) {
        const pair *at = &t->pair[i];
        if (at->key == UINT64_MAX || at->times < min_frequency || at->times <= 0)
            continue;
        if (best == NULL || at->times > best->times || (at->times == best->times && at->key < best->key))
            best = at;
    }
    return best;
}

static void merge_word(word *w, int32_t left, int32_t right, int32_t id) {
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        const bool joins = i + 1 < w->count && w->id[i] == left && w->id[i + 1] == right;
        w->id[kept++] = joins ? id : w->id[i];
        i += joins;
    }
    w->count = kept;
}

static hone_status add_token(trainer *t, const char *text, size_t length) {
    HN_TRY(hn_reserve(&t->token, &t->token_capacity, t->tokens + 1, sizeof *t->token, "tokens"));
    t->token[t->tokens] = (hn_bytes){0};
    return hn_bytes_append(&t->token[t->tokens++], text, length);
}

static hone_status merge_best(trainer *t, const pair *best) {
    const int32_t left = (int32_t)(best->key >> 32), right = (int32_t)(best->key & UINT32_MAX),
                  id = (int32_t)t->tokens;
    const size_t count = best->count;
    int32_t *words = NULL;
    hn_bytes text = {0};
    hone_status status = HONE_OK;

    HN_GO(hn_bytes_append(&text, t->token[left].data, t->token[left].length));
    HN_GO(hn_bytes_append(&text, " ", 1));
    HN_GO(hn_bytes_append(&text, t->token[right].data, t->token[right].length));
    json_array_append_new(t->merges, json_stringn(text.data, text.length));
    text.length = 0;
    HN_GO(hn_bytes_append(&text, t->token[left].data, t->token[left].length));
    HN_GO(hn_bytes_append(&text, t->token[right].data, t->token[right].length));
    HN_GO(add_token(t, text.data, text.length));
    /* A copy: counting the new pairs may move the table. */
    HN_GO(hn_alloc(&words, count, sizeof *words, "pairs"));
    memcpy(words, best->words, count * sizeof *words);
    for (size_t i = 0; i < count; i++) {
        HN_GO(count_pairs(t, (size_t)words[i], -1));
        merge_word(&t->word[words[i]], left, right, id);
        HN_GO(count_pairs(t, (size_t)words[i], 1));
    }
done:
    hn_free(words);
    hn_bytes_clear(&text);
    return status;
}

static hone_status add_bytes(trainer *t) {
    for (int byte = 0; byte < 256; byte++) {
        unsigned char character[4];
        const size_t n = hn_utf8_put(hn_byte_char((unsigned char)byte), character);
        HN_TRY(add_token(t, (const char *)character, n));
    }
    return HONE_OK;
}

/** Bytes are 0..255, merges follow, the special tokens come last: ids of words do not depend on them. */
static json_t *definition_of(const trainer *t, const hone_tokenizer_train_options *options) {
    json_t *vocabulary = json_object(), *added = json_array();
    json_t *byte_level = json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0,
                                   "trim_offsets", 1, "use_regex", (int)(options->pattern == NULL));
    json_t *pre = options->pattern == NULL
                      ? byte_level
                      : json_pack("{s:s,s:[{s:s,s:{s:s},s:s,s:b},o]}", "type", "Sequence", "pretokenizers",
                                  "type", "Split", "pattern", "Regex", options->pattern, "behavior",
                                  "Isolated", "invert", 0, byte_level);

    for (size_t i = 0; i < t->tokens; i++)
        json_object_set_new(vocabulary, t->token[i].data, json_integer((json_int_t)i));
    for (size_t i = 0; i < options->special_count; i++) {
        const json_int_t id = (json_int_t)(t->tokens + i);
        json_object_set_new(vocabulary, options->special[i], json_integer(id));
        json_array_append_new(added, json_pack("{s:I,s:s,s:b,s:b,s:b,s:b,s:b}", "id", id, "content",
                                               options->special[i], "single_word", 0, "lstrip", 0, "rstrip",
                                               0, "normalized", 0, "special", 1));
    }
    return hn_definition_make(vocabulary, json_incref(t->merges), added, pre, false);
}

static void clear(trainer *t) {
    for (size_t i = 0; i < t->words; i++) {
        hn_free(t->word[i].id);
        hn_free(t->word[i].text);
    }
    for (size_t i = 0; i < t->pair_slots; i++)
        hn_free(t->pair[i].words);
    for (size_t i = 0; i < t->tokens; i++)
        hn_bytes_clear(&t->token[i]);
    hn_free(t->word);
    hn_free(t->word_slot);
    hn_free(t->pair);
    hn_free(t->token);
    json_decref(t->merges);
}

static hone_status learn(trainer *t, const hone_tokenizer_train_options *options) {
    const int64_t wanted = options->vocabulary - (int64_t)options->special_count;
    const pair *best = NULL;

    for (size_t i = 0; i < t->words; i++)
        HN_TRY(count_pairs(t, i, 1));
    while ((int64_t)t->tokens < wanted && (best = best_pair(t, options->min_frequency)) != NULL)
        HN_TRY(merge_best(t, best));
    return HONE_OK;
}

static hone_status make_splitter(const char *pattern, hn_splitter **splitter) {
    json_t *definition = json_pack("{s:s,s:[{s:s,s:{s:s},s:s},{s:s,s:b}]}", "type", "Sequence",
                                   "pretokenizers", "type", "Split", "pattern", "Regex", pattern, "behavior",
                                   "Isolated", "type", "ByteLevel", "use_regex", 0);
    const hone_status status = hn_splitter_create(definition, "pattern", splitter);
    json_decref(definition);
    return status;
}

static hone_status check(const hone_tokenizer_train_options *options) {
    if (options->vocabulary < 256 + (int64_t)options->special_count || options->vocabulary > 1 << 24)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "a vocabulary of %lld: must be %zu (bytes and special tokens) to %d",
                       (long long)options->vocabulary, 256 + options->special_count, 1 << 24);
    if (options->special_count == 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "a tokenizer needs at least one special token: the end of sequence");
    return HONE_OK;
}

hone_status hone_tokenizer_train(const hone_tokenizer_train_options *options, const char *const *texts,
                                 const size_t *lengths, size_t count, hone_tokenizer **tokenizer) {
    trainer t = {.merges = json_array()};
    hn_splitter *splitter = NULL;
    hone_status status = HONE_OK;

    *tokenizer = NULL;
    HN_GO(check(options));
    HN_GO(make_splitter(options->pattern != NULL ? options->pattern : gpt2_pattern, &splitter));
    HN_GO(add_bytes(&t));
    for (size_t i = 0; i < count; i++)
        HN_GO(count_words(&t, splitter, texts[i], lengths[i]));
    HN_GO(learn(&t, options));
    json_t *definition = definition_of(&t, options);
    if (definition == NULL) {
        status = hn_fail(HONE_ERROR_MEMORY, "no memory for a tokenizer");
        goto done;
    }
    HN_GO(hn_tokenizer_build(definition, "trained tokenizer", tokenizer));
    (*tokenizer)->eos = (int32_t)t.tokens;
done:
    hn_splitter_destroy(splitter);
    clear(&t);
    return status;
}
