/* Laying a trie out as one stream: depth-first pre-order, segments, key ranges, scored rows and edges. */
#include "core/memory.h"
#include "core/status.h"
#include "pack/packer.h"

#define NONE (-1)
#define FIELDS 6
enum { QUERY_BEGIN, QUERY_END, KEY_BEGIN, RANGE_BEGIN, RANGE_END, SUBTREE_END };

static int32_t first_kept(const hn_trie *trie, int32_t node) {
    while (node != NONE && !(trie->flags[node] & HN_KEPT))
        node = trie->sibling[node];
    return node;
}

static hone_status room(void *array, size_t capacity, size_t needed, size_t size) {
    return needed <= capacity ? HONE_OK : hn_realloc(array, needed, size, "building a pack");
}

static hone_status reserve_tokens(hn_packer *b, size_t tokens) {
    hone_pack *pack = b->pack;
    const size_t had = b->token_room;
    HN_TRY(room(&pack->token, had, tokens, sizeof *pack->token));
    HN_TRY(room(&pack->position, had, tokens, sizeof *pack->position));
    HN_TRY(room(&pack->subtree_end, had, tokens, sizeof *pack->subtree_end));
    HN_TRY(room(&pack->segment, had, tokens, FIELDS * sizeof *pack->segment));
    HN_TRY(room(&b->node_of, had, tokens, sizeof *b->node_of));
    b->token_room = tokens > had ? tokens : had;
    return HONE_OK;
}

static hone_status reserve_nodes(hn_packer *b, size_t nodes) {
    HN_TRY(room(&b->segment_of, b->node_room, nodes, sizeof *b->segment_of));
    HN_TRY(room(&b->edge_of, b->node_room, nodes, sizeof *b->edge_of));
    b->node_room = nodes > b->node_room ? nodes : b->node_room;
    return HONE_OK;
}

/** `scored` edges at most, traced by `completions` tokens of `sequences` sequences. */
static hone_status reserve_edges(hn_packer *b, size_t scored, size_t completions, size_t sequences) {
    hone_pack *pack = b->pack;
    HN_TRY(room(&pack->target, b->edge_room, scored, sizeof *pack->target));
    HN_TRY(room(&pack->row, b->edge_room, scored, sizeof *pack->row));
    HN_TRY(room(&pack->begin, b->edge_room > 0 ? b->edge_room + 1 : 0, scored + 1, sizeof *pack->begin));
    b->edge_room = scored > b->edge_room ? scored : b->edge_room;
    HN_TRY(room(&pack->sequence_edge, b->completion_room, completions, sizeof *pack->sequence_edge));
    b->completion_room = completions > b->completion_room ? completions : b->completion_room;
    HN_TRY(room(&pack->sequence_begin, b->sequence_room, sequences + 1, sizeof *pack->sequence_begin));
    b->sequence_room = sequences + 1 > b->sequence_room ? sequences + 1 : b->sequence_room;
    return HONE_OK;
}

/* Depth-first without recursion or a stack: tries are as deep as sequences are long. `at` is the stream's
 * length so far; a node's subtree ends where the stream stands when the walk leaves the node for good. */
