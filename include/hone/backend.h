/**
 * The contract between hone and a backend: the only header of hone that a backend sees.
 *
 * A backend is a table of functions (::hone_backend) behind a constant manifest
 * (::hone_backend_manifest). One is built into the library; others are modules, files named
 * hone-NAME.so that export the data symbol `hone_backend_manifest_1`. The manifest is checked
 * before any function is called.
 *
 * Memory on a device is a *buffer*: an opaque non-zero handle. A handle is not an address and no
 * host code may look behind it. A tensor is a value that names a place: (buffer, offset), element
 * type, extents. What an operation reads or writes is given by tensors and by nothing else.
 *
 * Order: copies and operations of a device happen as if one after the other, in the order of the
 * calls. An operation may still be running when its call returns; `download` and `synchronise`
 * wait. A failure of work that was still running is reported by the next call that waits.
 *
 * Threads: one device is used by one thread at a time.
 *
 * Validation: shapes, dtypes, alignment, bounds and aliasing are checked by hone before a backend
 * is called, so kernels stay bare. A backend checks what only it can know (an exhausted device).
 *
 * Letters: T packed tokens, D model width, H query heads, K key/value heads, N head width (head_dim), F
 * hidden width, V vocabulary, R LoRA rank, I inputs and O outputs of a linear, C rows of keys and values, S
 * segments, G key ranges, U scored rows, E scored edges.
 */
#ifndef HONE_BACKEND_H
#define HONE_BACKEND_H

#include <hone/dtype.h>
#include <hone/export.h>
#include <hone/status.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

/** Raised whenever the meaning or layout of anything in this header changes. */
#define HONE_BACKEND_ABI 2u
/** "HONEBKND", read as a little-endian number. */
#define HONE_BACKEND_MAGIC UINT64_C(0x444e4b42454e4f48)
/** Offsets of tensors within buffers are multiples of this many bytes, unless the tensor is a view
 *  into another one (a KV cache's rows); buffers start at least so aligned. */
#define HONE_BUFFER_ALIGNMENT 128u
#define HONE_MAX_RANK 4
#define HONE_MAX_OPERANDS 16

/**
 * A place on a device and how to read it. Dimension 0 may be strided (`row_stride` elements from
 * one index to the next, at least the product of the other extents); within a row all is
 * contiguous, last dimension fastest. Absent operands have `buffer` 0.
 */
typedef struct hone_tensor {
    uint64_t buffer;               /**< handle from buffer_create of the same device; 0 = absent */
    uint64_t offset;               /**< bytes from the buffer's start to element 0 */
    int32_t dtype;                 /**< ::hone_dtype */
    int32_t rank;                  /**< 1 to HONE_MAX_RANK */
    int64_t extent[HONE_MAX_RANK]; /**< each >= 0; unused ones are 1 */
    int64_t row_stride;            /**< elements between consecutive rows (dimension 0) */
} hone_tensor;

