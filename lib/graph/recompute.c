/*
 * Values that backward makes again instead of keeping them.
 *
 * Of a marked block (a layer): the forward nodes that lead to what its backward nodes read are repeated before these,
 * under new values; so the old ones die with the forward pass. What leaves the block (its result) stays.
 * Of cheap operations (norms, SwiGLU, dropout), always: where what they read is alive anyway when backward wants their
 * result, the result need not be.
 *
 * The same operation on the same operands gives the same bits (dropout masks are functions of the step), so losses and
 * gradients do not change.
 */
#include <core/memory.h>
#include <core/status.h>
#include <graph/recompute.h>
#include <string.h>

/** Old root -> its copy, for the values there were when the copying began. */
typedef struct copies {
    hn_program *program;
    hn_value *copy; /**< HN_NONE: none */
    size_t values;
} copies;

static hone_status copies_create(hn_program *program, copies *c) {
    *c = (copies){.program = program, .values = program->values};
    HN_TRY(hn_alloc(&c->copy, c->values, sizeof *c->copy, "recomputed values"));
    for (size_t v = 0; v < c->values; v++)
        c->copy[v] = HN_NONE;
    return HONE_OK;
}

/** The value itself, or the same view of its root's copy. */
static hn_value copied(const copies *c, hn_value value) {
    if (value == HN_NONE || (size_t)value >= c->values)
        return value;
    const hn_value root = hn_graph_root(c->program, value);
    if ((size_t)root >= c->values || c->copy[root] == HN_NONE)
        return value;
    if (value == root)
        return c->copy[root];
    const hn_value_info shape = *hn_graph_value(c->program, value);
    return hn_program_view(c->program, c->copy[root], shape.rank, shape.extent);
}

static void rename_operands(const copies *c, size_t node) {
    for (int o = 0; o < HONE_MAX_OPERANDS; o++) {
        const hn_value renamed = copied(c, c->program->node[node].operand[o]);
        c->program->node[node].operand[o] = renamed;
    }
}

static bool writes(const hn_node *node, int o) {
    return node->operand[o] != HN_NONE &&
           hn_operation_describe(node->operation)->operand[o].direction != HN_IN;
}

static bool reads(const hn_node *node, int o) {
    return node->operand[o] != HN_NONE &&
           hn_operation_describe(node->operation)->operand[o].direction != HN_OUT;
}

static bool touches(const hn_program *program, const hn_node *node, hn_value root) {
    for (int o = 0; o < HONE_MAX_OPERANDS; o++)
        if (node->operand[o] != HN_NONE && hn_graph_root(program, node->operand[o]) == root)
            return true;
    return false;
}

/** Appends a copy of the node with copies of all that it writes (made now, unless there are some). */
static void repeat(const copies *c, size_t node) {
    hn_program *program = c->program;
    const hn_node old = program->node[node];

    for (int o = 0; o < hn_operation_describe(old.operation)->operands; o++) {
        if (!writes(&old, o))
            continue;
        const hn_value root = hn_graph_root(program, old.operand[o]);
        if (c->copy[root] == HN_NONE)
            c->copy[root] = hn_graph_like(program, root);
    }
    hn_node *made = hn_graph_add_node(program, old.operation);
    if (made == NULL)
        return;
    *made = old;
    rename_operands(c, program->nodes - 1);
}

/** Moves the nodes from `from` to the end of the list before those from `to`. */
static hone_status move_before(hn_program *program, size_t from, size_t to) {
    const size_t moved = program->nodes - from, passed = from - to;
    hn_node *kept = NULL;

    HN_TRY(hn_alloc(&kept, moved, sizeof *kept, "recomputed nodes"));
    memcpy(kept, program->node + from, moved * sizeof *kept);
    memmove(program->node + to + moved, program->node + to, passed * sizeof *kept);
    memcpy(program->node + to, kept, moved * sizeof *kept);
    hn_free(kept);
    return HONE_OK;
}

/* ---- blocks ---- */

/** Whether the block makes the value, and only its own nodes use it: then a copy may stand for it. */
static void find_inner(const hn_program *program, const hn_block *block, size_t backward, bool *inner) {
    for (size_t i = block->begin; i < block->end; i++)
        for (int o = 0; o < HONE_MAX_OPERANDS; o++)
            if (program->node[i].operand[o] != HN_NONE && writes(&program->node[i], o)) {
                const hn_value root = hn_graph_root(program, program->node[i].operand[o]);
                inner[root] = program->value[root].kind == HN_ACTIVATION && !program->value[root].output;
            }
    for (size_t i = 0; i < backward; i++)
        if (i < block->begin || i >= block->end)
            for (int o = 0; o < HONE_MAX_OPERANDS; o++)
                if (program->node[i].operand[o] != HN_NONE)
                    inner[hn_graph_root(program, program->node[i].operand[o])] = false;
}

static void want_reads(const hn_program *program, const hn_node *node, const bool *inner, bool *wanted) {
    for (int o = 0; o < HONE_MAX_OPERANDS; o++)
        if (node->operand[o] != HN_NONE && reads(node, o)) {
            const hn_value root = hn_graph_root(program, node->operand[o]);
            wanted[root] = wanted[root] || inner[root];
        }
}

