#include <core/memory.h>
#include <core/status.h>
#include <graph/recompute.h>
#include <string.h>
#include <tensor/tensor.h>

static hone_status not_finished(void) {
    return hn_fail(HONE_ERROR_ARGUMENT, "the program is not finished: call hn_program_finish first");
}

/** Host room for the largest seed or output, so that running allocates nothing. */
static void size_staging(hn_program *program) {
    for (size_t v = 0; v < program->values; v++) {
        const hn_value_info *value = &program->value[v];
        if ((value->output || (hn_value)v == program->seed) && value->bytes > program->staging_bytes)
            program->staging_bytes = value->bytes;
    }
}

hone_status hn_program_finish(hn_program *program) {
    if (program->status != HONE_OK)
        return hn_fail(program->status, "%s", program->message);
    program->forward_nodes = program->nodes;
    if (program->block_open)
        return hn_fail(HONE_ERROR_ARGUMENT, "the last block was not ended");
    if (program->training) {
        HN_TRY(hn_graph_differentiate(program));
        HN_TRY(hn_graph_recompute_cheap(program));
    }
    HN_TRY(hn_graph_plan(program));
    size_staging(program);
    if (program->measure_only)
        return HONE_OK;
    HN_TRY(hn_alloc(&program->staging, program->staging_bytes, 1, "staging"));
    program->finished = true;
    return HONE_OK;
}

hone_status hn_program_bind(hn_program *program, hn_symbol symbol, int64_t extent) {
    static const char *const names[HN_SYMBOL_COUNT] = {
        "?", "T (tokens)", "U (scored rows)", "E (edges)", "S (segments)", "G (ranges)", "C (cache rows)"};
    if (symbol <= HN_FIXED || symbol >= HN_SYMBOL_COUNT || extent < 0 || extent > program->budget[symbol])
        return hn_fail(HONE_ERROR_ARGUMENT, "extent %s is %lld, the program was planned for at most %lld",
                       symbol > HN_FIXED && symbol < HN_SYMBOL_COUNT ? names[symbol] : "?", (long long)extent,
                       symbol > HN_FIXED && symbol < HN_SYMBOL_COUNT ? (long long)program->budget[symbol]
                                                                     : 0LL);
    program->bound[symbol] = extent;
    return HONE_OK;
}

void hn_program_set_step(hn_program *program, uint32_t step) { program->step = step; }

hone_status hn_program_upload(hn_program *program, hn_value input, const void *data) {
    if (!program->finished)
        return not_finished();
    const hone_tensor tensor = hn_program_tensor(program, input);
    return hn_upload_tensor(program->device, &tensor, data);
}

static hone_status run_node(hn_program *program, const hn_node *node, bool accumulate) {
    hone_tensor operand[HONE_MAX_OPERANDS];
    hn_params params = node->params;
    const int operands = hn_operation_describe(node->operation)->operands;
    hone_call call = {.operand = operand,
                      .params = node->has_params ? &params : NULL,
                      .accumulate = node->accumulate | (accumulate ? node->by_caller : 0u)};

    for (int o = 0; o < operands; o++)
        operand[o] = hn_graph_tensor(program, node->operand[o], program->bound);
    if (program->workspace_bytes > 0)
        call.workspace = hn_tensor_1(program->workspace, 0, HONE_U8, (int64_t)program->workspace_bytes);
    if (node->operation == HONE_OP_DROPOUT)
        params.dropout.step = program->step;
    return hn_run(program->device, node->operation, &call);
}

hone_status hn_program_forward(hn_program *program) {
    if (!program->finished)
        return not_finished();
    for (size_t i = 0; i < program->forward_nodes; i++)
        HN_TRY(run_node(program, &program->node[i], false));
    return HONE_OK;
}

static hone_status seed(hn_program *program, hone_dtype dtype, const void *edge_weight) {
    if (!program->finished || !program->training)
        return hn_fail(HONE_ERROR_ARGUMENT, "the program was not recorded for training");
    const hone_tensor tensor = hn_program_tensor(program, program->seed);
    const size_t count = (size_t)hn_tensor_elements(&tensor);
    if (dtype == program->compute)
        return hn_upload_tensor(program->device, &tensor, edge_weight);
    HN_TRY(hn_convert(dtype, edge_weight, program->compute, program->staging, count));
    return hn_upload_tensor(program->device, &tensor, program->staging);
}

hone_status hn_program_seed(hn_program *program, const float *edge_weight) {
    return seed(program, HONE_F32, edge_weight);
}

hone_status hn_program_seed_f64(hn_program *program, const double *edge_weight) {
    return seed(program, HONE_F64, edge_weight);
}

hone_status hn_program_backward(hn_program *program, bool accumulate) {
    if (!program->finished || !program->training)
        return hn_fail(HONE_ERROR_ARGUMENT, "the program was not recorded for training");
    for (size_t i = program->forward_nodes; i < program->nodes; i++)
        if (!accumulate || !program->node[i].only_overwriting)
            HN_TRY(run_node(program, &program->node[i], accumulate));
    return HONE_OK;
}

static hone_status download(hn_program *program, hn_value value, hone_dtype dtype, void *data) {
    if (!program->finished)
        return not_finished();
    if (!program->value[hn_graph_root(program, value)].output)
        return hn_fail(HONE_ERROR_ARGUMENT, "the value was not marked as an output");
    const hone_tensor tensor = hn_program_tensor(program, value);
    if (dtype == (hone_dtype)tensor.dtype)
        return hn_download_tensor(program->device, &tensor, data);
    HN_TRY(hn_download_tensor(program->device, &tensor, program->staging));
    return hn_convert((hone_dtype)tensor.dtype, program->staging, dtype, data,
                      (size_t)hn_tensor_elements(&tensor));
}

hone_status hn_program_download(hn_program *program, hn_value value, float *data) {
    return download(program, value, HONE_F32, data);
}

hone_status hn_program_download_f64(hn_program *program, hn_value value, double *data) {
    return download(program, value, HONE_F64, data);
}
