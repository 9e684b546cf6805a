/* The pack against its definition, on random sequences that share much, on chosen hard cases and on hostile
 * input. */
#include <hone/pack.h>

#include "core/memory.h"
#include "core/random.h"

#include <pack/packer.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST_SEQUENCES 12
#define MOST_LENGTH 24
#define TRIALS 400

typedef struct problem {
    hone_sequence sequence[MOST_SEQUENCES];
    int32_t token[MOST_SEQUENCES][MOST_LENGTH];
    int64_t count;
} problem;

static void set_sequence(problem *p, int64_t s, const int32_t *token, int64_t context, int64_t completion) {
    memcpy(p->token[s], token, (size_t)(context + completion) * sizeof *token);
    p->sequence[s] = (hone_sequence){p->token[s], context, p->token[s] + context, completion};
    if (s >= p->count)
        p->count = s + 1;
}

/* Sequences that begin with a random part of an earlier one go on with tokens of a small alphabet. */
static void random_problem(problem *p, uint32_t trial) {
    p->count = 0;
    uint64_t n = 0;
#define BELOW(bound) ((int64_t)hn_random_below(11, HN_PURPOSE_TEST, trial, n++, (uint64_t)(bound)))
    int64_t count = 1 + BELOW(MOST_SEQUENCES), alphabet = 1 + BELOW(4);
    for (int64_t s = 0; s < count; s++) {
        int32_t token[MOST_LENGTH];
        int64_t length = 2 + BELOW(MOST_LENGTH - 1), at = 0;
        if (s > 0 && BELOW(4) > 0) {
            const hone_sequence *old = &p->sequence[BELOW(s)];
            int64_t most = old->context_length + old->completion_length, shared = BELOW(most + 1);
            for (; at < shared && at < length; at++)
                token[at] = old->context[at];
        }
        for (; at < length; at++)
            token[at] = (int32_t)BELOW(alphabet);
        int64_t context = BELOW(3) == 0 ? length - 1 : 1 + BELOW(length - 1);
        set_sequence(p, s, token, context, length - context);
    }
#undef BELOW
}

static bool visible(const hone_pack *pack, int32_t query, int32_t key) {
    return key <= query && query < pack->subtree_end[key];
}

/* The tokens that a query sees, in stream order. */
static int64_t prefix_of(const hone_pack *pack, int32_t query, int32_t *token) {
    int64_t length = 0;
    for (int32_t key = 0; key <= query; key++)
        if (visible(pack, query, key))
            token[length++] = pack->token[key];
    return length;
}

static int64_t row_of_edge(const hone_pack *pack, int32_t edge) {
    for (int64_t u = 0; u < pack->rows; u++)
        if (pack->begin[u] <= edge && edge < pack->begin[u + 1])
            return u;
    return -1;
}

static void check_sequences(const hone_pack *pack, const problem *p) {
    int32_t *seen = test_malloc((size_t)pack->tokens * sizeof *seen);
    assert_int_equal(pack->sequences, p->count);
    for (int64_t s = 0; s < p->count; s++) {
        const hone_sequence *one = &p->sequence[s];
        int64_t first = pack->sequence_begin[s];
        assert_int_equal(pack->sequence_begin[s + 1] - first, one->completion_length);
        for (int64_t i = 0; i < one->completion_length; i++) {
            int32_t edge = pack->sequence_edge[first + i];
            int64_t u = row_of_edge(pack, edge), length = one->context_length + i;
            assert_true(u >= 0);
            assert_int_equal(pack->target[edge], one->completion[i]);
            assert_int_equal(prefix_of(pack, pack->row[u], seen), length);
            assert_int_equal(pack->position[pack->row[u]], length - 1);
            assert_memory_equal(seen, one->context, (size_t)length * sizeof *seen);
        }
    }
    test_free(seen);
}

static void check_rows(const hone_pack *pack, bool merged) {
    assert_int_equal(pack->begin[0], 0);
    assert_int_equal(pack->begin[pack->rows], pack->edges);
    for (int64_t u = 0; u < pack->rows; u++) {
        assert_true(pack->begin[u] < pack->begin[u + 1]);
        assert_true(pack->row[u] >= 0 && pack->row[u] < pack->tokens);
        assert_true(u == 0 || pack->row[u - 1] < pack->row[u]);
        for (int32_t e = pack->begin[u]; merged && e < pack->begin[u + 1]; e++)
            for (int32_t f = pack->begin[u]; f < e; f++)
                assert_int_not_equal(pack->target[e], pack->target[f]);
    }
    for (int64_t e = 0; e < pack->edges; e++) {
        bool used = false;
        for (int64_t i = 0; i < pack->sequence_begin[pack->sequences]; i++)
            used = used || pack->sequence_edge[i] == e;
        assert_true(used);
    }
}