static bool makes_wanted(const hn_program *program, const hn_node *node, const bool *wanted) {
    for (int o = 0; o < HONE_MAX_OPERANDS; o++)
        if (node->operand[o] != HN_NONE && writes(node, o) &&
            wanted[hn_graph_root(program, node->operand[o])])
            return true;
    return false;
}

hone_status hn_graph_recompute_block(hn_program *program, const hn_block *block, size_t backward) {
    const size_t end = program->nodes;
    copies c = {0};
    bool *inner = NULL, *wanted = NULL, *again = NULL;
    hone_status status = HONE_OK;

    if (program->status != HONE_OK)
        return program->status;
    HN_GO(copies_create(program, &c));
    HN_GO(hn_alloc(&inner, c.values, sizeof *inner, "recomputed values"));
    HN_GO(hn_alloc(&wanted, c.values, sizeof *wanted, "recomputed values"));
    HN_GO(hn_alloc(&again, block->end, sizeof *again, "recomputed nodes"));
    find_inner(program, block, backward, inner);
    for (size_t i = backward; i < end; i++)
        want_reads(program, &program->node[i], inner, wanted);
    for (size_t i = block->end; i-- > block->begin;) {
        again[i] = makes_wanted(program, &program->node[i], wanted);
        if (again[i])
            want_reads(program, &program->node[i], inner, wanted);
    }
    for (size_t i = block->begin; i < block->end; i++)
        if (again[i])
            repeat(&c, i);
    for (size_t i = backward; i < end; i++)
        rename_operands(&c, i);
    HN_GO(program->status);
    HN_GO(move_before(program, end, backward));
done:
    hn_free(again);
    hn_free(wanted);
    hn_free(inner);
    hn_free(c.copy);
    return status;
}

/* ---- cheap operations ---- */

/** The operand that holds the result; -1: not a cheap operation. */
static int cheap_result(hone_operation operation) {
    switch (operation) {
    case HONE_OP_RMS_NORM:
        return HONE_RMS_NORM_Y;
    case HONE_OP_SWIGLU:
        return HONE_SWIGLU_Y;
    case HONE_OP_DROPOUT:
        return HONE_DROPOUT_Y;
    default:
        return -1;
    }
}

/** The first or last backward node that touches the value; the number of nodes when there is none. */
static size_t first_use(const hn_program *program, hn_value root) {
    size_t i = program->forward_nodes;
    while (i < program->nodes && !touches(program, &program->node[i], root))
        i++;
    return i;
}

static size_t last_use(const hn_program *program, hn_value root) {
    for (size_t i = program->nodes; i-- > program->forward_nodes;)
        if (touches(program, &program->node[i], root))
            return i;
    return program->nodes;
}

static bool is_cheap(const hn_program *program, hn_value root) {
    const int32_t producer = program->value[root].producer;
    return producer >= 0 && cheap_result(program->node[producer].operation) >= 0;
}

/** Whether all that the node reads is there at backward node `at`: alive for others' sake, or cheap itself. */
static bool operands_there(const hn_program *program, const hn_node *node, size_t at) {
    for (int o = 0; o < HONE_MAX_OPERANDS; o++) {
        if (node->operand[o] == HN_NONE || !reads(node, o))
            continue;
        const hn_value root = hn_graph_root(program, node->operand[o]);
        if (program->value[root].kind != HN_ACTIVATION || is_cheap(program, root))
            continue;
        const size_t last = last_use(program, root);
        if (last == program->nodes || last < at)
            return false;
    }
    return true;
}

static hone_status recompute_cheap(hn_program *program, size_t node) {
    const int result = cheap_result(program->node[node].operation);
    const size_t end = program->nodes;
    copies c = {0};
    hone_status status = HONE_OK;

    if (result < 0)
        return HONE_OK;
    const hn_value root = hn_graph_root(program, program->node[node].operand[result]);
    const size_t at = first_use(program, root);
    if (at == end || at == program->forward_nodes) /* not read again, or at once: nothing to gain */
        return HONE_OK;
    if (program->value[root].output || !operands_there(program, &program->node[node], at))
        return HONE_OK;
    HN_GO(copies_create(program, &c));
    repeat(&c, node);
    for (int o = 0; o < HONE_MAX_OPERANDS;
         o++) /* by-products, such as the norm's factors, are kept as they are */
        if (o != result && program->node[node].operand[o] != HN_NONE && writes(&program->node[node], o))
            c.copy[hn_graph_root(program, program->node[node].operand[o])] = HN_NONE;
    for (size_t i = at; i < end; i++)
        rename_operands(&c, i);
    HN_GO(program->status);
    HN_GO(move_before(program, end, at));
done:
    hn_free(c.copy);
    return status;
}

hone_status hn_graph_recompute_cheap(hn_program *program) {
    for (size_t i = program->forward_nodes; i-- > 0;)
        HN_TRY(recompute_cheap(program, i));
    return HONE_OK;
}
