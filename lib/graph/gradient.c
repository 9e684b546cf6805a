/*
 * The backward pass, derived node by node from the last to the first.
 *
 * A derivative is gathered per root value. Its first contribution overwrites, later ones are added. An
 * addition passes its derivative on without copying: the derivatives of both terms are then one storage, and
 * whoever would add to it while the other term's derivative is still to be read gets a storage of its own
 * (`shared` below).
 */
#include <core/memory.h>
#include <core/status.h>
#include <graph/recompute.h>
#include <graph/tape.h>
#include <string.h>

static const hn_target unwanted = {HN_NONE, false, false, HN_NONE};

/** `gradient`, seen in the shape of `value`. */
static hn_value shaped(hn_program *program, hn_value gradient, hn_value value) {
    const hn_value_info info = *hn_graph_value(program, value);
    return hn_program_view(program, gradient, info.rank, info.extent);
}

/** The derivative of the value so far, in the value's shape; HN_NONE when nothing has flowed to it. */
static hn_value derivative(hn_program *program, hn_value value) {
    const hn_value gradient = hn_graph_value(program, hn_graph_root(program, value))->gradient;
    return gradient == HN_NONE ? HN_NONE : shaped(program, gradient, value);
}

/** Whether the storage of root's derivative is also that of another value whose producer is still to be differentiated. */
static bool shared(const hn_tape *t, hn_value root) {
    const hn_program *program = t->program;
    const hn_value storage = hn_graph_root(program, hn_graph_value(program, root)->gradient);

    for (size_t i = 0; i < program->values; i++) {
        const hn_value_info *other = &program->value[i];
        if ((hn_value)i == root || other->root != (hn_value)i || other->kind != HN_ACTIVATION ||
            other->gradient == HN_NONE)
            continue;
        if (hn_graph_root(program, other->gradient) == storage && other->producer >= 0 &&
            (size_t)other->producer <= t->node)
            return true;
    }
    return false;
}

static hn_target parameter_target(hn_tape *t, hn_value root) {
    const hn_value place = hn_graph_value(t->program, root)->gradient;
    const bool first = !t->used[place];

    t->used[place] = true;
    return (hn_target){place, !first, first, HN_NONE};
}

hn_target hn_tape_contribute(hn_tape *t, hn_value value, bool adds) {
    hn_program *program = t->program;
    if (value == HN_NONE)
        return unwanted;
    const hn_value root = hn_graph_root(program, value);
    const hn_value_info *info = hn_graph_value(program, root);

    if (!info->differentiable)
        return unwanted;
    if (info->kind == HN_PARAMETER && !adds) {
        (void)hn_graph_fail(program,
                            hn_fail(HONE_ERROR_UNSUPPORTED,
                                    "parameter %s: its operation can't add to a derivative", info->name));
        return unwanted;
    }
    if (info->kind == HN_PARAMETER)
        return parameter_target(t, root);
    if (info->gradient == HN_NONE) {
        const hn_value fresh = hn_graph_like(program, root);
        if (fresh == HN_NONE)
            return unwanted;
        hn_graph_value(program, root)->gradient = fresh;
        return (hn_target){shaped(program, fresh, value), false, false, HN_NONE};
    }
    if (adds && !shared(t, root))
        return (hn_target){derivative(program, value), true, false, HN_NONE};
    const hn_value part = hn_graph_like(program, root);
    return part == HN_NONE ? unwanted : (hn_target){shaped(program, part, value), false, false, root};
}

void hn_tape_set(hn_node *node, int operand, hn_target to) {
    node->operand[operand] = to.place;
    if (to.place == HN_NONE)
        return;
    node->accumulate |= to.add ? 1u << operand : 0u;
    node->by_caller |= to.by_caller ? 1u << operand : 0u;
}

