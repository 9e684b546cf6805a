/* The derivative of every operation, as backward nodes. A rule first asks for the targets of its contributions, then
 * appends the node, then settles what the operation could not add by itself. */
#include <graph/tape.h>
#include <stddef.h>

static void embedding(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target table = hn_tape_contribute(t, f->operand[HONE_EMBEDDING_TABLE], true);
    hn_node *b = table.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_EMBEDDING_BACKWARD);
    if (b == NULL)
        return;
    b->operand[HONE_EMBEDDING_BACKWARD_TOKEN] = f->operand[HONE_EMBEDDING_TOKEN];
    b->operand[HONE_EMBEDDING_BACKWARD_DY] = dy;
    hn_tape_set(b, HONE_EMBEDDING_BACKWARD_DTABLE, table);
}

static void rms_norm(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dx = hn_tape_contribute(t, f->operand[HONE_RMS_NORM_X], true);
    const hn_target dgain = hn_tape_contribute(t, f->operand[HONE_RMS_NORM_GAIN], true);
    const bool wanted = dx.place != HN_NONE || dgain.place != HN_NONE;
    hn_node *b = wanted ? hn_graph_add_node(t->program, HONE_OP_RMS_NORM_BACKWARD) : NULL;
    if (b == NULL)
        return;
    b->operand[HONE_RMS_NORM_BACKWARD_X] = f->operand[HONE_RMS_NORM_X];
    b->operand[HONE_RMS_NORM_BACKWARD_GAIN] = f->operand[HONE_RMS_NORM_GAIN];
    b->operand[HONE_RMS_NORM_BACKWARD_RSTD] = f->operand[HONE_RMS_NORM_RSTD];
    b->operand[HONE_RMS_NORM_BACKWARD_DY] = dy;
    hn_tape_set(b, HONE_RMS_NORM_BACKWARD_DX, dx);
    hn_tape_set(b, HONE_RMS_NORM_BACKWARD_DGAIN, dgain);
    hn_tape_settle(t, dx);
}

/** Operands that serve an unwanted derivative alone stay absent: they need not be kept. */
static void linear(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dx = hn_tape_contribute(t, f->operand[HONE_LINEAR_X], true);
    const hn_target dw = hn_tape_contribute(t, f->operand[HONE_LINEAR_W], true);
    const hn_target dbias = hn_tape_contribute(t, f->operand[HONE_LINEAR_BIAS], true);
    const bool wanted = dx.place != HN_NONE || dw.place != HN_NONE || dbias.place != HN_NONE;
    hn_node *b = wanted ? hn_graph_add_node(t->program, HONE_OP_LINEAR_BACKWARD) : NULL;
    if (b == NULL)
        return;
    b->operand[HONE_LINEAR_BACKWARD_X] = dw.place != HN_NONE ? f->operand[HONE_LINEAR_X] : HN_NONE;
    b->operand[HONE_LINEAR_BACKWARD_W] = dx.place != HN_NONE ? f->operand[HONE_LINEAR_W] : HN_NONE;
    b->operand[HONE_LINEAR_BACKWARD_DY] = dy;
    hn_tape_set(b, HONE_LINEAR_BACKWARD_DX, dx);
    hn_tape_set(b, HONE_LINEAR_BACKWARD_DW, dw);
    hn_tape_set(b, HONE_LINEAR_BACKWARD_DBIAS, dbias);
    b->params = f->params;
    b->has_params = true;
    hn_tape_settle(t, dx);
}

static void rotary(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dx = hn_tape_contribute(t, f->operand[HONE_ROTARY_X], true);
    hn_node *b = dx.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_ROTARY);
    if (b == NULL)
        return;
    b->operand[HONE_ROTARY_X] = dy;
    b->operand[HONE_ROTARY_POSITION] = f->operand[HONE_ROTARY_POSITION];
    b->operand[HONE_ROTARY_FREQUENCY] = f->operand[HONE_ROTARY_FREQUENCY];
    hn_tape_set(b, HONE_ROTARY_Y, dx);
    b->params = f->params;
    b->params.rotary.inverse = 1;
    b->has_params = true;
    hn_tape_settle(t, dx);
}

/** All three derivatives are written, wanted or not: they come from the same passes. */
static hn_value or_scratch(hn_tape *t, hn_target to, hn_value like) {
    if (to.place != HN_NONE)
        return to.place;
    const hn_value_info info = *hn_graph_value(t->program, like);
    return hn_graph_activation(t->program, info.rank, info.extent);
}

