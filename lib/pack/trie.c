#include "pack/trie.h"

#include "core/memory.h"
#include "core/status.h"

#include <string.h>

#define NONE (-1)
#define PAD_TOKEN 0

static hone_status check_tokens(const int32_t *token, int64_t length, int64_t number, const char *part) {
    if (length < 1 || !token)
        return hn_fail(HONE_ERROR_ARGUMENT, "sequence %lld has an empty %s: it must have at least one token",
                       (long long)number, part);
    for (int64_t i = 0; i < length; i++)
        if (token[i] < 0)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "sequence %lld: token %lld of the %s is %d: tokens are not negative",
                           (long long)number, (long long)i, part, (int)token[i]);
    return HONE_OK;
}

hone_status hn_trie_extent(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                           int64_t *naive_tokens, int64_t *longest) {
    int64_t sum = 0, most = 0, padded = 0;
    if (count < 1 || !sequence)
        return hn_fail(HONE_ERROR_ARGUMENT, "a pack of %lld sequences: at least one is needed",
                       (long long)count);
    if ((int)layout < HONE_PACK_TRIE || (int)layout > HONE_PACK_PADDED)
        return hn_fail(HONE_ERROR_ARGUMENT, "pack layout %d does not exist", (int)layout);
    for (int64_t s = 0; s < count; s++) {
        const hone_sequence *one = &sequence[s];
        int64_t length = 0;
        HN_TRY(check_tokens(one->context, one->context_length, s, "context"));
        HN_TRY(check_tokens(one->completion, one->completion_length, s, "completion"));
        if (!hn_add_i64(one->context_length, one->completion_length, &length) ||
            !hn_add_i64(sum, length, &sum))
            sum = INT64_MAX; /* reported below */
        most = length > most ? length : most;
        if (sum >= INT32_MAX)
            break;
    }
    if (!hn_mul_i64(count, most, &padded))
        padded = INT64_MAX;
    if (sum >= INT32_MAX || (layout == HONE_PACK_PADDED && padded + count >= INT32_MAX))
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "%lld sequences have more than %d tokens together: use smaller packs",
                       (long long)count, INT32_MAX - 1);
    *naive_tokens = sum;
    *longest = most;
    return HONE_OK;
}

static hone_status reserve_nodes(hn_trie *trie, size_t n) {
    const char *what = "the token trie";
    if (n <= trie->node_room)
        return HONE_OK;
    HN_TRY(hn_realloc(&trie->token, n, sizeof *trie->token, what));
    HN_TRY(hn_realloc(&trie->parent, n, sizeof *trie->parent, what));
    HN_TRY(hn_realloc(&trie->first_child, n, sizeof *trie->first_child, what));
    HN_TRY(hn_realloc(&trie->last_child, n, sizeof *trie->last_child, what));
    HN_TRY(hn_realloc(&trie->sibling, n, sizeof *trie->sibling, what));
    HN_TRY(hn_realloc(&trie->flags, n, sizeof *trie->flags, what));
    trie->node_room = n;
    return HONE_OK;
}

static hone_status reserve_one(void *array, size_t *room, size_t n, size_t size) {
    if (n <= *room)
        return HONE_OK;
    HN_TRY(hn_realloc(array, n, size, "the token trie"));
    *room = n;
    return HONE_OK;
}

/** Open addressing at a load of at most a half. */
static size_t slots_for(size_t nodes) {
    size_t slots = 16;
    while (slots < 2 * nodes)
        slots *= 2;
    return slots;
}

hone_status hn_trie_reserve(hn_trie *trie, int64_t nodes, int64_t count, int64_t completions, bool merged) {
    HN_TRY(reserve_nodes(trie, (size_t)nodes));
    HN_TRY(reserve_one(&trie->completion_begin, &trie->sequence_room, (size_t)count + 1,
                       sizeof *trie->completion_begin));
    HN_TRY(reserve_one(&trie->completion_node, &trie->completion_room, (size_t)completions,
                       sizeof *trie->completion_node));
    return merged ? reserve_one(&trie->slot, &trie->slot_room, slots_for((size_t)nodes), sizeof *trie->slot)
                  : HONE_OK;
}

