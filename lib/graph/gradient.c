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
#include <graph/graph.h>
#include <string.h>

typedef struct tape {
    hn_program *program;
    size_t node; /**< forward node whose derivative is being derived */
    bool *used;  /**< by value: a parameter's gradient has been written already */
} tape;

/** Where an operation writes a contribution to the derivative of a value. */
typedef struct target {
    hn_value place; /**< operand; HN_NONE: not wanted */
    bool add;       /**< the operation itself adds */
    bool by_caller; /**< the operation adds when the caller says so */
    hn_value
        of; /**< root whose derivative must be replaced by the sum of it and `place` after the operation */
} target;

static const target unwanted = {HN_NONE, false, false, HN_NONE};

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
static bool shared(const tape *t, hn_value root) {
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

static target parameter_target(tape *t, hn_value root) {
    const hn_value place = hn_graph_value(t->program, root)->gradient;
    const bool first = !t->used[place];

    t->used[place] = true;
    return (target){place, !first, first, HN_NONE};
}

/** `adds`: the operation can add to this output. */
static target contribute(tape *t, hn_value value, bool adds) {
    hn_program *program = t->program;
    if (value == HN_NONE)
        return unwanted;
    const hn_value root = hn_graph_root(program, value);
    const hn_value_info *info = hn_graph_value(program, root);

    if (!info->differentiable)
        return unwanted;
    if (info->kind == HN_PARAMETER)
        return parameter_target(t, root);
    if (info->gradient == HN_NONE) {
        const hn_value fresh = hn_graph_like(program, root);
        if (fresh == HN_NONE)
            return unwanted;
        hn_graph_value(program, root)->gradient = fresh;
        return (target){shaped(program, fresh, value), false, false, HN_NONE};
    }
    if (adds && !shared(t, root))
        return (target){derivative(program, value), true, false, HN_NONE};
    const hn_value part = hn_graph_like(program, root);
    return part == HN_NONE ? unwanted : (target){shaped(program, part, value), false, false, root};
}

static void set(hn_node *node, int operand, target to) {
    node->operand[operand] = to.place;
    if (to.place == HN_NONE)
        return;
    node->accumulate |= to.add ? 1u << operand : 0u;
    node->by_caller |= to.by_caller ? 1u << operand : 0u;
}

/** After an operation that could not add: the sum, in the old storage unless another value still reads it. */
static void settle(tape *t, target to) {
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

static void embedding(tape *t, const hn_node *f, hn_value dy) {
    const target table = contribute(t, f->operand[HONE_EMBEDDING_TABLE], true);
    hn_node *b = table.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_EMBEDDING_BACKWARD);
    if (b == NULL)
        return;
    b->operand[HONE_EMBEDDING_BACKWARD_TOKEN] = f->operand[HONE_EMBEDDING_TOKEN];
    b->operand[HONE_EMBEDDING_BACKWARD_DY] = dy;
    set(b, HONE_EMBEDDING_BACKWARD_DTABLE, table);
}

static void rms_norm(tape *t, const hn_node *f, hn_value dy) {
    const target dx = contribute(t, f->operand[HONE_RMS_NORM_X], true);
    const target dgain = contribute(t, f->operand[HONE_RMS_NORM_GAIN], true);
    const bool wanted = dx.place != HN_NONE || dgain.place != HN_NONE;
    hn_node *b = wanted ? hn_graph_add_node(t->program, HONE_OP_RMS_NORM_BACKWARD) : NULL;
    if (b == NULL)
        return;
    b->operand[HONE_RMS_NORM_BACKWARD_X] = f->operand[HONE_RMS_NORM_X];
    b->operand[HONE_RMS_NORM_BACKWARD_GAIN] = f->operand[HONE_RMS_NORM_GAIN];
    b->operand[HONE_RMS_NORM_BACKWARD_RSTD] = f->operand[HONE_RMS_NORM_RSTD];
    b->operand[HONE_RMS_NORM_BACKWARD_DY] = dy;
    set(b, HONE_RMS_NORM_BACKWARD_DX, dx);
    set(b, HONE_RMS_NORM_BACKWARD_DGAIN, dgain);
    settle(t, dx);
}

/** Operands that serve an unwanted derivative alone stay absent: they need not be kept. */
static void linear(tape *t, const hn_node *f, hn_value dy) {
    const target dx = contribute(t, f->operand[HONE_LINEAR_X], true);
    const target dw = contribute(t, f->operand[HONE_LINEAR_W], true);
    const target dbias = contribute(t, f->operand[HONE_LINEAR_BIAS], true);
    const bool wanted = dx.place != HN_NONE || dw.place != HN_NONE || dbias.place != HN_NONE;
    hn_node *b = wanted ? hn_graph_add_node(t->program, HONE_OP_LINEAR_BACKWARD) : NULL;
    if (b == NULL)
        return;
    b->operand[HONE_LINEAR_BACKWARD_X] = dw.place != HN_NONE ? f->operand[HONE_LINEAR_X] : HN_NONE;
    b->operand[HONE_LINEAR_BACKWARD_W] = dx.place != HN_NONE ? f->operand[HONE_LINEAR_W] : HN_NONE;
    b->operand[HONE_LINEAR_BACKWARD_DY] = dy;
    set(b, HONE_LINEAR_BACKWARD_DX, dx);
    set(b, HONE_LINEAR_BACKWARD_DW, dw);
    set(b, HONE_LINEAR_BACKWARD_DBIAS, dbias);
    b->params = f->params;
    b->has_params = true;
    settle(t, dx);
}

static void rotary(tape *t, const hn_node *f, hn_value dy) {
    const target dx = contribute(t, f->operand[HONE_ROTARY_X], true);
    hn_node *b = dx.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_ROTARY);
    if (b == NULL)
        return;
    b->operand[HONE_ROTARY_X] = dy;
    b->operand[HONE_ROTARY_POSITION] = f->operand[HONE_ROTARY_POSITION];
    b->operand[HONE_ROTARY_FREQUENCY] = f->operand[HONE_ROTARY_FREQUENCY];
    set(b, HONE_ROTARY_Y, dx);
    b->params = f->params;
    b->params.rotary.inverse = 1;
    b->has_params = true;
    settle(t, dx);
}

