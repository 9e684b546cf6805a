/** The operations of the cpu backend, one per file; what each computes stands in hone/backend.h. */
#ifndef HN_CPU_OPERATIONS_H
#define HN_CPU_OPERATIONS_H

#include "../device.h"

hone_status hn_cpu_embedding(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_embedding_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_rms_norm(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_rms_norm_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_linear(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_linear_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_rotary(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_attention(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_attention_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_swiglu(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_swiglu_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_add(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_dropout(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_gather_rows(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_head_logp(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_head_logp_backward(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_adamw(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_sum_squares(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_fill(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_cast(hone_backend_device *device, const hone_call *call);
hone_status hn_cpu_scatter_rows(hone_backend_device *device, const hone_call *call);

/** Bytes of workspace, for the operations that want any. */
size_t hn_cpu_head_logp_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_head_logp_backward_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_attention_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_attention_backward_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_rms_norm_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_rms_norm_backward_workspace(hone_backend_device *device, const hone_call *call);
size_t hn_cpu_sum_squares_workspace(hone_backend_device *device, const hone_call *call);

/* ---- cutting work ----
 * How work is cut depends on shapes only, and every output has one owner, so bits do not depend on threads. */

enum { HN_CPU_MOST_SPANS = 5 };

/** One run of n consecutive elements of each operand; `at` has as many entries as there are operands. */
typedef void (*hn_cpu_span_function)(const void *argument, int64_t n, void *const *at);

/** Calls `body` on runs that together cover every element of the operands, which have equal extents. Runs are
 *  long where all operands are dense, rows otherwise. */
void hn_cpu_each_span(hone_backend_device *device, const hone_tensor *const *operand, int operands,
                      hn_cpu_span_function body, const void *argument);

/** Calls body(argument, first, last) on blocks of rows that cover [0, rows); `width` elements are touched in a row. */
typedef void (*hn_cpu_rows_function)(const void *argument, int64_t first, int64_t last);
void hn_cpu_each_block(hone_backend_device *device, int64_t rows, int64_t width, hn_cpu_rows_function body,
                       const void *argument);

static inline int64_t hn_cpu_min(int64_t a, int64_t b) { return a < b ? a : b; }

static inline int64_t hn_cpu_max(int64_t a, int64_t b) { return a > b ? a : b; }

static inline int64_t hn_cpu_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif
