#include <core/memory.h>
#include <core/status.h>
#include <graph/graph.h>

typedef struct listing {
    const hn_program *program;
    hn_bytes out;
    int32_t *number; /**< of an activation, by root: in order of appearance, from 1; 0: not seen yet */
    int32_t numbers;
} listing;

static hone_status append_value(listing *list, hn_value value) {
    const hn_value index = hn_graph_root(list->program, value);
    const hn_value_info *root = &list->program->value[index];

    if (root->name != NULL)
        return hn_bytes_printf(&list->out, "%s%s", root->kind == HN_GRADIENT ? "d " : "", root->name);
    if (list->number[index] == 0)
        list->number[index] = ++list->numbers;
    return hn_bytes_printf(&list->out, "%%%d", (int)list->number[index]);
}

/** "linear(x: %3, w: model.layers.0..., y: %5 +)"; '+' marks what is added to, '?' what the caller decides. */
static hone_status append_node(listing *list, const hn_node *node) {
    const hn_operation_info *info = hn_operation_describe(node->operation);
    bool first = true;

    HN_TRY(hn_bytes_printf(&list->out, "%s(", info->name));
    for (int o = 0; o < info->operands; o++) {
        if (node->operand[o] == HN_NONE)
            continue;
        HN_TRY(hn_bytes_printf(&list->out, "%s%s: ", first ? "" : ", ", info->operand[o].name));
        HN_TRY(append_value(list, node->operand[o]));
        if ((node->accumulate >> o & 1u) != 0)
            HN_TRY(hn_bytes_append(&list->out, " +", 2));
        if ((node->by_caller >> o & 1u) != 0)
            HN_TRY(hn_bytes_append(&list->out, " ?", 2));
        first = false;
    }
    return hn_bytes_append(&list->out, ")\n", 2);
}

hone_status hn_program_listing(const hn_program *program, char **text) {
    listing list = {.program = program};
    hone_status status = HONE_OK;

    *text = NULL;
    HN_GO(hn_alloc(&list.number, program->values, sizeof *list.number, "listing"));
    HN_GO(hn_bytes_append(&list.out, "", 0));
    for (size_t i = 0; i < program->nodes; i++) {
        if (i == program->forward_nodes)
            HN_GO(hn_bytes_printf(&list.out, "backward:\n"));
        HN_GO(append_node(&list, &program->node[i]));
    }
    *text = list.out.data;
    list.out.data = NULL;
done:
    hn_free(list.number);
    hn_bytes_clear(&list.out);
    return status;
}
