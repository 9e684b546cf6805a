/** The kernel of backends/cpu/matmul/amx with emulated tiles. */
#ifndef HN_TEST_AMX_KERNEL_H
#define HN_TEST_AMX_KERNEL_H

#include "../../../../backends/cpu/matmul/packed.h"

extern const hn_cpu_packed_kernel hn_emulated_packed;

#endif
