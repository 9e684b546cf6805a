#include <core/hash.h>
#include <core/status.h>
#include <string.h>
#include <text/vocabulary.h>

static size_t table_size(size_t count) {
    size_t size = 16;
    while (size < 2 * count + 2)
        size *= 2;
    return size;
}

hone_status hn_vocabulary_create(hn_vocabulary *vocabulary, int64_t count, size_t merges) {
    memset(vocabulary, 0, sizeof *vocabulary);
    HN_TRY(hn_alloc(&vocabulary->token, (size_t)count, sizeof *vocabulary->token, "vocabulary"));
    vocabulary->count = count;
    const size_t slots = table_size((size_t)count), merge_slots = table_size(merges);
    HN_TRY(hn_alloc(&vocabulary->slot, slots, sizeof *vocabulary->slot, "vocabulary"));
    vocabulary->slots = slots;
    HN_TRY(hn_alloc(&vocabulary->merge, merge_slots, sizeof *vocabulary->merge, "merges"));
    vocabulary->merge_slots = merge_slots;
    for (size_t i = 0; i < slots; i++)
        vocabulary->slot[i] = -1;
    for (size_t i = 0; i < merge_slots; i++)
        vocabulary->merge[i].pair = UINT64_MAX;
    return HONE_OK;
}

void hn_vocabulary_clear(hn_vocabulary *vocabulary) {
    for (int64_t i = 0; vocabulary->token != NULL && i < vocabulary->count; i++)
        hn_free(vocabulary->token[i].text);
    hn_free(vocabulary->token);
    hn_free(vocabulary->slot);
    hn_free(vocabulary->merge);
    memset(vocabulary, 0, sizeof *vocabulary);
}

/** Where the text is, or where it would go. */
static size_t find_slot(const hn_vocabulary *vocabulary, const char *text, size_t length) {
    size_t i = (size_t)hn_hash64(text, length) & (vocabulary->slots - 1);
    for (; vocabulary->slot[i] >= 0; i = (i + 1) & (vocabulary->slots - 1)) {
        const hn_token *token = &vocabulary->token[vocabulary->slot[i]];
        if (token->length == length && memcmp(token->text, text, length) == 0)
            break;
    }
    return i;
}

hone_status hn_vocabulary_set(hn_vocabulary *vocabulary, int32_t id, const char *text, size_t length) {
    if (id < 0 || id >= vocabulary->count)
        return hn_fail(HONE_ERROR_FORMAT, "token \"%.40s\" has id %d, ids are 0 to %lld", text, (int)id,
                       (long long)vocabulary->count - 1);
    if (vocabulary->token[id].text != NULL)
        return hn_fail(HONE_ERROR_FORMAT, "two tokens have id %d: \"%.40s\" and \"%.40s\"", (int)id,
                       vocabulary->token[id].text, text);
    HN_TRY(hn_strndup(&vocabulary->token[id].text, text, length));
    vocabulary->token[id].length = length;
    const size_t slot = find_slot(vocabulary, text, length);
    if (vocabulary->slot[slot] < 0)
        vocabulary->slot[slot] = id;
    return HONE_OK;
}

int32_t hn_vocabulary_find(const hn_vocabulary *vocabulary, const char *text, size_t length) {
    return vocabulary->slots == 0 ? -1 : vocabulary->slot[find_slot(vocabulary, text, length)];
}

static uint64_t pair_of(int32_t left, int32_t right) {
    return (uint64_t)(uint32_t)left << 32 | (uint32_t)right;
}

static size_t find_merge(const hn_vocabulary *vocabulary, uint64_t pair) {
    size_t i = (size_t)(pair * UINT64_C(0x9e3779b97f4a7c15) >> 24) & (vocabulary->merge_slots - 1);
    while (vocabulary->merge[i].pair != pair && vocabulary->merge[i].pair != UINT64_MAX)
        i = (i + 1) & (vocabulary->merge_slots - 1);
    return i;
}

hone_status hn_vocabulary_add_merge(hn_vocabulary *vocabulary, int32_t left, int32_t right, int32_t rank,
                                    int32_t result) {
    const size_t i = find_merge(vocabulary, pair_of(left, right));

    if (vocabulary->merge[i].pair != UINT64_MAX)
        return HONE_OK;
    if (2 * (vocabulary->merges + 1) > vocabulary->merge_slots)
        return hn_fail(HONE_ERROR_FORMAT, "more merges than were announced");
    vocabulary->merge[i] = (hn_merge){pair_of(left, right), rank, result};
    vocabulary->merges++;
    return HONE_OK;
}

const hn_merge *hn_vocabulary_merge(const hn_vocabulary *vocabulary, int32_t left, int32_t right) {
    const hn_merge *merge = &vocabulary->merge[find_merge(vocabulary, pair_of(left, right))];
    return merge->pair == UINT64_MAX ? NULL : merge;
}
