/** What the files of this folder share: values, nodes, the program. */
#ifndef HN_GRAPH_GRAPH_H
#define HN_GRAPH_GRAPH_H

#include <graph/program.h>

typedef enum hn_kind { HN_PARAMETER = 0, HN_GRADIENT, HN_STATE, HN_INPUT, HN_ACTIVATION } hn_kind;

typedef struct hn_value_info {
    hn_kind kind;
    hone_dtype dtype;
    int rank;
    hn_extent extent[HONE_MAX_RANK];
    hn_value root;       /**< whose storage it is: itself, or for a view another value */
    bool differentiable; /**< a derivative by it is wanted */
    bool output;         /**< kept until the next run */
    hn_value gradient;   /**< of a root: where its derivative is gathered; HN_NONE: nothing yet */
    int32_t producer;    /**< of a root activation: the first node that writes it; -1: none */
    hone_tensor storage; /**< parameters, gradients, states: the caller's */
    char *name;          /**< parameters, states, inputs; NULL for activations */

    int32_t birth, death; /**< of a root activation: first and last node that touches it; -1: unused */
    hn_value place; /**< of a root activation: itself, or the value whose place it takes over (in place) */
    uint64_t offset, bytes; /**< in the arena, or in the inputs' buffer */
} hn_value_info;

typedef union hn_params {
    hone_norm_params norm;
    hone_scale_params scale;
    hone_rotary_params rotary;
    hone_dropout_params dropout;
    hone_fill_params fill;
} hn_params;

typedef struct hn_node {
    hone_operation operation;
    hn_value operand[HONE_MAX_OPERANDS];
    hn_params params;
    bool has_params;
    uint32_t accumulate;   /**< always added to */
    uint32_t by_caller;    /**< added to when hn_program_backward says so */
    bool only_overwriting; /**< left out when hn_program_backward accumulates */
} hn_node;

/** A run of forward nodes that can be run again as one. */
typedef struct hn_block {
    size_t begin, end;
} hn_block;

struct hn_program {
    hone_device *device;
    hone_dtype compute;
    bool training, finished, measure_only;
    int64_t budget[HN_SYMBOL_COUNT], bound[HN_SYMBOL_COUNT];
    hn_value_info *value;
    size_t values, value_capacity;
    hn_node *node;
    size_t nodes, node_capacity, forward_nodes;
    hn_block *block;
    size_t blocks, block_capacity;
    bool block_open;
    int64_t recompute;   /**< of the first blocks: how many backward runs again */
    hn_value logp, seed; /**< of the head: its output, and the derivative of the loss by it */
    uint64_t arena, inputs, workspace;
    uint64_t arena_bytes, inputs_bytes, workspace_bytes;
    uint32_t step;
    void *staging; /**< converts seeds and outputs */
    size_t staging_bytes;
    hone_status status; /**< the first failure of recording */
    char message[512];
};

/** Keeps the first failure. Returns HN_NONE. */
hn_value hn_graph_fail(hn_program *program, hone_status status);
hn_value_info *hn_graph_value(const hn_program *program, hn_value value);
hn_value hn_graph_add_value(hn_program *program, const hn_value_info *info);
/** A new activation of the compute dtype. */
hn_value hn_graph_activation(hn_program *program, int rank, const hn_extent *extent);
/** A new activation shaped as `value`. */
hn_value hn_graph_like(hn_program *program, hn_value value);
/** Appends a node; NULL after a failure. Operands start as HN_NONE. */
hn_node *hn_graph_add_node(hn_program *program, hone_operation operation);
/** Elements with the symbols bound so; -1 when there are too many to count. */
int64_t hn_graph_elements(const hn_value_info *value, const int64_t symbols[HN_SYMBOL_COUNT]);
/** The root of a value: whose storage it is. */
hn_value hn_graph_root(const hn_program *program, hn_value value);

/** Derives the backward nodes. */
HONE_MUST_USE hone_status hn_graph_differentiate(hn_program *program);
/** Places every activation in the arena. */
HONE_MUST_USE hone_status hn_graph_plan(hn_program *program);
/** The tensor of a value for symbols bound as given. */
hone_tensor hn_graph_tensor(const hn_program *program, hn_value value,
                            const int64_t symbols[HN_SYMBOL_COUNT]);

#endif
