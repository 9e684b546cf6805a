/** What the derivation of the backward pass and the rules of the operations share. */
#ifndef HN_GRAPH_TAPE_H
#define HN_GRAPH_TAPE_H

#include <graph/graph.h>

typedef struct hn_tape {
    hn_program *program;
    size_t node;   /**< forward node whose derivative is being derived */
    size_t values; /**< that there were before the derivation */
    bool *used;    /**< by value, of these: a parameter's gradient has been written already */
} hn_tape;

/** Where an operation writes a contribution to the derivative of a value. */
typedef struct hn_target {
    hn_value place; /**< operand; HN_NONE: not wanted */
    bool add;       /**< the operation itself adds */
    bool by_caller; /**< the operation adds when the caller says so */
    hn_value
        of; /**< root whose derivative must be replaced by the sum of it and `place` after the operation */
} hn_target;

/** A place for a contribution to the derivative of `value` (HN_NONE: nothing is wanted). `adds`: the operation can
 *  add to this output. */
hn_target hn_tape_contribute(hn_tape *tape, hn_value value, bool adds);
/** Makes the target an operand of the backward node. */
void hn_tape_set(hn_node *node, int operand, hn_target to);
/** After an operation that could not add: appends the sum. Takes targets that need none. */
void hn_tape_settle(hn_tape *tape, hn_target to);
/** Hands the derivative `dy` to one term of a sum, without a copy where the term has none yet. */
void hn_tape_pass(hn_tape *tape, hn_value value, hn_value dy);

/** How an operation is differentiated: `apply` appends backward nodes for the forward node, given the derivative
 *  by operand `result`; NULL: no derivative flows through it. */
typedef struct hn_rule {
    int result;
    void (*apply)(hn_tape *tape, const hn_node *forward, hn_value dy);
} hn_rule;
/** NULL: the operation has no rule. */
const hn_rule *hn_graph_rule(hone_operation operation);

#endif
