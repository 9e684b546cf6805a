#include "oracle.h"

static int64_t elements(const hone_tensor *tensor) {
    int64_t count = 1;

    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->extent[i];
    return count;
}

void oracle_fill(const oracle_call *call) {
    const int64_t count = elements(&call->operand[HONE_FILL_Y]);

    for (int64_t i = 0; i < count; i++)
        call->value[HONE_FILL_Y][i] = ((const hone_fill_params *)call->params)->value;
}
