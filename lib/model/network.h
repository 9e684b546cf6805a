/**
 * The Llama forward pass as a recorded program: over a pack (training and scoring) or over a KV cache
 * (decoding).
 *
 *   x = E[token];  for each layer:  x += Wo attention(rotary(Wq n), rotary(Wk n), Wv n), n = rmsnorm(x)
 *                                   x += Wdown (silu(Wgate m) * Wup m), m = rmsnorm(x)
 *   h = rmsnorm(x);  log-probability of each scored edge, or logits of chosen rows
 */
#ifndef HN_MODEL_NETWORK_H
#define HN_MODEL_NETWORK_H

#include <graph/program.h>
#include <hone/model.h>
#include <hone/pack.h>

/** The most that one run may hold. Edges are at most tokens + sequences. */
typedef struct hn_network_budget {
    int64_t tokens, segments, ranges, rows, edges;
    int64_t
        recompute; /**< layers, from the first, of which backward makes again what it needs (the same bits) */
} hn_network_budget;
/** A budget for packs of at most `tokens` tokens and as many sequences: segments = rows = tokens, edges = 2
 * tokens, ranges = max(64, 4 tokens). */
hn_network_budget hn_network_budget_for(int64_t tokens);
/** Whether the pack fits the budget. */
bool hn_network_fits(const hn_network_budget *budget, const hone_pack *pack);

typedef struct hn_network hn_network;

/** What a network created so would hold, without making it. */
HONE_MUST_USE hone_status hn_network_measure(hone_model *model, hone_adapter *adapter, bool training,
                                             const hn_network_budget *budget, hn_program_memory *memory);
/** Scoring and training over packs. `adapter` NULL: the base alone (the reference of LoRA training). With
 * `training`, parameters whose gradient is allocated (hn_parameters_make_trainable) are differentiated;
 * dropout (the adapter's option) is active with `seed`. */
HONE_MUST_USE hone_status hn_network_create(hone_model *model, hone_adapter *adapter, bool training,
                                            uint64_t seed, const hn_network_budget *budget,
                                            hn_network **network);
void hn_network_destroy(hn_network *network);
/** Uploads the pack, runs forward, reads the log-probability of every edge. `step` keys dropout masks. */
HONE_MUST_USE hone_status hn_network_forward(hn_network *network, const hone_pack *pack, uint32_t step,
                                             float *edge_logp);
/** In double, where the network computes in F64. */
HONE_MUST_USE hone_status hn_network_forward_f64(hn_network *network, const hone_pack *pack, uint32_t step,
                                                 double *edge_logp);
/** After forward of the same pack: parameters' gradients from d loss / d logp of every edge. */
HONE_MUST_USE hone_status hn_network_backward(hn_network *network, const float *edge_weight, bool accumulate);
HONE_MUST_USE hone_status hn_network_backward_f64(hn_network *network, const double *edge_weight,
                                                  bool accumulate);
hn_program *hn_network_program(hn_network *network);

/**
 * Decoding. A cache has `rows` rows of keys and values in every layer; which row a token's keys go to and
 * which ranges of rows it sees are the caller's (sampler's) business, so slabs can be shared by prefix.
 */
typedef struct hn_decoder hn_decoder;
/** `tokens`: the most tokens in one call (prefill chunk or batch); `logits`: the most rows whose logits are
 * wanted. */
HONE_MUST_USE hone_status hn_decoder_create(hone_model *model, hone_adapter *adapter, int64_t rows,
                                            int64_t tokens, int64_t logits, hn_decoder **decoder);
void hn_decoder_destroy(hn_decoder *decoder);
int64_t hn_decoder_rows(const hn_decoder *decoder);

/** One call: `tokens` tokens in `segments` segments (hone_segment; key_begin and ranges are cache rows). */
typedef struct hn_decoder_step {
    int64_t tokens, segments, ranges, logits;
    const int32_t *token, *position, *cache_row; /**< [tokens] */
    const int32_t *segment;                      /**< [segments][6] */
    const int32_t *range;                        /**< [ranges][2] */
    const int32_t *row;                          /**< [logits] increasing: rows whose logits are wanted */
} hn_decoder_step;
/** Copies the keys and values of rows [from, from + count) to rows [to, to + count), in every layer. The two don't
 *  overlap. */
HONE_MUST_USE hone_status hn_decoder_copy(hn_decoder *decoder, int64_t from, int64_t to, int64_t count);
/** `logits`: [step->logits][V] float32. */
HONE_MUST_USE hone_status hn_decoder_run(hn_decoder *decoder, const hn_decoder_step *step, float *logits);

#endif