/**
 * The operations. "f" operands share one floating dtype, the device's compute dtype; "i" are I32; "w" is a matrix of
 * weights: of the dtype of the "f" operands or, where these are F32, of any dtype in weight_dtypes (its values are what
 * the formula means; products are computed as the device computes them in F32).
 * [opt] may be absent. [acc] is an output that is added to where the call's `accumulate` has the
 * operand's bit, else overwritten, whatever it held (NaN included). Outputs alias nothing unless
 * said. New operations are appended, so that numbers stay.
 *
 *   EMBEDDING            y[t,d] = table[token[t],d]
 *   EMBEDDING_BACKWARD   dtable[v,d] = sum_{t: token[t]=v} dy[t,d], in increasing t
 *   RMS_NORM             rstd[t] = 1/sqrt(mean_d x[t,d]^2 + epsilon);  y = x * rstd * gain
 *   RMS_NORM_BACKWARD    dx = rstd * (g dy - x rstd^2 mean_d(g dy x));  dgain[d] = sum_t dy x rstd
 *   LINEAR               y[t,o] = scale * sum_i x[t,i] w[o,i] + bias[o]
 *   LINEAR_BACKWARD      dx = scale * dy w;  dw = scale * dy^T x;  dbias[o] = sum_t dy[t,o]
 *   ROTARY               with angle a = position[t] * frequency[j], for j < N/2, on the halves
 *                        (x1, x2) = (x[t,h,j], x[t,h,j+N/2]):
 *                        y1 = scale*(x1 cos a - x2 sin a), y2 = scale*(x2 cos a + x1 sin a);
 *                        inverse: a becomes -a (the transpose, which is the backward)
 *   ATTENTION            see ::hone_segment; o = softmax(scale q k^T over visible keys) v;
 *                        lse[h,t] = log sum exp over visible keys of scale q k (natural log)
 *   ATTENTION_BACKWARD   dq, dk, dv given do; delta[h,t] = sum_n do*o is scratch
 *   SWIGLU               y = gate * sigmoid(gate) * up
 *   SWIGLU_BACKWARD      dgate = dy up s (1 + gate (1-s)), dup = dy gate s, s = sigmoid(gate)
 *   ADD                  y = a + b
 *   DROPOUT              y = keep(t,d) ? x/(1-p) : 0, keep a pure function of (seed, step, stream,
 *                        t, d): see ::hone_dropout_params. Its own backward.
 *   GATHER_ROWS          y[u,:] = x[row[u],:]
 *   HEAD_LOGP            z[u,v] = sum_d h[row[u],d] w[v,d]; lse[u] = log sum_v exp z[u,v];
 *                        logp[e] = z[u,target[e]] - lse[u], begin[u] <= e < begin[u+1]
 *   HEAD_LOGP_BACKWARD   dz[u,v] = sum_{e in u} g[e] [target[e] = v]
 *                                  - (sum_{e in u} g[e]) exp(z[u,v] - lse[u]);
 *                        dh[row[u],:] = dz w (other rows 0);  dw = dz^T h[row]
 *   ADAMW                see ::hone_adamw_params
 *   SUM_SQUARES          out[0] = sum_i x[i]^2, accumulated in double
 *   FILL                 y = value
 *   CAST                 y = x converted, round to nearest even
 *   SCATTER_ROWS         y[row[t],:] = x[t,:]; other rows of y keep what they held
 */
typedef enum hone_operation {
    HONE_OP_EMBEDDING = 0,
    HONE_OP_EMBEDDING_BACKWARD,
    HONE_OP_RMS_NORM,
    HONE_OP_RMS_NORM_BACKWARD,
    HONE_OP_LINEAR,
    HONE_OP_LINEAR_BACKWARD,
    HONE_OP_ROTARY,
    HONE_OP_ATTENTION,
    HONE_OP_ATTENTION_BACKWARD,
    HONE_OP_SWIGLU,
    HONE_OP_SWIGLU_BACKWARD,
    HONE_OP_ADD,
    HONE_OP_DROPOUT,
    HONE_OP_GATHER_ROWS,
    HONE_OP_HEAD_LOGP,
    HONE_OP_HEAD_LOGP_BACKWARD,
    HONE_OP_ADAMW,
    HONE_OP_SUM_SQUARES,
    HONE_OP_FILL,
    HONE_OP_CAST,
    HONE_OP_SCATTER_ROWS,
    HONE_OP_COUNT
} hone_operation;

