#include <core/status.h>
#include <graph/graph.h>

/** Whether an operand is no value of the program; after a first failure they all are. */
static bool bad(hn_program *program, const char *operation, int operands, const hn_value *operand) {
    for (int i = 0; i < operands && program->status == HONE_OK; i++)
        if (operand[i] < 0 || (size_t)operand[i] >= program->values)
            (void)hn_graph_fail(program, hn_fail(HONE_ERROR_ARGUMENT,
                                                 "%s: operand %d is no value of the program", operation, i));
    return program->status != HONE_OK;
}
#define BAD(program, operation, ...)                                                                         \
    bad(program, operation, (int)(sizeof((hn_value[]){__VA_ARGS__}) / sizeof(hn_value)),                     \
        (const hn_value[]){__VA_ARGS__})

static bool wants(const hn_program *program, hn_value value) {
    return value != HN_NONE && program->value[program->value[value].root].differentiable;
}

/** The new value is written by the node that was just added, and wants a derivative when one of `from` does. */
static hn_value produced(hn_program *program, hn_value value, hn_value a, hn_value b, hn_value c) {
    if (value == HN_NONE || program->status != HONE_OK)
        return HN_NONE;
    hn_value_info *info = hn_graph_value(program, value);
    info->producer = (int32_t)program->nodes - 1;
    info->differentiable = program->training && (wants(program, a) || wants(program, b) || wants(program, c));
    return value;
}

hn_value hn_record_embedding(hn_program *program, hn_value table, hn_value token) {
    if (BAD(program, "embedding", table, token))
        return HN_NONE;
    const hn_extent extent[2] = {program->value[token].extent[0], program->value[table].extent[1]};
    const hn_value y = hn_graph_activation(program, 2, extent);
    hn_node *node = hn_graph_add_node(program, HONE_OP_EMBEDDING);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_EMBEDDING_TABLE] = table;
    node->operand[HONE_EMBEDDING_TOKEN] = token;
    node->operand[HONE_EMBEDDING_Y] = y;
    return produced(program, y, table, HN_NONE, HN_NONE);
}

hn_value hn_record_rms_norm(hn_program *program, hn_value x, hn_value gain, double epsilon) {
    if (BAD(program, "rms_norm", x, gain))
        return HN_NONE;
    const hn_extent rows = program->value[x].extent[0];
    const hn_value y = hn_graph_like(program, x), rstd = hn_graph_activation(program, 1, &rows);
    hn_node *node = hn_graph_add_node(program, HONE_OP_RMS_NORM);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_RMS_NORM_X] = x;
    node->operand[HONE_RMS_NORM_GAIN] = gain;
    node->operand[HONE_RMS_NORM_Y] = y;
    node->operand[HONE_RMS_NORM_RSTD] = rstd;
    node->params.norm.epsilon = epsilon;
    node->has_params = true;
    (void)produced(program, rstd, HN_NONE, HN_NONE, HN_NONE);
    return produced(program, y, x, gain, HN_NONE);
}

/** A linear's result that nothing has read: what was read before would not be what backward sees. */
static bool may_add_to(hn_program *program, hn_value into) {
    if (into == HN_NONE)
        return true;
    const hn_value root = hn_graph_root(program, into);
    const int32_t producer = program->value[root].producer;
    bool good = producer >= 0 && program->node[producer].operation == HONE_OP_LINEAR;

    for (size_t i = 0; i < program->nodes && good; i++)
        for (int o = 0; o < HONE_MAX_OPERANDS && good; o++) {
            const hn_value operand = program->node[i].operand[o];
            good = operand == HN_NONE || hn_graph_root(program, operand) != root ||
                   (program->node[i].operation == HONE_OP_LINEAR && o == HONE_LINEAR_Y);
        }
    if (!good)
        (void)hn_graph_fail(program,
                            hn_fail(HONE_ERROR_ARGUMENT, "linear: what it is to be added to is not a "
                                                         "linear's result, or was read before"));
    return good;
}

hn_value hn_record_linear(hn_program *program, hn_value x, hn_value w, hn_value bias, double scale,
                          hn_value into) {
    if (BAD(program, "linear", x, w) || !may_add_to(program, into))
        return HN_NONE;
    const hn_extent extent[2] = {program->value[x].extent[0], program->value[w].extent[0]};
    const hn_value y = into != HN_NONE ? into : hn_graph_activation(program, 2, extent);
    hn_node *node = hn_graph_add_node(program, HONE_OP_LINEAR);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_LINEAR_X] = x;
    node->operand[HONE_LINEAR_W] = w;
    node->operand[HONE_LINEAR_BIAS] = bias;
    node->operand[HONE_LINEAR_Y] = y;
    node->params.scale.scale = scale;
    node->has_params = true;
    if (into == HN_NONE)
        return produced(program, y, x, w, bias);
    node->accumulate = 1u << HONE_LINEAR_Y;
    hn_value_info *root = hn_graph_value(program, hn_graph_root(program, into));
    root->differentiable =
        root->differentiable ||
        (program->training && (wants(program, x) || wants(program, w) || wants(program, bias)));
    return y;
}

hn_value hn_record_rotary(hn_program *program, hn_value x, hn_value position, hn_value frequency,
                          double scale) {
    if (BAD(program, "rotary", x, position, frequency))
        return HN_NONE;
    const hn_value y = hn_graph_like(program, x);
    hn_node *node = hn_graph_add_node(program, HONE_OP_ROTARY);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_ROTARY_X] = x;
    node->operand[HONE_ROTARY_POSITION] = position;
    node->operand[HONE_ROTARY_FREQUENCY] = frequency;
    node->operand[HONE_ROTARY_Y] = y;
    node->params.rotary.scale = scale;
    node->has_params = true;
    return produced(program, y, x, HN_NONE, HN_NONE);
}

