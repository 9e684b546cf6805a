#include <core/memory.h>
#include <core/status.h>
#include <graph/graph.h>

static hone_status append_value(hn_bytes *out, const hn_program *program, hn_value value) {
    const hn_value_info *root = &program->value[hn_graph_root(program, value)];

    if (root->name != NULL)
        return hn_bytes_printf(out, "%s%s", root->kind == HN_GRADIENT ? "d " : "", root->name);
    return hn_bytes_printf(out, "%%%d", (int)hn_graph_root(program, value));
}

/** "linear(x: %3, w: model.layers.0..., y: %5 +)"; '+' marks what is added to, '?' what the caller decides. */
static hone_status append_node(hn_bytes *out, const hn_program *program, const hn_node *node) {
    const hn_operation_info *info = hn_operation_describe(node->operation);
    bool first = true;

    HN_TRY(hn_bytes_printf(out, "%s(", info->name));
    for (int o = 0; o < info->operands; o++) {
        if (node->operand[o] == HN_NONE)
            continue;
        HN_TRY(hn_bytes_printf(out, "%s%s: ", first ? "" : ", ", info->operand[o].name));
        HN_TRY(append_value(out, program, node->operand[o]));
        if ((node->accumulate >> o & 1u) != 0)
            HN_TRY(hn_bytes_append(out, " +", 2));
        if ((node->by_caller >> o & 1u) != 0)
            HN_TRY(hn_bytes_append(out, " ?", 2));
        first = false;
    }
    return hn_bytes_append(out, ")\n", 2);
}

hone_status hn_program_listing(const hn_program *program, char **text) {
    hn_bytes out = {0};
    hone_status status = HONE_OK;

    *text = NULL;
    for (size_t i = 0; i < program->nodes; i++) {
        if (i == program->forward_nodes)
            HN_GO(hn_bytes_printf(&out, "backward:\n"));
        HN_GO(append_node(&out, program, &program->node[i]));
    }
    *text = out.data;
    return HONE_OK;
done:
    hn_bytes_clear(&out);
    return status;
}