/** Operand positions in hone_call.operand, per operation, with shapes. `in` unless said. */
enum { /* EMBEDDING: table w[V,D], token i[T] (each 0 <= token < V), y f[T,D] out */
       HONE_EMBEDDING_TABLE = 0,
       HONE_EMBEDDING_TOKEN,
       HONE_EMBEDDING_Y,
       HONE_EMBEDDING_OPERANDS
};
enum { /* token i[T], dy f[T,D], dtable f[V,D] out acc */
       HONE_EMBEDDING_BACKWARD_TOKEN = 0,
       HONE_EMBEDDING_BACKWARD_DY,
       HONE_EMBEDDING_BACKWARD_DTABLE,
       HONE_EMBEDDING_BACKWARD_OPERANDS
};
enum { /* x f[T,D], gain f[D], y f[T,D] out, rstd f[T] out */
       HONE_RMS_NORM_X = 0,
       HONE_RMS_NORM_GAIN,
       HONE_RMS_NORM_Y,
       HONE_RMS_NORM_RSTD,
       HONE_RMS_NORM_OPERANDS
};
enum { /* x f[T,D], gain f[D], rstd f[T], dy f[T,D], dx f[T,D] out opt acc, dgain f[D] out opt acc */
       HONE_RMS_NORM_BACKWARD_X = 0,
       HONE_RMS_NORM_BACKWARD_GAIN,
       HONE_RMS_NORM_BACKWARD_RSTD,
       HONE_RMS_NORM_BACKWARD_DY,
       HONE_RMS_NORM_BACKWARD_DX,
       HONE_RMS_NORM_BACKWARD_DGAIN,
       HONE_RMS_NORM_BACKWARD_OPERANDS
};
enum { /* x f[T,I], w w[O,I], bias f[O] opt, y f[T,O] out acc; I may be 0 (y = bias) */
       HONE_LINEAR_X = 0,
       HONE_LINEAR_W,
       HONE_LINEAR_BIAS,
       HONE_LINEAR_Y,
       HONE_LINEAR_OPERANDS
};
enum { /* x f[T,I] opt (needed for dw), w w[O,I] opt (needed for dx), dy f[T,O],
          dx f[T,I] out opt acc, dw f[O,I] out opt acc, dbias f[O] out opt acc */
       HONE_LINEAR_BACKWARD_X = 0,
       HONE_LINEAR_BACKWARD_W,
       HONE_LINEAR_BACKWARD_DY,
       HONE_LINEAR_BACKWARD_DX,
       HONE_LINEAR_BACKWARD_DW,
       HONE_LINEAR_BACKWARD_DBIAS,
       HONE_LINEAR_BACKWARD_OPERANDS
};
enum { /* x f[T,H,N], N even, position i[T], frequency f[N/2], y f[T,H,N] out acc, may be x itself when not
          acc */
       HONE_ROTARY_X = 0,
       HONE_ROTARY_POSITION,
       HONE_ROTARY_FREQUENCY,
       HONE_ROTARY_Y,
       HONE_ROTARY_OPERANDS
};
enum { /* q f[T,H,N], k f[C,K,N], v f[C,K,N] (K divides H; query head h reads key head h/(H/K)),
          segment i[S,6], range i[G,2], o f[T,H,N] out, lse f[H,T] out */
       HONE_ATTENTION_Q = 0,
       HONE_ATTENTION_K,
       HONE_ATTENTION_V,
       HONE_ATTENTION_SEGMENT,
       HONE_ATTENTION_RANGE,
       HONE_ATTENTION_O,
       HONE_ATTENTION_LSE,
       HONE_ATTENTION_OPERANDS
};
enum { /* as ATTENTION with C = T and key_begin = query_begin; lse f[H,T], o, dout f[T,H,N],
          delta f[H,T] scratch out, dq f[T,H,N] out, dk f[T,K,N] out, dv f[T,K,N] out */
       HONE_ATTENTION_BACKWARD_Q = 0,
       HONE_ATTENTION_BACKWARD_K,
       HONE_ATTENTION_BACKWARD_V,
       HONE_ATTENTION_BACKWARD_SEGMENT,
       HONE_ATTENTION_BACKWARD_RANGE,
       HONE_ATTENTION_BACKWARD_O,
       HONE_ATTENTION_BACKWARD_LSE,
       HONE_ATTENTION_BACKWARD_DO,
       HONE_ATTENTION_BACKWARD_DELTA,
       HONE_ATTENTION_BACKWARD_DQ,
       HONE_ATTENTION_BACKWARD_DK,
       HONE_ATTENTION_BACKWARD_DV,
       HONE_ATTENTION_BACKWARD_OPERANDS
};
enum { /* gate f[T,F], up f[T,F], y f[T,F] out, may be gate or up itself */
       HONE_SWIGLU_GATE = 0,
       HONE_SWIGLU_UP,
       HONE_SWIGLU_Y,
       HONE_SWIGLU_OPERANDS
};
enum { /* gate, up, dy, dgate out, dup out: f[T,F]; dgate and dup may be gate, up or dy themselves */
       HONE_SWIGLU_BACKWARD_GATE = 0,
       HONE_SWIGLU_BACKWARD_UP,
       HONE_SWIGLU_BACKWARD_DY,
       HONE_SWIGLU_BACKWARD_DGATE,
       HONE_SWIGLU_BACKWARD_DUP,
       HONE_SWIGLU_BACKWARD_OPERANDS
};
enum { /* a, b, y out: f[T,D]; y may be a or b itself */
       HONE_ADD_A = 0,
       HONE_ADD_B,
       HONE_ADD_Y,
       HONE_ADD_OPERANDS
};
enum { /* x f[T,D], y f[T,D] out acc, may be x itself when not acc */
       HONE_DROPOUT_X = 0,
       HONE_DROPOUT_Y,
       HONE_DROPOUT_OPERANDS
};
enum { /* x f[T,D], row i[U] (each 0 <= row < T), y f[U,D] out */
       HONE_GATHER_ROWS_X = 0,
       HONE_GATHER_ROWS_ROW,
       HONE_GATHER_ROWS_Y,
       HONE_GATHER_ROWS_OPERANDS
};
enum { /* h f[T,D], w w[V,D], row i[U] strictly increasing, begin i[U+1] increasing from 0 to E,
          target i[E] (each 0 <= target < V), logp f[E] out, lse f[U] out */
       HONE_HEAD_LOGP_H = 0,
       HONE_HEAD_LOGP_W,
       HONE_HEAD_LOGP_ROW,
       HONE_HEAD_LOGP_BEGIN,
       HONE_HEAD_LOGP_TARGET,
       HONE_HEAD_LOGP_LOGP,
       HONE_HEAD_LOGP_LSE,
       HONE_HEAD_LOGP_OPERANDS
};
enum { /* h, w, row, begin, target, lse as written by HEAD_LOGP, g f[E] = d loss / d logp,
          dh f[T,D] out opt acc, dw f[V,D] out opt acc */
       HONE_HEAD_LOGP_BACKWARD_H = 0,
       HONE_HEAD_LOGP_BACKWARD_W,
       HONE_HEAD_LOGP_BACKWARD_ROW,
       HONE_HEAD_LOGP_BACKWARD_BEGIN,
       HONE_HEAD_LOGP_BACKWARD_TARGET,
       HONE_HEAD_LOGP_BACKWARD_LSE,
       HONE_HEAD_LOGP_BACKWARD_G,
       HONE_HEAD_LOGP_BACKWARD_DH,
       HONE_HEAD_LOGP_BACKWARD_DW,
       HONE_HEAD_LOGP_BACKWARD_OPERANDS
};
enum { /* w, m, v: f[W] in and out; gradient f[W] */
       HONE_ADAMW_W = 0,
       HONE_ADAMW_M,
       HONE_ADAMW_V,
       HONE_ADAMW_GRADIENT,
       HONE_ADAMW_OPERANDS
};
enum { /* x f[W], out F64[1] out acc */
       HONE_SUM_SQUARES_X = 0,
       HONE_SUM_SQUARES_OUT,
       HONE_SUM_SQUARES_OPERANDS
};
enum { /* y out: any floating dtype, any shape */
       HONE_FILL_Y = 0,
       HONE_FILL_OPERANDS
};
enum { /* x, y out: same extents, any two of F32, F64, F16, BF16 */
       HONE_CAST_X = 0,
       HONE_CAST_Y,
       HONE_CAST_OPERANDS
};
enum { /* x f[T,D], row i[T] (each 0 <= row < C, all different), y f[C,D] out, partly written */
       HONE_SCATTER_ROWS_X = 0,
       HONE_SCATTER_ROWS_ROW,
       HONE_SCATTER_ROWS_Y,
       HONE_SCATTER_ROWS_OPERANDS
};