static void emit(hn_packer *b) {
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
static hone_status add_ranges(hn_packer *b, int32_t *row, const int32_t *parent) {
    hone_pack *pack = b->pack;
    size_t needed = (size_t)pack->ranges + 1;
    row[RANGE_BEGIN] = row[RANGE_END] = (int32_t)pack->ranges;
    if (!parent)
        return HONE_OK;
    int32_t inherited = parent[RANGE_END] - parent[RANGE_BEGIN];
    needed += (size_t)inherited;
    if (needed >= INT32_MAX / 2)
        return hn_fail(HONE_ERROR_ARGUMENT, "this pack branches too often on one path: use smaller packs");
    HN_TRY(hn_reserve(&pack->range, &b->range_room, 2 * needed, sizeof *pack->range, "a pack's key ranges"));
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

static hone_status cut_segments(hn_packer *b) {
    hone_pack *pack = b->pack;
    for (int32_t i = 0; i < pack->tokens; i++) {
        int32_t node = b->node_of[i], parent = b->trie.parent[node];
        if (starts_segment(&b->trie, node)) {
            close_segment(pack, i);
            int32_t *row = pack->segment + pack->segments * FIELDS;
            const int32_t *above =
                parent == 0 ? NULL : pack->segment + (ptrdiff_t)b->segment_of[parent] * FIELDS;
            row[QUERY_BEGIN] = row[KEY_BEGIN] = i;
            row[SUBTREE_END] = pack->subtree_end[i];
            HN_TRY(add_ranges(b, row, above));
            pack->segments++;
        }
        b->segment_of[node] = (int32_t)(pack->segments - 1);
    }
    close_segment(pack, (int32_t)pack->tokens);
    /* A NULL array would look like a failure to whoever uploads it. */
    return hn_reserve(&pack->range, &b->range_room, 2, sizeof *pack->range, "a pack's key ranges");
}

/* Rows in stream order, a row's edges in the order in which their targets first appeared. */
static void number_edges(hn_packer *b) {
    const hn_trie *trie = &b->trie;
    hone_pack *pack = b->pack;
    pack->begin[0] = 0;
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
}

static void trace_sequences(hn_packer *b, int64_t count) {
    hone_pack *pack = b->pack;
    int64_t scored = b->trie.completion_begin[count];
    for (int64_t s = 0; s <= count; s++)
        pack->sequence_begin[s] = b->trie.completion_begin[s];
    for (int64_t i = 0; i < scored; i++)
        pack->sequence_edge[i] = b->edge_of[b->trie.completion_node[i]];
    pack->sequences = count;
    pack->naive_tokens = b->trie.naive_tokens;
    pack->padded_tokens = count * b->trie.longest;
}

static size_t count_scored(const hn_trie *trie) {
    size_t scored = 0;
    for (int64_t node = 0; node < trie->nodes; node++)
        scored += (trie->flags[node] & HN_SCORED) != 0;
    return scored;
}

static hone_status make_pack(hn_packer *b) {
    return b->pack != NULL ? HONE_OK : hn_alloc(&b->pack, 1, sizeof *b->pack, "a pack");
}

hone_status hn_packer_reserve(hn_packer *b, const hn_packer_extents *most) {
    const size_t tokens = (size_t)most->tokens, sequences = (size_t)most->sequences;
    HN_TRY(make_pack(b));
    /* Node 0 stands above the roots, and a padded sequence ends with a token that is a target alone. */
    HN_TRY(hn_trie_reserve(&b->trie, most->tokens + most->sequences + 1, most->sequences, most->completions,
                           true));
    HN_TRY(reserve_tokens(b, tokens));
    HN_TRY(reserve_nodes(b, tokens + sequences + 1));
    HN_TRY(reserve_edges(b, (size_t)most->completions, (size_t)most->completions, sequences));
    return hn_reserve(&b->pack->range, &b->range_room, 2 * (size_t)(most->ranges > 1 ? most->ranges : 1),
                      sizeof *b->pack->range, "a pack's key ranges");
}

hone_status hn_packer_build(hn_packer *b, const hone_sequence *sequence, int64_t count,
                            hone_pack_layout layout, const hone_pack **pack) {
    *pack = NULL;
    HN_TRY(make_pack(b));
    HN_TRY(hn_trie_build(sequence, count, layout, &b->trie));
    HN_TRY(reserve_tokens(b, (size_t)b->trie.kept));
    HN_TRY(reserve_nodes(b, (size_t)b->trie.nodes));
    HN_TRY(reserve_edges(b, count_scored(&b->trie), (size_t)b->trie.completion_begin[count], (size_t)count));
    b->pack->tokens = b->trie.kept;
    b->pack->segments = b->pack->ranges = b->pack->rows = b->pack->edges = b->pack->visible_pairs = 0;
    emit(b);
    HN_TRY(cut_segments(b));
    number_edges(b);
    trace_sequences(b, count);
    *pack = b->pack;
    return HONE_OK;
}

void hn_packer_clear(hn_packer *b) {
    hn_trie_clear(&b->trie);
    hn_free(b->node_of);
    hn_free(b->segment_of);
    hn_free(b->edge_of);
    hone_pack_destroy(b->pack);
    *b = (hn_packer){0};
}

hone_status hone_pack_create(const hone_sequence *sequence, int64_t count, hone_pack_layout layout,
                             hone_pack **pack) {
    hn_packer packer = {0};
    const hone_pack *built = NULL;
    const hone_status status = hn_packer_build(&packer, sequence, count, layout, &built);

    *pack = NULL;
    if (status == HONE_OK) {
        *pack = packer.pack;
        packer.pack = NULL;
    }
    hn_packer_clear(&packer);
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