/* Segments cover the stream once, are as long as they can be, and say the same about visibility as
 * subtree_end. */
static void check_segments(const hone_pack *pack) {
    unsigned char *sees = test_malloc((size_t)pack->tokens);
    int64_t pairs = 0, at = 0;
    for (int64_t s = 0; s < pack->segments; s++) {
        const int32_t *row = pack->segment + 6 * s;
        assert_int_equal(row[0], at);
        assert_true(row[1] > row[0]);
        assert_int_equal(row[2], row[0]);
        assert_int_equal(row[5], pack->subtree_end[row[0]]);
        at = row[1];
        memset(sees, 0, (size_t)pack->tokens);
        for (int32_t g = row[3]; g < row[4]; g++) {
            const int32_t *range = pack->range + 2 * (ptrdiff_t)g;
            assert_true(range[0] < range[1] && range[1] <= row[0]);
            assert_true(g == row[3] || range[-1] < range[0]); /* else they would have been merged */
            memset(sees + range[0], 1, (size_t)(range[1] - range[0]));
        }
        for (int32_t i = row[0]; i < row[1]; i++) {
            sees[i] = 1;
            for (int32_t j = 0; j < pack->tokens; j++) {
                assert_int_equal(sees[j], visible(pack, i, j));
                pairs += sees[j];
            }
        }
        int32_t last = row[1] - 1; /* a longer run would need a last token with one child */
        int32_t first_end = row[1] < pack->tokens ? pack->subtree_end[row[1]] : 0;
        assert_true(pack->subtree_end[last] == row[1] || first_end < pack->subtree_end[last]);
    }
    assert_int_equal(at, pack->tokens);
    assert_int_equal(pairs, pack->visible_pairs);
    test_free(sees);
}

/* No two tokens of a merged pack have the same prefix, and every token is some sequence's. */
static void check_merged(const hone_pack *pack, const problem *p) {
    int32_t a[MOST_LENGTH], b[MOST_LENGTH];
    for (int32_t i = 0; i < pack->tokens; i++) {
        int64_t length = prefix_of(pack, i, a);
        bool found = false;
        for (int32_t j = 0; j < i; j++)
            assert_false(prefix_of(pack, j, b) == length && memcmp(a, b, (size_t)length * sizeof *a) == 0);
        for (int64_t s = 0; s < p->count && !found; s++) {
            const hone_sequence *one = &p->sequence[s];
            found = length < one->context_length + one->completion_length &&
                    memcmp(a, one->context, (size_t)length * sizeof *a) == 0;
        }
        assert_true(found);
    }
}

static void check_pack(const problem *p, hone_pack_layout layout) {
    hone_pack *pack = NULL;
    int64_t measured = 0, naive = 0, longest = 0;
    assert_int_equal(hone_pack_create(p->sequence, p->count, layout, &pack), HONE_OK);
    assert_int_equal(hone_pack_measure(p->sequence, p->count, layout, &measured), HONE_OK);
    for (int64_t s = 0; s < p->count; s++) {
        int64_t length = p->sequence[s].context_length + p->sequence[s].completion_length;
        naive += length;
        longest = length > longest ? length : longest;
    }
    assert_int_equal(pack->tokens, measured);
    assert_int_equal(pack->naive_tokens, naive);
    assert_int_equal(pack->padded_tokens, p->count * longest);
    if (layout == HONE_PACK_SEQUENCES)
        assert_int_equal(pack->tokens, naive - p->count);
    if (layout == HONE_PACK_PADDED)
        assert_int_equal(pack->tokens, pack->padded_tokens);
    if (layout != HONE_PACK_TRIE)
        assert_int_equal(pack->segments, p->count);
    check_sequences(pack, p);
    check_rows(pack, layout == HONE_PACK_TRIE);
    check_segments(pack);
    if (layout == HONE_PACK_TRIE)
        check_merged(pack, p);
    hone_pack_destroy(pack);
}