/** All three derivatives are written, wanted or not: they come from the same passes. */
static hn_value or_scratch(tape *t, target to, hn_value like) {
    if (to.place != HN_NONE)
        return to.place;
    const hn_value_info info = *hn_graph_value(t->program, like);
    return hn_graph_activation(t->program, info.rank, info.extent);
}

static void attention(tape *t, const hn_node *f, hn_value dy) {
    const hn_value q = f->operand[HONE_ATTENTION_Q], k = f->operand[HONE_ATTENTION_K],
                   v = f->operand[HONE_ATTENTION_V];
    const target dq = contribute(t, q, false), dk = contribute(t, k, false), dv = contribute(t, v, false);
    if (dq.place == HN_NONE && dk.place == HN_NONE && dv.place == HN_NONE)
        return;
    const hn_value to_q = or_scratch(t, dq, q), to_k = or_scratch(t, dk, k), to_v = or_scratch(t, dv, v);
    const hn_value delta = hn_graph_like(t->program, f->operand[HONE_ATTENTION_LSE]);
    hn_node *b = hn_graph_add_node(t->program, HONE_OP_ATTENTION_BACKWARD);
    if (b == NULL)
        return;
    b->operand[HONE_ATTENTION_BACKWARD_Q] = q;
    b->operand[HONE_ATTENTION_BACKWARD_K] = k;
    b->operand[HONE_ATTENTION_BACKWARD_V] = v;
    b->operand[HONE_ATTENTION_BACKWARD_SEGMENT] = f->operand[HONE_ATTENTION_SEGMENT];
    b->operand[HONE_ATTENTION_BACKWARD_RANGE] = f->operand[HONE_ATTENTION_RANGE];
    b->operand[HONE_ATTENTION_BACKWARD_O] = f->operand[HONE_ATTENTION_O];
    b->operand[HONE_ATTENTION_BACKWARD_LSE] = f->operand[HONE_ATTENTION_LSE];
    b->operand[HONE_ATTENTION_BACKWARD_DO] = dy;
    b->operand[HONE_ATTENTION_BACKWARD_DELTA] = delta;
    b->operand[HONE_ATTENTION_BACKWARD_DQ] = to_q;
    b->operand[HONE_ATTENTION_BACKWARD_DK] = to_k;
    b->operand[HONE_ATTENTION_BACKWARD_DV] = to_v;
    b->params = f->params;
    b->has_params = true;
    settle(t, dq);
    settle(t, dk);
    settle(t, dv);
}

static void swiglu(tape *t, const hn_node *f, hn_value dy) {
    const hn_value gate = f->operand[HONE_SWIGLU_GATE], up = f->operand[HONE_SWIGLU_UP];
    const target dgate = contribute(t, gate, false), dup = contribute(t, up, false);
    if (dgate.place == HN_NONE && dup.place == HN_NONE)
        return;
    const hn_value to_gate = or_scratch(t, dgate, gate), to_up = or_scratch(t, dup, up);
    hn_node *b = hn_graph_add_node(t->program, HONE_OP_SWIGLU_BACKWARD);
    if (b == NULL)
        return;
    b->operand[HONE_SWIGLU_BACKWARD_GATE] = gate;
    b->operand[HONE_SWIGLU_BACKWARD_UP] = up;
    b->operand[HONE_SWIGLU_BACKWARD_DY] = dy;
    b->operand[HONE_SWIGLU_BACKWARD_DGATE] = to_gate;
    b->operand[HONE_SWIGLU_BACKWARD_DUP] = to_up;
    settle(t, dgate);
    settle(t, dup);
}

/** One term of a sum: it takes over the sum's derivative, or adds it to what it has. */
static void term(tape *t, hn_value value, hn_value dy) {
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
        settle(t, (target){dy, false, false, root});
    else
        (void)hn_graph_fail(
            program, hn_fail(HONE_ERROR_UNSUPPORTED, "add: the derivative by a parameter is not supported"));
}