/**
 * One row of a segment tensor: queries [query_begin, query_end) form an unbranched run whose own
 * keys lie at [key_begin, key_begin + query_end - query_begin): query query_begin + i sees its own
 * keys 0..i, and all keys of the ranges range[range_begin..range_end), each (first, last + 1) in rows
 * of k. `subtree_end` is one past the last query that sees this segment's keys, so in a pack (in
 * depth-first pre-order) the queries [query_end, subtree_end) see all of them. Segments are in
 * increasing order of query_begin, disjoint, and cover [0,T) in a pack (rows of keys that no query sees may hold
 * anything, NaN included); in a KV cache they need not
 * cover, and outputs of uncovered rows are left untouched; there subtree_end = query_end.
 */
typedef struct hone_segment {
    int32_t query_begin, query_end, key_begin, range_begin, range_end, subtree_end;
} hone_segment;
#define HONE_SEGMENT_FIELDS 6

typedef struct hone_norm_params {
    double epsilon;
} hone_norm_params;

/** LINEAR, LINEAR_BACKWARD, ATTENTION, ATTENTION_BACKWARD. */
typedef struct hone_scale_params {
    double scale;
} hone_scale_params;

typedef struct hone_rotary_params {
    double scale;
    int32_t inverse; /**< 0 or 1 */
    int32_t reserved;
} hone_rotary_params;