static void random_tries(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        problem p;
        random_problem(&p, trial);
        for (int layout = HONE_PACK_TRIE; layout <= HONE_PACK_PADDED; layout++)
            check_pack(&p, (hone_pack_layout)layout);
    }
}

static void sums_and_weights(void **state) {
    (void)state;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        problem p;
        random_problem(&p, trial);
        hone_pack *pack = NULL;
        double sum[MOST_SEQUENCES], derivative[MOST_SEQUENCES];
        float logp[MOST_SEQUENCES * MOST_LENGTH], weight[MOST_SEQUENCES * MOST_LENGTH];
        assert_int_equal(hone_pack_create(p.sequence, p.count, HONE_PACK_TRIE, &pack), HONE_OK);
        for (int64_t e = 0; e < pack->edges; e++)
            logp[e] = (float)hn_random_uniform(3, HN_PURPOSE_TEST, trial, (uint64_t)e) - 1.0F;
        for (int64_t s = 0; s < p.count; s++)
            derivative[s] = hn_random_uniform(4, HN_PURPOSE_TEST, trial, (uint64_t)s) - 0.5;
        hone_pack_sums(pack, logp, sum);
        hone_pack_weights(pack, derivative, weight);
        /* Both are the same bilinear form: sum_s derivative[s] sum[s] = sum_e weight[e] logp[e]. */
        double left = 0.0, right = 0.0;
        for (int64_t s = 0; s < p.count; s++)
            left += derivative[s] * sum[s];
        for (int64_t e = 0; e < pack->edges; e++)
            right += (double)weight[e] * (double)logp[e];
        assert_true(left - right < 1e-5 && right - left < 1e-5);
        hone_pack_destroy(pack);
    }
}

