/**
 * The recorded program: a model's forward pass as a straight line of coarse operations, recorded
 * once, with its backward pass derived from it, and a memory plan made before the first run.
 *
 * Extents are symbolic (T, U, E, S, G, C) with a budget each; a run binds them to actual numbers.
 * Values are parameters (storage is the caller's), inputs (filled by the caller before a run) and
 * activations (placed by the plan). Running allocates nothing.
 *
 * Recording functions return a value, or HN_NONE after a failure; the first failure is kept and
 * returned by hn_program_finish, so that a builder reads as a straight line.
 */
#ifndef HN_GRAPH_PROGRAM_H
#define HN_GRAPH_PROGRAM_H

#include <dispatch/dispatch.h>

typedef struct hn_program hn_program;
typedef int32_t hn_value;
#define HN_NONE (-1)

typedef enum hn_symbol { HN_FIXED = 0, HN_T, HN_U, HN_E, HN_S, HN_G, HN_C, HN_SYMBOL_COUNT } hn_symbol;
/** symbol's number + fixed: {HN_U, 1} is U+1; {HN_FIXED, n} is n. */
typedef struct hn_extent {
    hn_symbol symbol;
    int64_t fixed;
} hn_extent;
static inline hn_extent hn_symbolic(hn_symbol symbol) { return (hn_extent){symbol, 0}; }
static inline hn_extent hn_fixed(int64_t extent) { return (hn_extent){HN_FIXED, extent}; }

/** `training`: a backward pass is derived at finish. `budget[s]`: the most that symbol s may be bound to. */
HONE_MUST_USE hone_status hn_program_create(hone_device *device, hone_dtype compute, bool training,
                                            const int64_t budget[HN_SYMBOL_COUNT], hn_program **program);
void hn_program_destroy(hn_program *program);

/** Storage of the caller's that outlives the program. `gradient` (same extents) is where backward writes the
 *  derivative; absent: frozen, costs nothing. `name` is copied, for messages. */
hn_value hn_program_parameter(hn_program *program, const char *name, const hone_tensor *storage,
                              const hone_tensor *gradient);
/** A mutable storage of the caller's whose rows operations write (a KV cache); never differentiated. */
hn_value hn_program_state(hn_program *program, const char *name, const hone_tensor *storage);
/** Filled by hn_program_upload before a run. Inputs are not differentiated. */
hn_value hn_program_input(hn_program *program, const char *name, hone_dtype dtype, int rank,
                          const hn_extent *extent);
/** The same elements under other extents (e.g. [T,D] as [T,H,N]), contiguous; shares storage and gradient. Of a state
 *  it may be the first rows. */
hn_value hn_program_view(hn_program *program, hn_value value, int rank, const hn_extent *extent);

hn_value hn_record_embedding(hn_program *program, hn_value table, hn_value token);
hn_value hn_record_rms_norm(hn_program *program, hn_value x, hn_value gain, double epsilon);
/** y = scale x w^T + bias. `into`: HN_NONE, or an earlier linear's result that is added to in place and
 * returned (LoRA's second factor); nothing may have read it yet. bias may be HN_NONE. */
hn_value hn_record_linear(hn_program *program, hn_value x, hn_value w, hn_value bias, double scale,
                          hn_value into);
hn_value hn_record_rotary(hn_program *program, hn_value x, hn_value position, hn_value frequency,
                          double scale);
hn_value hn_record_attention(hn_program *program, hn_value q, hn_value k, hn_value v, hn_value segment,
                             hn_value range, double scale);
hn_value hn_record_swiglu(hn_program *program, hn_value gate, hn_value up);
hn_value hn_record_add(hn_program *program, hn_value a, hn_value b);
/** The mask is that of hn_program_set_step's step and of `stream`, which must differ between the dropouts of
 * a program. */
hn_value hn_record_dropout(hn_program *program, hn_value x, double probability, uint64_t seed,
                           uint32_t stream);
hn_value hn_record_gather_rows(hn_program *program, hn_value x, hn_value row);
/** Writes x's rows into `state` at `row`; returns the state as a value that is ordered after the write. Not
 * differentiated. */
hn_value hn_record_scatter_rows(hn_program *program, hn_value x, hn_value row, hn_value state);
/** The log-probability of every scored edge, [E]. The derivative of the loss by it is a program input made
 * here, filled before backward: see hn_program_seed. */
hn_value hn_record_head_logp(hn_program *program, hn_value h, hn_value w, hn_value row, hn_value begin,
                             hn_value target);

/** Marks a value as read by the caller after a run: its storage is kept until the next run. */
void hn_program_output(hn_program *program, hn_value value);

/** What is recorded between the two is a block (a layer): a unit that backward can run again. Blocks don't nest. */
void hn_program_block_begin(hn_program *program);
void hn_program_block_end(hn_program *program);
/** Before finish: of the first `blocks` blocks nothing inside is kept from forward to backward, which runs them again.
 *  The bits do not change. The first ones, since backward reaches them last, when the rest is free again. */
void hn_program_recompute(hn_program *program, int64_t blocks);

/** Before finish: it will derive and plan, but make no buffers and nothing can run. For hn_program_plan, which
 *  then says what a program would hold. */
void hn_program_measure_only(hn_program *program);
/** Ends recording: derives the backward pass from the head's log-probabilities (training), plans memory,
 * creates the buffers. Returns the first failure of recording, if any. */
HONE_MUST_USE hone_status hn_program_finish(hn_program *program);

/** Binds a symbol for the runs that follow: 0 <= extent <= budget. */
HONE_MUST_USE hone_status hn_program_bind(hn_program *program, hn_symbol symbol, int64_t extent);
/** For dropout masks. */
void hn_program_set_step(hn_program *program, uint32_t step);
/** Fills an input with its bound number of elements, dense, of the input's dtype. */
HONE_MUST_USE hone_status hn_program_upload(hn_program *program, hn_value input, const void *data);
HONE_MUST_USE hone_status hn_program_forward(hn_program *program);
/** d loss / d logp [E] as float32 (converted to the compute dtype). */
HONE_MUST_USE hone_status hn_program_seed(hn_program *program, const float *edge_weight);
/** As hn_program_seed, in double: the float64 oracle's tests. */
HONE_MUST_USE hone_status hn_program_seed_f64(hn_program *program, const double *edge_weight);
/** Runs the derived pass, once after each forward (it reuses the storage of what it read). `accumulate`: parameters'
 *  gradients are added to, else overwritten, with 0 where no derivative reaches. */
HONE_MUST_USE hone_status hn_program_backward(hn_program *program, bool accumulate);
/** Reads an output: as float32, or as double, whatever the compute dtype. `count` is the bound number of
 * elements. */
HONE_MUST_USE hone_status hn_program_download(hn_program *program, hn_value value, float *data);
HONE_MUST_USE hone_status hn_program_download_f64(hn_program *program, hn_value value, double *data);
/** The tensor that a value has under the current binding (gradient: of its gradient; absent when none). */
hone_tensor hn_program_tensor(const hn_program *program, hn_value value);

/** What the plan holds, in bytes: arena of activations and gradients, inputs, workspace; on the host the staging of
 *  seeds and outputs. */
typedef struct hn_program_memory {
    uint64_t arena, inputs, workspace, staging;
} hn_program_memory;
hn_program_memory hn_program_plan(const hn_program *program);
/** Operations recorded forward and derived backward, and a listing of them for people and tests (new string).
 */
HONE_MUST_USE hone_status hn_program_listing(const hn_program *program, char **text);

#endif
