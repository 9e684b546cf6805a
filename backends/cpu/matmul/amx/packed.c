/** packed.h in AMX with BF16: both sides rounded to bf16, products summed in f32 in tiles. */
#include "../packed.h"

#include "tiles.h"

#include <stddef.h>

#include "tiled_body.h"

const hn_cpu_packed_kernel hn_cpu_packed_amx = TILED_KERNEL;
