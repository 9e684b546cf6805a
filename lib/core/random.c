#include "core/random.h"

#include <Random123/philox.h>
#include <math.h>

__extension__ typedef unsigned __int128 wide;

#define TWO_PI 6.28318530717958647692

void hn_random4(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index, uint32_t out[4]) {
    const philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    const philox4x32_ctr_t counter = {{(uint32_t)index, (uint32_t)(index >> 32), step, (uint32_t)purpose}};
    const philox4x32_ctr_t result = philox4x32(counter, key);
    for (int i = 0; i < 4; i++)
        out[i] = result.v[i];
}

static uint64_t join(uint32_t low, uint32_t high) { return (uint64_t)high << 32 | low; }

static double unit(uint64_t bits) { return (double)(bits >> 11) * 0x1p-53; }

uint64_t hn_random_u64(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index) {
    uint32_t word[4];
    hn_random4(seed, purpose, step, index, word);
    return join(word[0], word[1]);
}

double hn_random_uniform(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index) {
    return unit(hn_random_u64(seed, purpose, step, index));
}

double hn_random_normal(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index) {
    uint32_t word[4];
    hn_random4(seed, purpose, step, index, word);
    double u = unit(join(word[0], word[1])) + 0x1p-53; /* in (0, 1]: its logarithm is finite */
    double v = unit(join(word[2], word[3]));
    return sqrt(-2.0 * log(u)) * cos(TWO_PI * v);
}

uint64_t hn_random_below(uint64_t seed, hn_purpose purpose, uint32_t step, uint64_t index, uint64_t bound) {
    return (uint64_t)((wide)hn_random_u64(seed, purpose, step, index) * bound >> 64);
}

void hn_random_shuffle(uint64_t seed, hn_purpose purpose, uint32_t step, int64_t *order, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        order[i] = i;
    for (int64_t i = count - 1; i > 0; i--) {
        int64_t j = (int64_t)hn_random_below(seed, purpose, step, (uint64_t)i, (uint64_t)i + 1);
        int64_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}
