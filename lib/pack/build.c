/* Laying a trie out as one stream: depth-first pre-order, segments, key ranges, scored rows and edges. */
#include "core/memory.h"
#include "core/status.h"
#include "pack/trie.h"

#include <stdbool.h>
#include <stddef.h>

#define NONE (-1)
#define FIELDS 6
enum { QUERY_BEGIN, QUERY_END, KEY_BEGIN, RANGE_BEGIN, RANGE_END, SUBTREE_END };

/* What building needs and a pack does not keep. */
typedef struct builder {
    hn_trie trie;
    int32_t *node_of;    /* [tokens] the trie's node */
    int32_t *segment_of; /* [nodes] the segment that a kept node lies in */
    int32_t *edge_of;    /* [nodes] the edge that ends in a scored node */
    hone_pack *pack;
} builder;

static int32_t first_kept(const hn_trie *trie, int32_t node) {
    while (node != NONE && !(trie->flags[node] & HN_KEPT))
        node = trie->sibling[node];
    return node;
}

static hone_status reserve(builder *b) {
    hone_pack *pack = b->pack;
    size_t tokens = (size_t)b->trie.kept, nodes = (size_t)b->trie.nodes;
    pack->tokens = b->trie.kept;
    HN_TRY(hn_alloc(&pack->token, tokens, sizeof *pack->token, "a pack's tokens"));
    HN_TRY(hn_alloc(&pack->position, tokens, sizeof *pack->position, "a pack's positions"));
    HN_TRY(hn_alloc(&pack->subtree_end, tokens, sizeof *pack->subtree_end, "a pack's subtrees"));
    HN_TRY(hn_alloc(&b->node_of, tokens, sizeof *b->node_of, "building a pack"));
    HN_TRY(hn_alloc(&b->segment_of, nodes, sizeof *b->segment_of, "building a pack"));
    return hn_alloc(&b->edge_of, nodes, sizeof *b->edge_of, "building a pack");
}

/* Depth-first without recursion or a stack: tries are as deep as sequences are long. `at` is the stream's
 * length so far; a node's subtree ends where the stream stands when the walk leaves the node for good. */
static void emit(builder *b) {
    const hn_trie *trie = &b->trie;
    hone_pack *pack = b->pack;
    int32_t at = 0, depth = 0, node = first_kept(trie, trie->first_child[0]);
    int32_t *index =
        b->edge_of; /* a node's place in the stream; the array is free until edges are numbered */
    while (node != NONE) {
        index[node] = at;
        b->node_of[at] = node;
        pack->token[at] = trie->token[node];
        pack->position[at++] = depth++;
        pack->visible_pairs += depth;
        int32_t next = first_kept(trie, trie->first_child[node]);
        while (next == NONE && node != 0) {
            pack->subtree_end[index[node]] = at;
            depth--;
            next = first_kept(trie, trie->sibling[node]);
            node = trie->parent[node];
        }
        node = next;
    }
}

/* Roots and the children of forks. */
static bool starts_segment(const hn_trie *trie, int32_t node) {
    int32_t parent = trie->parent[node];
    return parent == 0 || trie->flags[parent] & HN_FORK;
}

static void close_segment(hone_pack *pack, int32_t end) {
    if (pack->segments > 0)
        pack->segment[(pack->segments - 1) * FIELDS + QUERY_END] = end;
}

/* The parent's ranges and the parent itself, joined where they touch. */
static hone_status add_ranges(hone_pack *pack, size_t *capacity, int32_t *row, const int32_t *parent) {
    size_t needed = (size_t)pack->ranges + 1;
    row[RANGE_BEGIN] = row[RANGE_END] = (int32_t)pack->ranges;
    if (!parent)
        return HONE_OK;
    int32_t inherited = parent[RANGE_END] - parent[RANGE_BEGIN];
    needed += (size_t)inherited;
    if (needed >= INT32_MAX / 2)
        return hn_fail(HONE_ERROR_ARGUMENT, "this pack branches too often on one path: use smaller packs");
    HN_TRY(hn_reserve(&pack->range, capacity, 2 * needed, sizeof *pack->range, "a pack's key ranges"));
    int32_t *to = pack->range + 2 * pack->ranges;
    const int32_t *from = pack->range + 2 * (size_t)parent[RANGE_BEGIN];
    for (int32_t i = 0; i < 2 * inherited; i++)
        to[i] = from[i];
    if (inherited > 0 && to[2 * inherited - 1] == parent[QUERY_BEGIN]) {
        to[2 * inherited - 1] = parent[QUERY_END];
    } else {
        to[2 * inherited] = parent[QUERY_BEGIN];
        to[2 * inherited + 1] = parent[QUERY_END];
        inherited++;
    }
    pack->ranges += inherited;
    row[RANGE_END] = (int32_t)pack->ranges;
    return HONE_OK;
}

