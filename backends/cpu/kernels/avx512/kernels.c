/** The vector kernels, compiled for avx512. */
#include "../../operations/scalar.h"
#include "../vector/table.h"

void hn_cpu_kernels_avx512(hn_cpu_kernels *kernels) { take_vector_kernels(kernels); }
