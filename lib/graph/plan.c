/*
 * The memory plan: liveness over the list of nodes, then a place in one arena for every activation.
 *
 * A result may take over the place of an operand that dies with the operation, where the operation works in
 * place. Places are given to the largest values first, each at the lowest offset that no value alive at the
 * same time holds.
 */
#include <core/memory.h>
#include <core/status.h>
#include <graph/graph.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>

static void touch(hn_program *program, hn_value value, int32_t node) {
    if (value == HN_NONE)
        return;
    hn_value_info *root = hn_graph_value(program, hn_graph_root(program, value));
    if (root->birth < 0)
        root->birth = node;
    root->death = node;
}

static void find_lives(hn_program *program) {
    for (size_t i = 0; i < program->nodes; i++)
        for (int o = 0; o < HONE_MAX_OPERANDS; o++)
            touch(program, program->node[i].operand[o], (int32_t)i);
    for (size_t v = 0; v < program->values; v++)
        if (program->value[v].output && program->value[v].birth >= 0)
            program->value[v].death = (int32_t)program->nodes;
}

static hone_status size_values(hn_program *program) {
    for (size_t v = 0; v < program->values; v++) {
        hn_value_info *value = &program->value[v];
        size_t bytes = 0;
        if (value->root != (hn_value)v || (value->kind != HN_ACTIVATION && value->kind != HN_INPUT))
            continue;
        const int64_t elements = hn_graph_elements(value, program->budget);
        if (elements < 0 || !hn_mul_size((size_t)elements, hone_dtype_size(value->dtype), &bytes) ||
            !hn_align(bytes > 0 ? bytes : 1, &value->bytes))
            return hn_fail(HONE_ERROR_MEMORY, "the plan's sizes overflow: lower --pack-tokens");
    }
    return HONE_OK;
}

static bool same_shape(const hn_value_info *a, const hn_value_info *b) {
    return a->rank == b->rank && a->dtype == b->dtype &&
           memcmp(a->extent, b->extent, (size_t)a->rank * sizeof *a->extent) == 0;
}

/** The value whose place it is in the end. */
static hn_value place_of(const hn_program *program, hn_value root) {
    while (program->value[root].place != root)
        root = program->value[root].place;
    return root;
}

/** Whether an output before `o` has the place already. */
static bool taken(const hn_program *program, const hn_node *node, int o, hn_value place) {
    const hn_operation_info *info = hn_operation_describe(node->operation);
    for (int p = 0; p < o; p++)
        if (info->operand[p].direction != HN_IN && node->operand[p] != HN_NONE &&
            place_of(program, hn_graph_root(program, node->operand[p])) == place)
            return true;
    return false;
}

/** Lets output `o` of node i take over the place of operand j, if j dies here and the operation allows it. */
static bool take_over(hn_program *program, size_t i, int o, int j) {
    const hn_node *node = &program->node[i];
    if (node->operand[j] == HN_NONE)
        return false;
    const hn_value to = hn_graph_root(program, node->operand[o]),
                   from = hn_graph_root(program, node->operand[j]);
    hn_value_info *result = hn_graph_value(program, to), *operand = hn_graph_value(program, from);

    if (to == from || result->kind != HN_ACTIVATION || operand->kind != HN_ACTIVATION ||
        result->birth != (int32_t)i || result->place != to ||
        !same_shape(hn_graph_value(program, node->operand[o]), hn_graph_value(program, node->operand[j])))
        return false;
    hn_value_info *holder = hn_graph_value(program, place_of(program, from));
    if (holder->death != (int32_t)i || holder->bytes < result->bytes ||
        taken(program, node, o, place_of(program, from)))
        return false;
    result->place = place_of(program, from);
    holder->death = result->death;
    return true;
}

static void work_in_place(hn_program *program) {
    for (size_t i = 0; i < program->nodes; i++) {
        const hn_operation_info *info = hn_operation_describe(program->node[i].operation);
        for (int o = 0; o < info->operands; o++) {
            if (program->node[i].operand[o] == HN_NONE || (program->node[i].accumulate >> o & 1u) != 0)
                continue;
            for (int j = 0; j < info->operands; j++)
                if ((info->operand[o].may_alias >> j & 1u) != 0 && take_over(program, i, o, j))
                    break;
        }
    }
}

/** Largest first; equal ones in order of birth, so that the plan is a function of the program. */
static int by_size(const void *a, const void *b) {
    const hn_value_info *x = *(hn_value_info *const *)a, *y = *(hn_value_info *const *)b;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    if (x->birth != y->birth)
        return x->birth < y->birth ? -1 : 1;
    return x < y ? -1 : x > y;
}

static bool alive_together(const hn_value_info *a, const hn_value_info *b) {
    return a->birth <= b->death && b->birth <= a->death;
}

