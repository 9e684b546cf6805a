/** Backward making values again: see recompute.c. */
#ifndef HN_GRAPH_RECOMPUTE_H
#define HN_GRAPH_RECOMPUTE_H

#include <graph/graph.h>

/** Backward nodes from `backward` to the last are those of the block: puts the block's forward nodes that they need before
 *  them, and lets them read the copies. */
HONE_MUST_USE hone_status hn_graph_recompute_block(hn_program *program, const hn_block *block,
                                                   size_t backward);
/** Results of cheap operations that backward reads, wherever that keeps nothing else alive. */
HONE_MUST_USE hone_status hn_graph_recompute_cheap(hn_program *program);

#endif