/**
 * The mask of element (t, d) comes from Philox4x32-10 with key (seed low, seed high) and counter
 * (t, d / 4, step, stream): word d % 4 of the result, kept when word >= probability * 2^32.
 */
typedef struct hone_dropout_params {
    double probability; /**< in [0, 1) */
    uint64_t seed;
    uint32_t step;
    uint32_t stream;
} hone_dropout_params;

/**
 * Loshchilov and Hutter, arXiv 1711.05101, with PyTorch's order of operations:
 *   g = gradient_scale * gradient;  w = w * (1 - lr * weight_decay)
 *   m = beta1 m + (1-beta1) g;  v = beta2 v + (1-beta2) g^2
 *   w = w - lr * (m / (1-beta1^step)) / (sqrt(v / (1-beta2^step)) + epsilon)
 * `step` counts from 1.
 */
typedef struct hone_adamw_params {
    double lr, beta1, beta2, epsilon, weight_decay, gradient_scale;
    int64_t step;
} hone_adamw_params;

typedef struct hone_fill_params {
    double value;
} hone_fill_params;

/** One operation to run. Borrowed for the duration of the call only, `params` included. */
typedef struct hone_call {
    const hone_tensor *operand; /**< as many as the operation has */
    const void *params;         /**< the operation's parameter structure, NULL where it has none */
    uint32_t accumulate;        /**< bit i: output operand i is added to */
    hone_tensor workspace;      /**< U8[bytes], at least what `workspace` asked for; absent when 0 */
} hone_call;

typedef struct hone_device_properties {
    char name[128];          /**< of the hardware, for people */
    char detail[128];        /**< what was chosen: instruction set, libraries */
    char numerics[192];      /**< everything that bits depend on, one line: goes into cache keys */
    char choices[512];       /**< for people: what serves which matrix products, a line each; may be empty */
    uint64_t memory_bytes;   /**< what a program may hope to use; 0 = unknown */
    uint32_t compute_dtypes; /**< bit d: HONE dtype d can be the "f" of every operation */
    uint32_t weight_dtypes;  /**< bit d: HONE dtype d (BF16, Q8) can be a "w" beside "f" operands of F32 */
    int32_t units;           /**< cores, multiprocessors */
} hone_device_properties;