/* The plan lets the sum take over the old storage unless another value still reads it. */
void hn_tape_settle(hn_tape *t, hn_target to) {
    hn_program *program = t->program;
    if (to.of == HN_NONE || to.place == HN_NONE)
        return;
    const hn_value old = hn_graph_value(program, to.of)->gradient;
    const hn_value sum = hn_graph_like(program, to.of);
    hn_node *node = hn_graph_add_node(program, HONE_OP_ADD);
    if (node == NULL || sum == HN_NONE)
        return;
    const hn_value part = hn_graph_root(program, to.place);
    /* The operation is on [T,D]: values of other ranks are seen so. */
    const hn_value_info shape = *hn_graph_value(program, to.of);
    hn_extent flat[2] = {shape.extent[0], hn_fixed(1)};
    for (int d = 1; d < shape.rank; d++)
        flat[1].fixed *= shape.extent[d].fixed;
    const size_t at = program->nodes - 1;
    const hn_value a = hn_program_view(program, old, 2, flat), b = hn_program_view(program, part, 2, flat),
                   y = hn_program_view(program, sum, 2, flat);
    node = &program->node[at];
    node->operand[HONE_ADD_A] = a;
    node->operand[HONE_ADD_B] = b;
    node->operand[HONE_ADD_Y] = y;
    hn_graph_value(program, to.of)->gradient = sum;
}

void hn_tape_pass(hn_tape *t, hn_value value, hn_value dy) {
    hn_program *program = t->program;
    const hn_value root = hn_graph_root(program, value);
    hn_value_info *info = hn_graph_value(program, root);

    if (!info->differentiable || program->status != HONE_OK)
        return;
    if (info->kind == HN_ACTIVATION && info->gradient == HN_NONE) {
        const hn_value_info shape = *info;
        const hn_value passed = hn_program_view(program, dy, shape.rank, shape.extent);
        hn_graph_value(program, root)->gradient = passed;
        return;
    }
    if (info->kind == HN_ACTIVATION)
        hn_tape_settle(t, (hn_target){dy, false, false, root});
    else
        (void)hn_graph_fail(
            program, hn_fail(HONE_ERROR_UNSUPPORTED, "add: no derivative by parameter %s", info->name));
}

static void differentiate(hn_tape *t) {
    /* A copy: the list of nodes grows, and may move, while the derivative is recorded. */
    const hn_node f = t->program->node[t->node];
    const hn_rule *rule = hn_graph_rule(f.operation);

    if (rule == NULL) {
        (void)hn_graph_fail(t->program, hn_fail(HONE_ERROR_UNSUPPORTED, "%s has no derivative",
                                                hn_operation_describe(f.operation)->name));
        return;
    }
    if (rule->apply == NULL)
        return;
    const hn_value dy = derivative(t->program, f.operand[rule->result]);
    if (dy != HN_NONE)
        rule->apply(t, &f, dy);
}

/** Gradients of parameters that no derivative reaches: zero, unless the caller accumulates. */
static void clear_unreached(hn_tape *t) {
    hn_program *program = t->program;
    for (size_t v = 0; v < t->values; v++) {
        const hn_value place = program->value[v].gradient;
        if (program->value[v].kind != HN_PARAMETER || program->value[v].root != (hn_value)v ||
            place == HN_NONE || t->used[place])
            continue;
        hn_node *node = hn_graph_add_node(program, HONE_OP_FILL);
        if (node == NULL)
            return;
        node->operand[HONE_FILL_Y] = place;
        node->has_params = true;
        node->only_overwriting = true;
    }
}

/** The block that backward runs again and that ends with the node before `end`; NULL: none. */
static const hn_block *block_ending(const hn_program *program, size_t end) {
    for (size_t b = 0; b < program->blocks && (int64_t)b < program->recompute; b++)
        if (program->block[b].end == end && program->block[b].begin < end)
            return &program->block[b];
    return NULL;
}

static hone_status differentiate_all(hn_tape *t) {
    hn_program *program = t->program;
    const hn_block *block = NULL;
    size_t backward = 0;

    for (size_t i = program->forward_nodes; i-- > 0 && program->status == HONE_OK;) {
        if (block == NULL) {
            block = block_ending(program, i + 1);
            backward = program->nodes;
        }
        t->node = i;
        differentiate(t);
        if (block != NULL && i == block->begin) {
            HN_TRY(hn_graph_recompute_block(program, block, backward));
            block = NULL;
        }
    }
    return program->status;
}

hone_status hn_graph_differentiate(hn_program *program) {
    hn_tape t = {.program = program, .values = program->values};

    if (program->logp == HN_NONE)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "a training program needs a head's log-probabilities to start from");
    HN_TRY(hn_alloc(&t.used, program->values, sizeof *t.used, "gradient marks"));
    hn_graph_value(program, program->logp)->gradient = program->seed;
    hone_status status = differentiate_all(&t);
    if (status == HONE_OK)
        clear_unreached(&t);
    hn_free(t.used);
    return status != HONE_OK ? status : program->status;
}