static hone_status cut_segments(builder *b) {
    hone_pack *pack = b->pack;
    size_t capacity = 0, range_capacity = 0;
    for (int32_t i = 0; i < pack->tokens; i++) {
        int32_t node = b->node_of[i], parent = b->trie.parent[node];
        if (starts_segment(&b->trie, node)) {
            size_t needed = (size_t)(pack->segments + 1) * FIELDS;
            HN_TRY(hn_reserve(&pack->segment, &capacity, needed, sizeof *pack->segment, "a pack's segments"));
            close_segment(pack, i);
            int32_t *row = pack->segment + pack->segments * FIELDS;
            const int32_t *above =
                parent == 0 ? NULL : pack->segment + (ptrdiff_t)b->segment_of[parent] * FIELDS;
            row[QUERY_BEGIN] = row[KEY_BEGIN] = i;
            row[SUBTREE_END] = pack->subtree_end[i];
            HN_TRY(add_ranges(pack, &range_capacity, row, above));
            pack->segments++;
        }
        b->segment_of[node] = (int32_t)(pack->segments - 1);
    }
    close_segment(pack, (int32_t)pack->tokens);
    if (!pack->range) /* a NULL array would look like a failure to whoever uploads it */
        HN_TRY(hn_alloc(&pack->range, 2, sizeof *pack->range, "a pack's key ranges"));
    return HONE_OK;
}

/* Rows in stream order, a row's edges in the order in which their targets first appeared. */
static hone_status number_edges(builder *b) {
    const hn_trie *trie = &b->trie;
    hone_pack *pack = b->pack;
    int64_t scored = 0;
    for (int64_t node = 0; node < trie->nodes; node++)
        scored += (trie->flags[node] & HN_SCORED) != 0;
    HN_TRY(hn_alloc(&pack->target, (size_t)scored, sizeof *pack->target, "a pack's edges"));
    HN_TRY(hn_alloc(&pack->row, (size_t)scored, sizeof *pack->row, "a pack's rows"));
    HN_TRY(hn_alloc(&pack->begin, (size_t)scored + 1, sizeof *pack->begin, "a pack's rows"));
    for (int32_t i = 0; i < pack->tokens; i++) {
        int64_t before = pack->edges;
        for (int32_t c = trie->first_child[b->node_of[i]]; c != NONE; c = trie->sibling[c]) {
            if (!(trie->flags[c] & HN_SCORED))
                continue;
            pack->target[pack->edges] = trie->token[c];
            b->edge_of[c] = (int32_t)pack->edges++;
        }
        if (pack->edges == before)
            continue;
        pack->row[pack->rows] = i;
        pack->begin[++pack->rows] = (int32_t)pack->edges;
    }
    return HONE_OK;
}

static hone_status trace_sequences(builder *b, int64_t count) {
    hone_pack *pack = b->pack;
    int64_t scored = b->trie.completion_begin[count];
    HN_TRY(hn_alloc(&pack->sequence_begin, (size_t)count + 1, sizeof *pack->sequence_begin,
                    "a pack's sequences"));
    HN_TRY(hn_alloc(&pack->sequence_edge, (size_t)scored, sizeof *pack->sequence_edge, "a pack's sequences"));
    for (int64_t s = 0; s <= count; s++)
        pack->sequence_begin[s] = b->trie.completion_begin[s];
    for (int64_t i = 0; i < scored; i++)
        pack->sequence_edge[i] = b->edge_of[b->trie.completion_node[i]];
    pack->sequences = count;
    pack->naive_tokens = b->trie.naive_tokens;
    pack->padded_tokens = count * b->trie.longest;
    return HONE_OK;
}

hone_status hone_pack_create(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                             hone_pack **pack) {
    builder b = {0};
    hone_status status = HONE_OK;
    *pack = NULL;
    HN_GO(hn_trie_build(sequence, count, layout, &b.trie));
    HN_GO(hn_alloc(&b.pack, 1, sizeof *b.pack, "a pack"));
    HN_GO(reserve(&b));
    emit(&b);
    HN_GO(cut_segments(&b));
    HN_GO(number_edges(&b));
    HN_GO(trace_sequences(&b, count));
    *pack = b.pack;
    b.pack = NULL;
done:
    hn_trie_clear(&b.trie);
    hn_free(b.node_of);
    hn_free(b.segment_of);
    hn_free(b.edge_of);
    hone_pack_destroy(b.pack);
    return status;
}

void hone_pack_destroy(hone_pack *pack) {
    if (!pack)
        return;
    hn_free(pack->token);
    hn_free(pack->position);
    hn_free(pack->subtree_end);
    hn_free(pack->segment);
    hn_free(pack->range);
    hn_free(pack->row);
    hn_free(pack->begin);
    hn_free(pack->target);
    hn_free(pack->sequence_begin);
    hn_free(pack->sequence_edge);
    hn_free(pack);
}
