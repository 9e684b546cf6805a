#include <core/status.h>
#include <string.h>
#include <text/bpe.h>

/** A linked list over the word: merging joins a symbol with its right neighbour. */
struct hn_bpe_symbol {
    int32_t id; /**< -1: joined to the left */
    int32_t left, right;
};

struct hn_bpe_candidate {
    int32_t rank, at, left, right,
        result; /**< left and right: the ids it was made for, to see that it is stale */
};

void hn_bpe_clear(hn_bpe *bpe) {
    hn_free(bpe->symbol);
    hn_free(bpe->heap);
    memset(bpe, 0, sizeof *bpe);
}

static bool before(const struct hn_bpe_candidate *a, const struct hn_bpe_candidate *b) {
    return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static void push(hn_bpe *bpe, struct hn_bpe_candidate candidate) {
    size_t i = bpe->heap_count++;
    for (; i > 0 && before(&candidate, &bpe->heap[(i - 1) / 2]); i = (i - 1) / 2)
        bpe->heap[i] = bpe->heap[(i - 1) / 2];
    bpe->heap[i] = candidate;
}

static struct hn_bpe_candidate pop(hn_bpe *bpe) {
    const struct hn_bpe_candidate top = bpe->heap[0], last = bpe->heap[--bpe->heap_count];
    size_t i = 0;
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= bpe->heap_count)
            break;
        if (child + 1 < bpe->heap_count && before(&bpe->heap[child + 1], &bpe->heap[child]))
            child++;
        if (!before(&bpe->heap[child], &last))
            break;
        bpe->heap[i] = bpe->heap[child];
        i = child;
    }
    bpe->heap[i] = last;
    return top;
}

/** Offers the pair that begins at symbol `at`, if it merges. */
static void offer(hn_bpe *bpe, const hn_vocabulary *vocabulary, int32_t at) {
    if (at < 0 || bpe->symbol[at].right < 0)
        return;
    const int32_t left = bpe->symbol[at].id, right = bpe->symbol[bpe->symbol[at].right].id;
    const hn_merge *merge = hn_vocabulary_merge(vocabulary, left, right);
    if (merge != NULL)
        push(bpe, (struct hn_bpe_candidate){merge->rank, at, left, right, merge->result});
}

static bool stale(const hn_bpe *bpe, const struct hn_bpe_candidate *candidate) {
    const struct hn_bpe_symbol *left = &bpe->symbol[candidate->at];
    return left->id != candidate->left || left->right < 0 || bpe->symbol[left->right].id != candidate->right;
}

static void join(hn_bpe *bpe, const hn_vocabulary *vocabulary, const struct hn_bpe_candidate *candidate) {
    struct hn_bpe_symbol *left = &bpe->symbol[candidate->at], *right = &bpe->symbol[left->right];

    left->id = candidate->result;
    right->id = -1;
    left->right = right->right;
    if (left->right >= 0)
        bpe->symbol[left->right].left = candidate->at;
    offer(bpe, vocabulary, left->left);
    offer(bpe, vocabulary, candidate->at);
}

/** Each merge removes a symbol and offers at most two pairs: 3 n candidates at most. */
static hone_status reserve(hn_bpe *bpe, size_t count) {
    if (count > INT32_MAX / 4)
        return hn_fail(HONE_ERROR_ARGUMENT, "a word of %zu bytes is too long", count);
    HN_TRY(hn_reserve(&bpe->symbol, &bpe->symbols, count, sizeof *bpe->symbol, "word"));
    return hn_reserve(&bpe->heap, &bpe->heap_size, 3 * count + 1, sizeof *bpe->heap, "word");
}

hone_status hn_bpe_encode(hn_bpe *bpe, const hn_vocabulary *vocabulary, const int32_t *word, size_t count,
                          hone_ids *ids) {
    if (count == 0)
        return HONE_OK;
    HN_TRY(reserve(bpe, count));
    bpe->heap_count = 0;
    for (size_t i = 0; i < count; i++)
        bpe->symbol[i] = (struct hn_bpe_symbol){word[i], (int32_t)i - 1, i + 1 < count ? (int32_t)i + 1 : -1};
    for (size_t i = 0; i + 1 < count; i++)
        offer(bpe, vocabulary, (int32_t)i);
    while (bpe->heap_count > 0) {
        const struct hn_bpe_candidate candidate = pop(bpe);
        if (!stale(bpe, &candidate))
            join(bpe, vocabulary, &candidate);
    }
    for (int32_t i = 0; i >= 0; i = bpe->symbol[i].right)
        HN_TRY(hone_ids_append(ids, &bpe->symbol[i].id, 1));
    return HONE_OK;
}
