/** What avx512 does better. */
#include "../kernels.h"

void hn_cpu_kernels_avx512(hn_cpu_kernels *kernels) { (void)kernels; }
