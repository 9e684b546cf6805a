/* The same source as backends/cpu/matmul/amx/packed.c, with other tile operations. */
#include "kernel.h"

#include "emulated.h"

#include "../../../../backends/cpu/matmul/amx/tiled_body.h"

const hn_cpu_packed_kernel hn_emulated_packed = TILED_KERNEL;
