/** The cpu device: buffers behind handles, the kernels chosen when it was opened. */
#ifndef HN_CPU_DEVICE_H
#define HN_CPU_DEVICE_H

#include "kernels/kernels.h"
#include "matmul/matmul.h"

#include <hone/backend.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A handle is (generation << 32 | place in the table + 1): a stale one is recognised, none is an address. */
typedef struct hn_cpu_buffer {
    void *memory; /**< NULL: the place is free */
    size_t bytes;
    bool imported;       /**< the memory is the host's: never written, never released */
    uint32_t generation; /**< of the buffer that is here, or that will be here next */
    uint32_t next_free;  /**< place + 1 of the next free one, 0 at the end */
} hn_cpu_buffer;

struct hone_backend_device {
    const hone_host *host;
    hn_cpu_isa isa;
    hn_cpu_kernels kernels;
    hn_cpu_matmul_state matmul;
    hn_cpu_buffer *buffers;
    uint32_t buffer_count, buffer_capacity, first_free;
};

/** Whether the processor and this build have AMX with BF16 and the system lets this process use it, which this asks
 *  for: leave is given to all threads, for as long as the process lives. */
bool hn_cpu_amx_usable(void);

/** Where element 0 of the tensor is; NULL when the tensor is absent. */
void *hn_cpu_data(const hone_backend_device *device, const hone_tensor *tensor);

/** A matrix of a linear, in the dtype it is stored in. */
hn_cpu_matrix hn_cpu_weights(const hone_backend_device *device, const hone_tensor *tensor);

static inline bool hn_cpu_present(const hone_tensor *tensor) { return tensor->buffer != 0; }

static inline bool hn_cpu_accumulates(const hone_call *call, int operand) {
    return (call->accumulate >> operand & 1u) != 0;
}

/** Elements of one row: the product of all extents but the first. */
static inline int64_t hn_cpu_width(const hone_tensor *tensor) {
    int64_t width = 1;
    for (int i = 1; i < tensor->rank; i++) {
        width *= tensor->extent[i];
    }
    return width;
}

#endif