hn_value hn_record_attention(hn_program *program, hn_value q, hn_value k, hn_value v, hn_value segment,
                             hn_value range, double scale) {
    if (BAD(program, "attention", q, k, v, segment, range))
        return HN_NONE;
    const hn_extent extent[2] = {program->value[q].extent[1], program->value[q].extent[0]};
    const hn_value o = hn_graph_like(program, q), lse = hn_graph_activation(program, 2, extent);
    hn_node *node = hn_graph_add_node(program, HONE_OP_ATTENTION);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_ATTENTION_Q] = q;
    node->operand[HONE_ATTENTION_K] = k;
    node->operand[HONE_ATTENTION_V] = v;
    node->operand[HONE_ATTENTION_SEGMENT] = segment;
    node->operand[HONE_ATTENTION_RANGE] = range;
    node->operand[HONE_ATTENTION_O] = o;
    node->operand[HONE_ATTENTION_LSE] = lse;
    node->params.scale.scale = scale;
    node->has_params = true;
    (void)produced(program, lse, HN_NONE, HN_NONE, HN_NONE);
    return produced(program, o, q, k, v);
}

/** swiglu and add: two operands and a result of one shape. */
static hn_value binary(hn_program *program, hone_operation operation, hn_value a, hn_value b) {
    if (BAD(program, hn_operation_describe(operation)->name, a, b))
        return HN_NONE;
    const hn_value y = hn_graph_like(program, a);
    hn_node *node = hn_graph_add_node(program, operation);
    if (node == NULL)
        return HN_NONE;
    node->operand[0] = a;
    node->operand[1] = b;
    node->operand[2] = y;
    return produced(program, y, a, b, HN_NONE);
}

hn_value hn_record_swiglu(hn_program *program, hn_value gate, hn_value up) {
    return binary(program, HONE_OP_SWIGLU, gate, up);
}

hn_value hn_record_add(hn_program *program, hn_value a, hn_value b) {
    if (!BAD(program, "add", a, b) && hn_graph_root(program, a) == hn_graph_root(program, b))
        return hn_graph_fail(program, hn_fail(HONE_ERROR_ARGUMENT, "add: the operands are one value"));
    return binary(program, HONE_OP_ADD, a, b);
}

hn_value hn_record_dropout(hn_program *program, hn_value x, double probability, uint64_t seed,
                           uint32_t stream) {
    if (BAD(program, "dropout", x))
        return HN_NONE;
    const hn_value y = hn_graph_like(program, x);
    hn_node *node = hn_graph_add_node(program, HONE_OP_DROPOUT);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_DROPOUT_X] = x;
    node->operand[HONE_DROPOUT_Y] = y;
    node->params.dropout = (hone_dropout_params){.probability = probability, .seed = seed, .stream = stream};
    node->has_params = true;
    return produced(program, y, x, HN_NONE, HN_NONE);
}

hn_value hn_record_gather_rows(hn_program *program, hn_value x, hn_value row) {
    if (BAD(program, "gather_rows", x, row))
        return HN_NONE;
    const hn_extent extent[2] = {program->value[row].extent[0], program->value[x].extent[1]};
    const hn_value y = hn_graph_activation(program, 2, extent);
    hn_node *node = hn_graph_add_node(program, HONE_OP_GATHER_ROWS);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_GATHER_ROWS_X] = x;
    node->operand[HONE_GATHER_ROWS_ROW] = row;
    node->operand[HONE_GATHER_ROWS_Y] = y;
    return produced(program, y, x, HN_NONE, HN_NONE);
}

hn_value hn_record_scatter_rows(hn_program *program, hn_value x, hn_value row, hn_value state) {
    if (BAD(program, "scatter_rows", x, row, state))
        return HN_NONE;
    hn_node *node = hn_graph_add_node(program, HONE_OP_SCATTER_ROWS);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_SCATTER_ROWS_X] = x;
    node->operand[HONE_SCATTER_ROWS_ROW] = row;
    node->operand[HONE_SCATTER_ROWS_Y] = state;
    return state;
}

hn_value hn_record_head_logp(hn_program *program, hn_value h, hn_value w, hn_value row, hn_value begin,
                             hn_value target) {
    if (BAD(program, "head_logp", h, w, row, begin, target))
        return HN_NONE;
    const hn_extent edges = program->value[target].extent[0], rows = program->value[row].extent[0];
    const hn_value logp = hn_graph_activation(program, 1, &edges),
                   lse = hn_graph_activation(program, 1, &rows);
    if (program->training)
        program->seed = hn_program_input(program, "d loss / d logp", program->compute, 1, &edges);
    hn_node *node = hn_graph_add_node(program, HONE_OP_HEAD_LOGP);
    if (node == NULL)
        return HN_NONE;
    node->operand[HONE_HEAD_LOGP_H] = h;
    node->operand[HONE_HEAD_LOGP_W] = w;
    node->operand[HONE_HEAD_LOGP_ROW] = row;
    node->operand[HONE_HEAD_LOGP_BEGIN] = begin;
    node->operand[HONE_HEAD_LOGP_TARGET] = target;
    node->operand[HONE_HEAD_LOGP_LOGP] = logp;
    node->operand[HONE_HEAD_LOGP_LSE] = lse;
    program->logp = logp;
    (void)produced(program, lse, HN_NONE, HN_NONE, HN_NONE);
    return produced(program, logp, h, w, HN_NONE);
}