/** Services that a device gets from hone; valid until the device is closed. */
typedef struct hone_host {
    uint32_t abi;  /**< HONE_BACKEND_ABI */
    uint32_t size; /**< sizeof(hone_host) of the host */
    void *context; /**< first argument of every service */

    /** Records the message of a failure (printf style, one line) and returns `status`. */
    hone_status (*fail)(void *context, hone_status status, const char *format, ...) HONE_PRINTF(3, 4);

    /** Storage that buffers may live in, 0 bytes included; NULL when there is none. `release` takes the same
     * size. */
    void *(*allocate)(void *context, size_t bytes, size_t alignment);
    void (*release)(void *context, void *memory, size_t bytes);

    /** Calls body(argument, index, thread) for each index in [0, count), on hone's threads, each
     *  claimed dynamically; 0 <= thread < threads(). Returns when all are done. Not reentrant. */
    void (*parallel)(void *context, int64_t count, void (*body)(void *argument, int64_t index, int thread),
                     void *argument);
    int (*threads)(void *context);

    /** A device option given by the user ("isa", "matmul"), or NULL. */
    const char *(*option)(void *context, const char *name);
} hone_host;

typedef struct hone_backend_device hone_backend_device;
typedef hone_status (*hone_operation_function)(hone_backend_device *device, const hone_call *call);

typedef struct hone_backend {
    uint32_t abi;
    uint32_t size;

    /** How many devices there are; 0 with HONE_OK when the hardware is absent. */
    hone_status (*count)(const hone_host *host, int *count);
    hone_status (*open)(const hone_host *host, int index, hone_backend_device **device);
    void (*close)(hone_backend_device *device);
    hone_status (*properties)(hone_backend_device *device, hone_device_properties *properties);

    /** `bytes` may be 0. Contents are undefined. */
    hone_status (*buffer_create)(hone_backend_device *device, size_t bytes, uint64_t *buffer);
    void (*buffer_destroy)(hone_backend_device *device, uint64_t buffer);

    /** The host bytes may be reused when it returns. */
    hone_status (*upload)(hone_backend_device *device, uint64_t buffer, uint64_t offset, const void *source,
                          size_t bytes);
    /** Waits for all work before it. */
    hone_status (*download)(hone_backend_device *device, void *destination, uint64_t buffer, uint64_t offset,
                            size_t bytes);
    /** Within the device; the places must not overlap. */
    hone_status (*copy)(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes);
    hone_status (*synchronise)(hone_backend_device *device);

    /** Bytes of workspace that `operation` wants for operands of these extents (buffers need not
     *  exist yet); never more for smaller extents than for larger ones. NULL: always 0. */
    size_t (*workspace)(hone_backend_device *device, hone_operation operation, const hone_call *call);

    /** NULL: the backend lacks the operation. */
    hone_operation_function operation[HONE_OP_COUNT];

    /** A buffer of the host's own memory, which outlives it and is never written: no operation's output, no
     *  destination of a copy. Its address may suit no more than single elements of the tensors in it. NULL: the device
     *  can't use such memory. */
    hone_status (*buffer_import)(hone_backend_device *device, const void *memory, size_t bytes,
                                 uint64_t *buffer);
} hone_backend;

typedef struct hone_backend_manifest {
    uint64_t magic; /**< HONE_BACKEND_MAGIC */
    uint32_t abi;   /**< HONE_BACKEND_ABI */
    uint32_t size;  /**< sizeof(hone_backend_manifest) */
    char name[32];  /**< the NAME of hone-NAME.so, as users type it */
    const hone_backend *backend;
} hone_backend_manifest;

/** The data symbol of a module. A backend that is built in defines the name otherwise. */
#ifndef HONE_BACKEND_MANIFEST_SYMBOL
#define HONE_BACKEND_MANIFEST_SYMBOL hone_backend_manifest_1
#endif
extern HONE_API const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL;

HONE_END

#endif
