#include <core/memory.h>
#include <core/status.h>
#include <graph/graph.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>

hone_status hn_program_create(hone_device *device, hone_dtype compute, bool training,
                              const int64_t budget[HN_SYMBOL_COUNT], hn_program **out) {
    hn_program *program = NULL;

    *out = NULL;
    if (!hn_device_computes(device, compute))
        return hn_fail(HONE_ERROR_UNSUPPORTED, "device %s does not compute in %s", hone_device_name(device),
                       hone_dtype_name(compute));
    HN_TRY(hn_alloc(&program, 1, sizeof *program, "program"));
    program->device = device;
    program->compute = compute;
    program->training = training;
    program->logp = program->seed = HN_NONE;
    memcpy(program->budget, budget, sizeof program->budget);
    program->budget[HN_FIXED] = 0;
    *out = program;
    return HONE_OK;
}

void hn_program_block_begin(hn_program *program) {
    if (program->status != HONE_OK)
        return;
    const hone_status status = hn_reserve(&program->block, &program->block_capacity, program->blocks + 1,
                                          sizeof *program->block, "program blocks");
    if (status != HONE_OK || program->block_open) {
        (void)hn_graph_fail(program, status != HONE_OK
                                         ? status
                                         : hn_fail(HONE_ERROR_ARGUMENT, "a block is begun inside a block"));
        return;
    }
    program->block[program->blocks++] = (hn_block){program->nodes, program->nodes};
    program->block_open = true;
}

void hn_program_block_end(hn_program *program) {
    if (program->status != HONE_OK)
        return;
    if (!program->block_open) {
        (void)hn_graph_fail(program, hn_fail(HONE_ERROR_ARGUMENT, "a block is ended that was not begun"));
        return;
    }
    program->block[program->blocks - 1].end = program->nodes;
    program->block_open = false;
}

void hn_program_recompute(hn_program *program, int64_t blocks) { program->recompute = blocks; }

void hn_program_measure_only(hn_program *program) { program->measure_only = true; }

void hn_program_destroy(hn_program *program) {
    if (program == NULL)
        return;
    hn_buffer_destroy(program->device, program->arena);
    hn_buffer_destroy(program->device, program->inputs);
    hn_buffer_destroy(program->device, program->workspace);
    for (size_t i = 0; i < program->values; i++)
        hn_free(program->value[i].name);
    hn_free(program->value);
    hn_free(program->node);
    hn_free(program->block);
    hn_free(program->staging);
    hn_free(program);
}

hn_value hn_graph_fail(hn_program *program, hone_status status) {
    if (program->status == HONE_OK) {
        program->status = status;
        (void)snprintf(program->message, sizeof program->message, "%s", hone_message());
    }
    return HN_NONE;
}

hn_value_info *hn_graph_value(const hn_program *program, hn_value value) { return &program->value[value]; }

hn_value hn_graph_root(const hn_program *program, hn_value value) { return program->value[value].root; }

hn_value hn_graph_add_value(hn_program *program, const hn_value_info *info) {
    if (program->status != HONE_OK)
        return HN_NONE;
    const hone_status status = hn_reserve(&program->value, &program->value_capacity, program->values + 1,
                                          sizeof *program->value, "program values");
    if (status != HONE_OK)
        return hn_graph_fail(program, status);
    hn_value_info *value = &program->value[program->values];
    *value = *info;
    value->gradient = HN_NONE;
    value->producer = value->birth = value->death = -1;
    value->place = (hn_value)program->values;
    if (info->root == HN_NONE)
        value->root = (hn_value)program->values;
    return (hn_value)program->values++;
}

hn_value hn_graph_activation(hn_program *program, int rank, const hn_extent *extent) {
    hn_value_info info = {.kind = HN_ACTIVATION, .dtype = program->compute, .rank = rank, .root = HN_NONE};
    memcpy(info.extent, extent, (size_t)rank * sizeof *extent);
    return hn_graph_add_value(program, &info);
}

hn_value hn_graph_like(hn_program *program, hn_value value) {
    const hn_value_info info = program->value[value];
    return hn_graph_activation(program, info.rank, info.extent);
}

hn_node *hn_graph_add_node(hn_program *program, hone_operation operation) {
    if (program->status != HONE_OK)
        return NULL;
    const hone_status status = hn_reserve(&program->node, &program->node_capacity, program->nodes + 1,
                                          sizeof *program->node, "program nodes");
    if (status != HONE_OK) {
        (void)hn_graph_fail(program, status);
        return NULL;
    }
    hn_node *node = &program->node[program->nodes++];
    memset(node, 0, sizeof *node);
    node->operation = operation;
    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        node->operand[i] = HN_NONE;
    return node;
}

