/** What avx2 does better. */
#include "../kernels.h"

void hn_cpu_kernels_avx2(hn_cpu_kernels *kernels) { (void)kernels; }
