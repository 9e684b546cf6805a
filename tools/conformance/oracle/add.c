#include "oracle.h"

void oracle_add(const oracle_call *call) {
    const int64_t count = oracle_extent(call, HONE_ADD_Y, 0) * oracle_extent(call, HONE_ADD_Y, 1);

    for (int64_t i = 0; i < count; i++)
        call->value[HONE_ADD_Y][i] = call->value[HONE_ADD_A][i] + call->value[HONE_ADD_B][i];
}
