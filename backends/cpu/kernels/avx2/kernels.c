/** The vector kernels, compiled for avx2. */
#include "../../operations/scalar.h"
#include "../vector/table.h"

void hn_cpu_kernels_avx2(hn_cpu_kernels *kernels) { take_vector_kernels(kernels); }
