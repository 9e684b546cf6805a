#include "oracle.h"

/* Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. */
static void philox(uint32_t counter[4], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        const uint64_t a = UINT64_C(0xD2511F53) * counter[0];
        const uint64_t b = UINT64_C(0xCD9E8D57) * counter[2];
        const uint32_t next[4] = {(uint32_t)(b >> 32) ^ counter[1] ^ key0, (uint32_t)b,
                                  (uint32_t)(a >> 32) ^ counter[3] ^ key1, (uint32_t)a};
        for (int i = 0; i < 4; i++)
            counter[i] = next[i];
        key0 += UINT32_C(0x9E3779B9);
        key1 += UINT32_C(0xBB67AE85);
    }
}

static bool keep(const hone_dropout_params *params, int64_t t, int64_t d) {
    uint32_t word[4] = {(uint32_t)t, (uint32_t)(d / 4), params->step, params->stream};

    philox(word, (uint32_t)params->seed, (uint32_t)(params->seed >> 32));
    return word[d % 4] >= params->probability * 4294967296.0;
}

void oracle_dropout(const oracle_call *call) {
    const hone_dropout_params *params = call->params;
    const int64_t T = oracle_extent(call, HONE_DROPOUT_X, 0);
    const int64_t D = oracle_extent(call, HONE_DROPOUT_X, 1);

    for (int64_t t = 0; t < T; t++) {
        for (int64_t d = 0; d < D; d++) {
            const double x = call->value[HONE_DROPOUT_X][t * D + d];
            call->value[HONE_DROPOUT_Y][t * D + d] += keep(params, t, d) ? x / (1 - params->probability) : 0;
        }
    }
}