static void chosen_cases(void **state) {
    static const int32_t a[] = {1, 2, 3, 4, 5}, b[] = {1, 2, 3, 6, 5}, c[] = {9, 2, 3, 4, 5};
    (void)state;
    hone_pack *pack = NULL;
    problem p = {.count = 0};
    set_sequence(&p, 0, a, 3, 2); /* twice the same; a prefix of it; another end; another root */
    set_sequence(&p, 1, a, 3, 2);
    set_sequence(&p, 2, a, 3, 1);
    set_sequence(&p, 3, b, 3, 2);
    set_sequence(&p, 4, c, 1, 4);
    check_pack(&p, HONE_PACK_TRIE);
    assert_int_equal(hone_pack_create(p.sequence, p.count, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(pack->tokens, 5 + 4); /* 1 2 3 4 . 6 . and 9 2 3 4 */
    assert_int_equal(pack->edges, 4 + 4);
    assert_int_equal(pack->sequence_edge[pack->sequence_begin[0]],
                     pack->sequence_edge[pack->sequence_begin[2]]);
    assert_int_equal(pack->segments, 4);
    const int32_t *row = pack->segment;
    assert_int_equal(row[0 + 1], 3);
    assert_int_equal(row[6 + 4] - row[6 + 3], 1);
    hone_pack_destroy(pack);
    p.count = 1; /* the shortest: one token read, one scored */
    set_sequence(&p, 0, a, 1, 1);
    check_pack(&p, HONE_PACK_TRIE);
    /* A completion that another sequence has in its context becomes tokens, its last token too. */
    set_sequence(&p, 0, a, 2, 2);
    set_sequence(&p, 1, a, 4, 1);
    check_pack(&p, HONE_PACK_TRIE);
    assert_int_equal(hone_pack_create(p.sequence, p.count, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(pack->tokens, 4);
    assert_int_equal(pack->segments, 1);
    hone_pack_destroy(pack);
}

static void layout_of_padding(void **state) {
    static const int32_t a[] = {1, 2, 3, 4, 5}, b[] = {1, 7};
    (void)state;
    static const int32_t token[] = {1, 2, 3, 4, 0, 1, 0, 0, 0, 0},
                         position[] = {0, 1, 2, 3, 4, 0, 1, 2, 3, 4};
    problem p = {.count = 0};
    hone_pack *pack = NULL;
    set_sequence(&p, 0, a, 3, 2);
    set_sequence(&p, 1, b, 1, 1);
    assert_int_equal(hone_pack_create(p.sequence, p.count, HONE_PACK_PADDED, &pack), HONE_OK);
    assert_int_equal(pack->tokens, 10);
    assert_memory_equal(pack->token, token, sizeof token);
    assert_memory_equal(pack->position, position, sizeof position);
    assert_int_equal(pack->visible_pairs, 30);
    assert_int_equal(pack->rows, 3);
    assert_int_equal(pack->row[2], 5);
    assert_int_equal(pack->target[2], 7);
    hone_pack_destroy(pack);
}

/* The six sequences of an SRPO pair with prompt P, completions C (their end included), instruction k. Token
 * values do not matter as long as nothing is equal by chance. */
typedef struct pair_problem {
    hone_sequence sequence[6];
    int32_t token[6][1200];
} pair_problem;

enum { NOTHING, PROMPT = 1000, CHOSEN = 2000, REJECTED = 3000, LITERAL = 4000, HEAD = 5000, END = 6000 };

static int64_t put(int32_t *to, int64_t at, int32_t first, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        to[at + i] = first + (int32_t)i;
    return at + count;
}

/* Two roots: the N-rev template begins with its own literal of one token in place of none. */
static void make_pair(pair_problem *p, int64_t P, int64_t C, int64_t k, bool two_roots) {
    static const int32_t scored[6] = {CHOSEN, REJECTED, CHOSEN, REJECTED, CHOSEN, REJECTED};
    static const int32_t draft[6] = {NOTHING, NOTHING, REJECTED, REJECTED, CHOSEN, CHOSEN};
    for (int s = 0; s < 6; s++) {
        int32_t *to = p->token[s];
        int64_t at = 0, literal = draft[s] ? k : 0;
        if (two_roots && draft[s]) {
            at = put(to, at, HEAD, k);
            literal = 0;
        }
        at = put(to, at, PROMPT, P);
        if (draft[s])
            at = put(to, at, draft[s], C);
        at = put(to, at, LITERAL, literal);
        int64_t context = at;
        at = put(to, at, scored[s], C - 1);
        to[at++] = END;
        p->sequence[s] = (hone_sequence){to, context, to + context, at - context};
    }
}

/* Padded 6(P+2C+k), unpadded 6P+10C+4k, one root P+6C+2k, two roots 2P+8C+k: those count every token. A pack
 * has no token for what only ends a sequence: the ends of the four revisions here, and of all six with two
 * roots (one root reads the drafts whole, as contexts). */
static void tokens_of_a_pair(void **state) {
    const int64_t P = 350, C = 35, k = 0;
    (void)state;
    static pair_problem p;
    int64_t one = 0, two = 0, sequences = 0;
    hone_pack *pack = NULL;
    make_pair(&p, P, C, k, false);
    assert_int_equal(hone_pack_create(p.sequence, 6, HONE_PACK_PADDED, &pack), HONE_OK);
    assert_int_equal(pack->naive_tokens, 2450);  /* 6P + 10C + 4k */
    assert_int_equal(pack->padded_tokens, 2520); /* 6 (P + 2C + k) */
    assert_int_equal(pack->tokens, 2520);
    hone_pack_destroy(pack);
    assert_int_equal(hone_pack_measure(p.sequence, 6, HONE_PACK_SEQUENCES, &sequences), HONE_OK);
    assert_int_equal(sequences, 2450 - 6);
    assert_int_equal(hone_pack_measure(p.sequence, 6, HONE_PACK_TRIE, &one), HONE_OK);
    assert_int_equal(one, 560 - 4); /* P + 6C + 2k less the four revisions' ends; the drafts are read whole */
    make_pair(&p, P, C, 8, true);
    assert_int_equal(hone_pack_measure(p.sequence, 6, HONE_PACK_TRIE, &two), HONE_OK);
    assert_int_equal(two, 980 + 8 - 6); /* 2P + 8C + k, here k = 8, less the six ends */
}

/* The segments of an SRPO pair: prompt, two drafts that are also what was scored, two instructions with the
 * revisions that branch from them. */
static void segments_of_a_pair(void **state) {
    static pair_problem p;
    hone_pack *pack = NULL;
    (void)state;
    make_pair(&p, 50, 10, 5, false);
    assert_int_equal(hone_pack_create(p.sequence, 6, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(pack->tokens, 50 + 60 + 10 - 4);
    assert_int_equal(pack->segments, 7);
    assert_int_equal(pack->edges, 60);
    hone_pack_destroy(pack);
}

/* As deep as a sequence is long, and as wide as there are sequences: neither costs a stack or a square. */
static void deep_and_wide(void **state) {
    const int64_t length = 1 << 20, wide = 1 << 17;
    (void)state;
    int32_t *token = test_malloc((size_t)length * sizeof *token);
    hone_pack *pack = NULL;
    for (int64_t i = 0; i < length; i++)
        token[i] = (int32_t)(i % 7);
    hone_sequence deep[2] = {{token, length - 1, token + length - 1, 1}, {token, 1, token + 1, length - 1}};
    assert_int_equal(hone_pack_create(deep, 2, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(pack->tokens, length - 1);
    assert_int_equal(pack->segments, 1);
    assert_int_equal(pack->visible_pairs, (length - 1) * length / 2);
    hone_pack_destroy(pack);
    test_free(token);
    int32_t *pair = test_malloc((size_t)wide * 3 * sizeof *pair);
    hone_sequence *fan = test_malloc((size_t)wide * sizeof *fan);
    for (int64_t s = 0; s < wide; s++) {
        int32_t *to = pair + 3 * s;
        to[0] = 5;
        to[1] = (int32_t)s;
        to[2] = 1;
        fan[s] = (hone_sequence){to, 1, to + 1, 1 + s / (wide / 2)}; /* the first half are targets only */
    }
    assert_int_equal(hone_pack_create(fan, wide, HONE_PACK_TRIE, &pack), HONE_OK);
    assert_int_equal(pack->tokens, 1 + wide / 2);
    assert_int_equal(pack->rows, 1 + wide / 2);
    assert_int_equal(pack->begin[1], wide);
    hone_pack_destroy(pack);
    test_free(fan);
    test_free(pair);
}

static void refuse(const hone_sequence *sequence, int64_t count, hone_pack_layout layout, const char *word) {
    hone_pack *pack = (hone_pack *)(void *)&count;
    int64_t tokens = 1;
    assert_int_equal(hone_pack_create(sequence, count, layout, &pack), HONE_ERROR_ARGUMENT);
    assert_null(pack);
    assert_non_null(strstr(hone_message(), word));
    assert_int_equal(hone_pack_measure(sequence, count, layout, &tokens), HONE_ERROR_ARGUMENT);
}

static void refusals(void **state) {
    static const int32_t good[] = {1, 2, 3}, bad[] = {1, -2, 3};
    (void)state;
    hone_sequence one[2] = {{good, 2, good + 2, 1}, {good, 0, good, 1}};
    refuse(one, 2, HONE_PACK_TRIE, "sequence 1 has an empty context");
    one[1] = (hone_sequence){good, 1, good, 0};
    refuse(one, 2, HONE_PACK_TRIE, "sequence 1 has an empty completion");
    one[1] = (hone_sequence){bad, 2, bad + 2, 1};
    refuse(one, 2, HONE_PACK_SEQUENCES, "token 1 of the context is -2");
    one[1] = (hone_sequence){NULL, 2, good, 1};
    refuse(one, 2, HONE_PACK_PADDED, "context");
    one[1] = (hone_sequence){good, -5, good, 1};
    refuse(one, 2, HONE_PACK_TRIE, "context");
    refuse(one, 0, HONE_PACK_TRIE, "at least one");
    refuse(one, -3, HONE_PACK_TRIE, "at least one");
    refuse(NULL, 3, HONE_PACK_TRIE, "at least one");
    refuse(one, 1, (hone_pack_layout)7, "layout 7");
    hone_pack_destroy(NULL);
}

/* Whichever allocation fails, the answer is a clean memory error. */
static void same_array(const void *a, const void *b, int64_t count, size_t size) {
    assert_memory_equal(a, b, (size_t)count * size);
}

static void same_pack(const hone_pack *a, const hone_pack *b) {
    assert_true(a->tokens == b->tokens && a->segments == b->segments && a->ranges == b->ranges &&
                a->rows == b->rows && a->edges == b->edges && a->sequences == b->sequences);
    assert_true(a->naive_tokens == b->naive_tokens && a->padded_tokens == b->padded_tokens &&
                a->visible_pairs == b->visible_pairs);
    same_array(a->token, b->token, a->tokens, sizeof *a->token);
    same_array(a->position, b->position, a->tokens, sizeof *a->position);
    same_array(a->subtree_end, b->subtree_end, a->tokens, sizeof *a->subtree_end);
    same_array(a->segment, b->segment, a->segments * 6, sizeof *a->segment);
    same_array(a->range, b->range, a->ranges * 2, sizeof *a->range);
    same_array(a->row, b->row, a->rows, sizeof *a->row);
    same_array(a->begin, b->begin, a->rows + 1, sizeof *a->begin);
    same_array(a->target, b->target, a->edges, sizeof *a->target);
    same_array(a->sequence_begin, b->sequence_begin, a->sequences + 1, sizeof *a->sequence_begin);
    same_array(a->sequence_edge, b->sequence_edge, a->sequence_begin[a->sequences], sizeof *a->sequence_edge);
}

/* One packer for pack after pack, of every layout: each as if it were the first, and nothing is allocated. */
static void packer_is_used_again(void **state) {
    const hn_packer_extents most = {.sequences = MOST_SEQUENCES,
                                    .tokens = MOST_SEQUENCES * MOST_LENGTH,
                                    .completions = MOST_SEQUENCES * MOST_LENGTH,
                                    .ranges = MOST_SEQUENCES * MOST_LENGTH * MOST_SEQUENCES};
    hn_packer packer = {0}, growing = {0};
    (void)state;
    assert_int_equal(hn_packer_reserve(&packer, &most), HONE_OK);
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        problem p;
        random_problem(&p, trial);
        const hone_pack_layout layout = (hone_pack_layout)(trial % 3);
        const hone_pack *pack = NULL, *grown = NULL;
        hone_pack *fresh = NULL;
        const int64_t allocations = hn_memory_allocations();
        assert_int_equal(hn_packer_build(&packer, p.sequence, p.count, layout, &pack), HONE_OK);
        assert_int_equal(hn_memory_allocations(), allocations);
        assert_int_equal(hn_packer_build(&growing, p.sequence, p.count, layout, &grown), HONE_OK);
        assert_int_equal(hone_pack_create(p.sequence, p.count, layout, &fresh), HONE_OK);
        same_pack(pack, fresh);
        same_pack(grown, fresh);
        hone_pack_destroy(fresh);
    }
    hn_packer_clear(&growing);
    hn_packer_clear(&packer);
}

/* A failure in the middle leaves a packer that can go on, or be cleared. */
static void packer_after_a_failure(void **state) {
    hn_packer packer = {0};
    const hone_pack *pack = NULL;
    hone_pack *fresh = NULL;
    problem p;
    (void)state;
    for (uint32_t trial = 0; trial < 40; trial++) {
        random_problem(&p, trial);
        hn_memory_fail_at(1 + trial % 9);
        (void)!hn_packer_build(&packer, p.sequence, p.count, HONE_PACK_TRIE, &pack);
        hn_memory_fail_at(0);
        assert_int_equal(hn_packer_build(&packer, p.sequence, p.count, HONE_PACK_TRIE, &pack), HONE_OK);
        assert_int_equal(hone_pack_create(p.sequence, p.count, HONE_PACK_TRIE, &fresh), HONE_OK);
        same_pack(pack, fresh);
        hone_pack_destroy(fresh);
        if (trial % 5 == 4)
            hn_packer_clear(&packer);
    }
    hn_packer_clear(&packer);
}

static void allocation_faults(void **state) {
    problem p;
    hone_status status = HONE_ERROR_MEMORY;
    (void)state;
    random_problem(&p, 5);
    for (int64_t n = 1; status != HONE_OK && n < 1000; n++) {
        hone_pack *pack = NULL;
        hn_memory_fail_at(n);
        status = hone_pack_create(p.sequence, p.count, HONE_PACK_TRIE, &pack);
        hn_memory_fail_at(0);
        assert_true(status == HONE_OK || (status == HONE_ERROR_MEMORY && pack == NULL));
        hone_pack_destroy(pack);
    }
    assert_int_equal(status, HONE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_tries),           cmocka_unit_test(sums_and_weights),
        cmocka_unit_test(chosen_cases),           cmocka_unit_test(layout_of_padding),
        cmocka_unit_test(tokens_of_a_pair),       cmocka_unit_test(segments_of_a_pair),
        cmocka_unit_test(deep_and_wide),          cmocka_unit_test(refusals),
        cmocka_unit_test(allocation_faults),      cmocka_unit_test(packer_is_used_again),
        cmocka_unit_test(packer_after_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