static int32_t add_child(hn_trie *trie, int32_t parent, int32_t token) {
    int32_t node = (int32_t)trie->nodes++;
    trie->token[node] = token;
    trie->parent[node] = parent;
    trie->flags[node] = 0;
    trie->first_child[node] = trie->last_child[node] = trie->sibling[node] = NONE;
    if (parent == NONE)
        return node;
    if (trie->last_child[parent] == NONE)
        trie->first_child[parent] = node;
    else
        trie->sibling[trie->last_child[parent]] = node;
    trie->last_child[parent] = node;
    return node;
}

/* The finaliser of MurmurHash3 over the two numbers. */
static uint64_t mix(int32_t parent, int32_t token) {
    uint64_t h = (uint64_t)(uint32_t)parent << 32 | (uint32_t)token;
    h = (h ^ h >> 33) * UINT64_C(0xff51afd7ed558ccd);
    h = (h ^ h >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

static int32_t find_or_add(hn_trie *trie, int32_t parent, int32_t token) {
    int32_t last = trie->last_child[parent];
    if (trie->slot_mask == 0)
        return add_child(trie, parent, token);
    if (last != NONE && trie->token[last] == token)
        return last;
    for (uint64_t at = mix(parent, token);; at++) {
        int32_t *slot = &trie->slot[at & trie->slot_mask];
        if (*slot == 0)
            return *slot = add_child(trie, parent, token);
        if (trie->parent[*slot] == parent && trie->token[*slot] == token)
            return *slot;
    }
}

static void keep(hn_trie *trie, int32_t node) {
    if (trie->flags[node] & HN_KEPT)
        return;
    unsigned char *above = &trie->flags[trie->parent[node]];
    *above |= *above & HN_PARENT ? HN_FORK : HN_PARENT;
    trie->flags[node] |= HN_KEPT;
    trie->kept++;
}

/* The last token of a completion is a target: the network need not read it. Padding goes on from the last
 * token that it reads, so that a padded sequence costs what a row of a padded batch costs. */
static void insert(hn_trie *trie, const hone_sequence *one, int64_t number, int64_t padded) {
    int32_t node = 0;
    int64_t at = trie->completion_begin[number], last = one->completion_length - 1;
    for (int64_t i = 0; i < one->context_length; i++) {
        node = find_or_add(trie, node, one->context[i]);
        keep(trie, node);
    }
    for (int64_t i = 0; i <= last; i++) {
        int32_t child = find_or_add(trie, node, one->completion[i]);
        trie->flags[child] |= HN_SCORED;
        trie->completion_node[at++] = child;
        if (i == last)
            break;
        node = child;
        keep(trie, node);
    }
    trie->completion_begin[number + 1] = at;
    for (int64_t i = one->context_length + last; i < padded; i++) {
        node = add_child(trie, node, PAD_TOKEN);
        keep(trie, node);
    }
}

/** Node 0 is never a child: 0 is "free". As many slots as this trie wants, whatever room there is. */
static void clear_slots(hn_trie *trie, int64_t nodes, bool merged) {
    const size_t slots = merged ? slots_for((size_t)nodes) : 0;
    trie->slot_mask = merged ? slots - 1 : 0;
    if (merged)
        memset(trie->slot, 0, slots * sizeof *trie->slot);
}

hone_status hn_trie_build(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                          hn_trie *trie) {
    int64_t completion = 0, padded = 0;
    trie->nodes = trie->kept = 0;
    HN_TRY(hn_trie_extent(sequence, count, layout, &trie->naive_tokens, &trie->longest));
    for (int64_t s = 0; s < count; s++)
        completion += sequence[s].completion_length;
    if (layout == HONE_PACK_PADDED)
        padded = trie->longest;
    /* Padded: each sequence has `longest` tokens that are read and one that is only a target. */
    int64_t most = padded > 0 ? count * (padded + 1) : trie->naive_tokens;
    HN_TRY(hn_trie_reserve(trie, most + 1, count, completion, layout == HONE_PACK_TRIE));
    clear_slots(trie, most + 1, layout == HONE_PACK_TRIE);
    trie->completion_begin[0] = 0;
    (void)add_child(trie, NONE, NONE);
    for (int64_t s = 0; s < count; s++)
        insert(trie, &sequence[s], s, padded);
    return HONE_OK;
}

void hn_trie_clear(hn_trie *trie) {
    hn_free(trie->token);
    hn_free(trie->parent);
    hn_free(trie->first_child);
    hn_free(trie->last_child);
    hn_free(trie->sibling);
    hn_free(trie->flags);
    hn_free(trie->completion_begin);
    hn_free(trie->completion_node);
    hn_free(trie->slot);
    *trie = (hn_trie){0};
}