/** The lowest offset that is free over the value's life; `placed` are sorted by offset. */
static uint64_t find_offset(hn_value_info *const *placed, size_t count, const hn_value_info *value) {
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        if (!alive_together(placed[i], value))
            continue;
        if (placed[i]->offset >= offset + value->bytes)
            break;
        const uint64_t end = placed[i]->offset + placed[i]->bytes;
        offset = end > offset ? end : offset;
    }
    return offset;
}

static void insert(hn_value_info **placed, size_t count, hn_value_info *value) {
    size_t i = count;
    while (i > 0 && placed[i - 1]->offset > value->offset) {
        placed[i] = placed[i - 1];
        i--;
    }
    placed[i] = value;
}

static hone_status place_all(hn_program *program) {
    hn_value_info **order = NULL, **placed = NULL;
    size_t count = 0;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&order, program->values, sizeof(hn_value_info *), "memory plan"));
    HN_GO(hn_alloc(&placed, program->values, sizeof(hn_value_info *), "memory plan"));
    for (size_t v = 0; v < program->values; v++) {
        hn_value_info *value = &program->value[v];
        if (value->kind == HN_ACTIVATION && value->root == (hn_value)v && value->place == (hn_value)v &&
            value->birth >= 0)
            order[count++] = value;
    }
    qsort(order, count, sizeof(hn_value_info *), by_size);
    for (size_t i = 0; i < count; i++) {
        order[i]->offset = find_offset(placed, i, order[i]);
        insert(placed, i, order[i]);
        const uint64_t end = order[i]->offset + order[i]->bytes;
        program->arena_bytes = end > program->arena_bytes ? end : program->arena_bytes;
    }
    for (size_t v = 0; v < program->values; v++)
        if (program->value[v].place != (hn_value)v)
            program->value[v].offset = program->value[place_of(program, (hn_value)v)].offset;
done:
    hn_free(placed);
    hn_free(order);
    return status;
}

static void place_inputs(hn_program *program) {
    for (size_t v = 0; v < program->values; v++) {
        hn_value_info *value = &program->value[v];
        if (value->kind != HN_INPUT || value->root != (hn_value)v)
            continue;
        value->offset = program->inputs_bytes;
        program->inputs_bytes += value->bytes;
    }
}

/** Calls `see` for every way in which the node can be called, with its extents at the budget. */
static hone_status see_node(hn_program *program, const hn_node *node,
                            hone_status (*see)(hn_program *program, hone_operation operation,
                                               hone_call *call)) {
    hone_tensor operand[HONE_MAX_OPERANDS];
    hone_call call = {.operand = operand, .params = node->has_params ? &node->params : NULL};

    for (int o = 0; o < HONE_MAX_OPERANDS; o++)
        operand[o] = hn_graph_tensor(program, node->operand[o], program->budget);
    call.accumulate = node->accumulate | node->by_caller;
    if (node->by_caller != 0)
        HN_TRY(see(program, node->operation, &call));
    call.accumulate = node->accumulate;
    return see(program, node->operation, &call);
}

static hone_status size_workspace(hn_program *program, hone_operation operation, hone_call *call) {
    const size_t bytes = hn_workspace(program->device, operation, call);
    program->workspace_bytes = bytes > program->workspace_bytes ? bytes : program->workspace_bytes;
    return HONE_OK;
}

/** A mistake of the recording shows here, before anything has run. */
static hone_status validate(hn_program *program, hone_operation operation, hone_call *call) {
    if (program->workspace_bytes > 0)
        call->workspace = hn_tensor_1(program->workspace, 0, HONE_U8, (int64_t)program->workspace_bytes);
    return hn_validate(program->device, operation, call);
}

/** Whoever is asked for a workspace sees which operands are there: when nothing is to run, the smallest buffer will do.
 */
static hone_status make_places(hn_program *program) {
    const bool real = !program->measure_only;

    HN_TRY(hn_buffer_create(program->device, real ? program->arena_bytes : HONE_BUFFER_ALIGNMENT,
                            &program->arena));
    return hn_buffer_create(program->device, real ? program->inputs_bytes : HONE_BUFFER_ALIGNMENT,
                            &program->inputs);
}

hone_status hn_graph_plan(hn_program *program) {
    HN_TRY(size_values(program));
    find_lives(program);
    work_in_place(program);
    HN_TRY(place_all(program));
    place_inputs(program);
    HN_TRY(make_places(program));
    for (size_t i = 0; i < program->nodes; i++)
        HN_TRY(see_node(program, &program->node[i], size_workspace));
    if (program->measure_only)
        return HONE_OK;
    HN_TRY(hn_buffer_create(program->device, program->workspace_bytes, &program->workspace));
    for (size_t i = 0; i < program->nodes; i++)
        HN_TRY(see_node(program, &program->node[i], validate));
    return HONE_OK;
}