static void dropout(tape *t, const hn_node *f, hn_value dy) {
    const target dx = contribute(t, f->operand[HONE_DROPOUT_X], true);
    hn_node *b = dx.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_DROPOUT);
    if (b == NULL)
        return;
    b->operand[HONE_DROPOUT_X] = dy;
    set(b, HONE_DROPOUT_Y, dx);
    b->params = f->params;
    b->has_params = true;
    settle(t, dx);
}

static void head_logp(tape *t, const hn_node *f, hn_value dy) {
    const target dh = contribute(t, f->operand[HONE_HEAD_LOGP_H], true);
    const target dw = contribute(t, f->operand[HONE_HEAD_LOGP_W], true);
    const bool wanted = dh.place != HN_NONE || dw.place != HN_NONE;
    hn_node *b = wanted ? hn_graph_add_node(t->program, HONE_OP_HEAD_LOGP_BACKWARD) : NULL;
    if (b == NULL)
        return;
    b->operand[HONE_HEAD_LOGP_BACKWARD_H] = f->operand[HONE_HEAD_LOGP_H];
    b->operand[HONE_HEAD_LOGP_BACKWARD_W] = f->operand[HONE_HEAD_LOGP_W];
    b->operand[HONE_HEAD_LOGP_BACKWARD_ROW] = f->operand[HONE_HEAD_LOGP_ROW];
    b->operand[HONE_HEAD_LOGP_BACKWARD_BEGIN] = f->operand[HONE_HEAD_LOGP_BEGIN];
    b->operand[HONE_HEAD_LOGP_BACKWARD_TARGET] = f->operand[HONE_HEAD_LOGP_TARGET];
    b->operand[HONE_HEAD_LOGP_BACKWARD_LSE] = f->operand[HONE_HEAD_LOGP_LSE];
    b->operand[HONE_HEAD_LOGP_BACKWARD_G] = dy;
    set(b, HONE_HEAD_LOGP_BACKWARD_DH, dh);
    set(b, HONE_HEAD_LOGP_BACKWARD_DW, dw);
    settle(t, dh);
}

/** The operand that holds the result whose derivative comes in. */
static int result_of(hone_operation operation) {
    switch (operation) {
    case HONE_OP_EMBEDDING:
        return HONE_EMBEDDING_Y;
    case HONE_OP_RMS_NORM:
        return HONE_RMS_NORM_Y;
    case HONE_OP_LINEAR:
        return HONE_LINEAR_Y;
    case HONE_OP_ROTARY:
        return HONE_ROTARY_Y;
    case HONE_OP_ATTENTION:
        return HONE_ATTENTION_O;
    case HONE_OP_SWIGLU:
        return HONE_SWIGLU_Y;
    case HONE_OP_ADD:
        return HONE_ADD_Y;
    case HONE_OP_DROPOUT:
        return HONE_DROPOUT_Y;
    case HONE_OP_HEAD_LOGP:
        return HONE_HEAD_LOGP_LOGP;
    default:
        return -1;
    }
}

static void differentiate(tape *t) {
    /* A copy: the list of nodes grows, and may move, while the derivative is recorded. */
    const hn_node f = t->program->node[t->node];
    const int result = result_of(f.operation);

    if (result < 0) {
        (void)hn_graph_fail(t->program, hn_fail(HONE_ERROR_UNSUPPORTED, "%s has no derivative",
                                                hn_operation_describe(f.operation)->name));
        return;
    }
    const hn_value dy = derivative(t->program, f.operand[result]);
    if (dy == HN_NONE)
        return;
    switch (f.operation) {
    case HONE_OP_EMBEDDING:
        embedding(t, &f, dy);
        break;
    case HONE_OP_RMS_NORM:
        rms_norm(t, &f, dy);
        break;
    case HONE_OP_LINEAR:
        linear(t, &f, dy);
        break;
    case HONE_OP_ROTARY:
        rotary(t, &f, dy);
        break;
    case HONE_OP_ATTENTION:
        attention(t, &f, dy);
        break;
    case HONE_OP_SWIGLU:
        swiglu(t, &f, dy);
        break;
    case HONE_OP_ADD:
        term(t, f.operand[HONE_ADD_A], dy);
        term(t, f.operand[HONE_ADD_B], dy);
        break;
    case HONE_OP_DROPOUT:
        dropout(t, &f, dy);
        break;
    default:
        head_logp(t, &f, dy);
        break;
    }
}

hone_status hn_graph_differentiate(hn_program *program) {
    tape t = {.program = program};

    if (program->logp == HN_NONE)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "a training program needs a head's log-probabilities to start from");
    /* Parameters' gradients are declared before: later values can't be among them. */
    HN_TRY(hn_alloc(&t.used, program->values, sizeof *t.used, "gradient marks"));
    hn_graph_value(program, program->logp)->gradient = program->seed;
    for (size_t i = program->forward_nodes; i-- > 0 && program->status == HONE_OK;) {
        t.node = i;
        differentiate(&t);
    }
    hn_free(t.used);
    return program->status;
}