/** Storage of the caller's under a name. */
static hn_value external(hn_program *program, hn_kind kind, const char *name, const hone_tensor *storage) {
    hn_value_info info = {.kind = kind,
                          .dtype = (hone_dtype)storage->dtype,
                          .rank = storage->rank,
                          .root = HN_NONE,
                          .storage = *storage};
    hone_status status = HONE_OK;

    if (program->status != HONE_OK)
        return HN_NONE;
    for (int d = 0; d < storage->rank; d++)
        info.extent[d] = hn_fixed(storage->extent[d]);
    status = hn_strdup(&info.name, name);
    if (status != HONE_OK)
        return hn_graph_fail(program, status);
    const hn_value value = hn_graph_add_value(program, &info);
    if (value == HN_NONE)
        hn_free(info.name);
    return value;
}

hn_value hn_program_parameter(hn_program *program, const char *name, const hone_tensor *storage,
                              const hone_tensor *gradient) {
    const hn_value value = external(program, HN_PARAMETER, name, storage);
    if (value == HN_NONE || !program->training || !hn_tensor_present(gradient))
        return value;
    const hn_value place = external(program, HN_GRADIENT, name, gradient);
    if (place == HN_NONE)
        return HN_NONE;
    program->value[value].differentiable = true;
    program->value[value].gradient = place;
    return value;
}

hn_value hn_program_state(hn_program *program, const char *name, const hone_tensor *storage) {
    return external(program, HN_STATE, name, storage);
}

hn_value hn_program_input(hn_program *program, const char *name, hone_dtype dtype, int rank,
                          const hn_extent *extent) {
    hn_value_info info = {.kind = HN_INPUT, .dtype = dtype, .rank = rank, .root = HN_NONE};

    if (program->status != HONE_OK)
        return HN_NONE;
    memcpy(info.extent, extent, (size_t)rank * sizeof *extent);
    const hone_status status = hn_strdup(&info.name, name);
    if (status != HONE_OK)
        return hn_graph_fail(program, status);
    const hn_value value = hn_graph_add_value(program, &info);
    if (value == HN_NONE)
        hn_free(info.name);
    return value;
}

/** As many elements, at the budget and when every symbol is 1; of a state fewer will do. */
static bool fits(const hn_program *program, const hn_value_info *view, const hn_value_info *value) {
    static const int64_t ones[HN_SYMBOL_COUNT] = {0, 1, 1, 1, 1, 1, 1};

    if (value->kind == HN_STATE)
        return hn_graph_elements(view, program->budget) <= hn_graph_elements(value, program->budget);
    return hn_graph_elements(view, program->budget) == hn_graph_elements(value, program->budget) &&
           hn_graph_elements(view, ones) == hn_graph_elements(value, ones);
}

hn_value hn_program_view(hn_program *program, hn_value value, int rank, const hn_extent *extent) {
    if (program->status != HONE_OK || value == HN_NONE)
        return HN_NONE;
    hn_value_info info = program->value[value];
    info.rank = rank;
    info.name = NULL;
    info.output = false;
    memset(info.extent, 0, sizeof info.extent);
    memcpy(info.extent, extent, (size_t)rank * sizeof *extent);
    const hn_value_info *root = &program->value[info.root];
    if (!fits(program, &info, &program->value[value]) ||
        (root->storage.buffer != 0 && !hn_tensor_contiguous(&root->storage)))
        return hn_graph_fail(
            program, hn_fail(HONE_ERROR_ARGUMENT, "view: another number of elements, or storage with gaps"));
    return hn_graph_add_value(program, &info);
}

void hn_program_output(hn_program *program, hn_value value) {
    if (program->status == HONE_OK && value != HN_NONE)
        program->value[program->value[value].root].output = true;
}

hone_tensor hn_graph_tensor(const hn_program *program, hn_value value,
                            const int64_t symbols[HN_SYMBOL_COUNT]) {
    if (value == HN_NONE)
        return hn_tensor_absent();
    const hn_value_info *info = &program->value[value], *root = &program->value[info->root];
    int64_t extent[HONE_MAX_RANK];
    hone_tensor tensor = root->storage;

    for (int d = 0; d < info->rank; d++)
        extent[d] = symbols[info->extent[d].symbol] + info->extent[d].fixed;
    if (root->kind == HN_INPUT || root->kind == HN_ACTIVATION) {
        tensor.dtype = (int32_t)root->dtype;
        tensor.buffer = root->kind == HN_INPUT ? program->inputs : program->arena;
        tensor.offset = root->offset;
    } else if (info->root == value)
        return tensor; /* the caller's own shape and stride */
    return hn_tensor_shape(tensor, info->rank, extent);
}

int64_t hn_graph_elements(const hn_value_info *value, const int64_t symbols[HN_SYMBOL_COUNT]) {
    int64_t elements = 1;
    for (int d = 0; d < value->rank; d++)
        if (!hn_mul_i64(elements, symbols[value->extent[d].symbol] + value->extent[d].fixed, &elements))
            return -1;
    return elements;
}

hone_tensor hn_program_tensor(const hn_program *program, hn_value value) {
    return hn_graph_tensor(program, value, program->bound);
}

hn_program_memory hn_program_plan(const hn_program *program) {
    return (hn_program_memory){program->arena_bytes, program->inputs_bytes, program->workspace_bytes,
                               program->staging_bytes};
}