static void attention(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_value q = f->operand[HONE_ATTENTION_Q], k = f->operand[HONE_ATTENTION_K],
                   v = f->operand[HONE_ATTENTION_V];
    const hn_target dq = hn_tape_contribute(t, q, false), dk = hn_tape_contribute(t, k, false),
                    dv = hn_tape_contribute(t, v, false);
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
    hn_tape_settle(t, dq);
    hn_tape_settle(t, dk);
    hn_tape_settle(t, dv);
}

static void swiglu(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_value gate = f->operand[HONE_SWIGLU_GATE], up = f->operand[HONE_SWIGLU_UP];
    const hn_target dgate = hn_tape_contribute(t, gate, false), dup = hn_tape_contribute(t, up, false);
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
    hn_tape_settle(t, dgate);
    hn_tape_settle(t, dup);
}

static void dropout(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dx = hn_tape_contribute(t, f->operand[HONE_DROPOUT_X], true);
    hn_node *b = dx.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_DROPOUT);
    if (b == NULL)
        return;
    b->operand[HONE_DROPOUT_X] = dy;
    hn_tape_set(b, HONE_DROPOUT_Y, dx);
    b->params = f->params;
    b->has_params = true;
    hn_tape_settle(t, dx);
}

static void head_logp(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dh = hn_tape_contribute(t, f->operand[HONE_HEAD_LOGP_H], true);
    const hn_target dw = hn_tape_contribute(t, f->operand[HONE_HEAD_LOGP_W], true);
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
    hn_tape_set(b, HONE_HEAD_LOGP_BACKWARD_DH, dh);
    hn_tape_set(b, HONE_HEAD_LOGP_BACKWARD_DW, dw);
    hn_tape_settle(t, dh);
}

/** The embedding's backward is the transpose of a gather: rows that repeat are added up, rows not named become 0. */
static void gather_rows(hn_tape *t, const hn_node *f, hn_value dy) {
    const hn_target dx = hn_tape_contribute(t, f->operand[HONE_GATHER_ROWS_X], true);
    hn_node *b = dx.place == HN_NONE ? NULL : hn_graph_add_node(t->program, HONE_OP_EMBEDDING_BACKWARD);
    if (b == NULL)
        return;
    b->operand[HONE_EMBEDDING_BACKWARD_TOKEN] = f->operand[HONE_GATHER_ROWS_ROW];
    b->operand[HONE_EMBEDDING_BACKWARD_DY] = dy;
    hn_tape_set(b, HONE_EMBEDDING_BACKWARD_DTABLE, dx);
    hn_tape_settle(t, dx);
}

static void add(hn_tape *t, const hn_node *f, hn_value dy) {
    hn_tape_pass(t, f->operand[HONE_ADD_A], dy);
    hn_tape_pass(t, f->operand[HONE_ADD_B], dy);
}

const hn_rule *hn_graph_rule(hone_operation operation) {
    static const hn_rule rule[HONE_OP_COUNT] = {
        [HONE_OP_EMBEDDING] = {HONE_EMBEDDING_Y, embedding},
        [HONE_OP_RMS_NORM] = {HONE_RMS_NORM_Y, rms_norm},
        [HONE_OP_LINEAR] = {HONE_LINEAR_Y, linear},
        [HONE_OP_ROTARY] = {HONE_ROTARY_Y, rotary},
        [HONE_OP_ATTENTION] = {HONE_ATTENTION_O, attention},
        [HONE_OP_SWIGLU] = {HONE_SWIGLU_Y, swiglu},
        [HONE_OP_ADD] = {HONE_ADD_Y, add},
        [HONE_OP_DROPOUT] = {HONE_DROPOUT_Y, dropout},
        [HONE_OP_GATHER_ROWS] = {HONE_GATHER_ROWS_Y, gather_rows},
        [HONE_OP_HEAD_LOGP] = {HONE_HEAD_LOGP_LOGP, head_logp},
        [HONE_OP_SCATTER_ROWS] = {HONE_SCATTER_ROWS_Y, NULL},
    };
    const bool known = (unsigned)operation < HONE_OP_COUNT &&
                       (rule[operation].apply != NULL || operation == HONE_OP_SCATTER_ROWS);
    return known ? &rule[operation] : NULL;
}
