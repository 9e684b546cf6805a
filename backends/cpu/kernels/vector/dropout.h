/** DROPOUT: Philox4x32-10 (Salmon et al. 2011) for many counters at once, in loops that compilers make vectors of. */
#ifndef HN_CPU_VECTOR_DROPOUT_H
#define HN_CPU_VECTOR_DROPOUT_H

#include "../kernels.h"
#include "vector.h"

enum { COUNTERS = 32, WORDS = 4 * COUNTERS };

/* Word k of counter (t, group + k / 4, step, stream). */
static void philox_words(const hn_cpu_dropout_step *step, uint32_t t, uint32_t group, uint32_t word[WORDS]) {
    uint32_t a[COUNTERS], b[COUNTERS], c[COUNTERS], d[COUNTERS], key0 = step->key[0], key1 = step->key[1];
    for (uint32_t i = 0; i < COUNTERS; i++) {
        a[i] = t;
        b[i] = group + i;
        c[i] = step->step;
        d[i] = step->stream;
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < COUNTERS; i++) {
            uint64_t p = (uint64_t)a[i] * 0xd2511f53u, q = (uint64_t)c[i] * 0xcd9e8d57u;
            uint32_t high_p = (uint32_t)(p >> 32), high_q = (uint32_t)(q >> 32);
            a[i] = high_q ^ b[i] ^ key0;
            c[i] = high_p ^ d[i] ^ key1;
            b[i] = (uint32_t)q;
            d[i] = (uint32_t)p;
        }
        key0 += 0x9e3779b9u;
        key1 += 0xbb67ae85u;
    }
    for (int i = 0; i < COUNTERS; i++) {
        word[4 * i] = a[i];
        word[4 * i + 1] = b[i];
        word[4 * i + 2] = c[i];
        word[4 * i + 3] = d[i];
    }
}

static void dropout(const hn_cpu_dropout_step *step, uint32_t t, const float *x, float *y, int64_t n,
                    bool accumulate) {
    uint32_t word[WORDS], above = (uint32_t)(step->threshold - 1);
    vec scale = vec_set(step->scale);
    for (int64_t first = 0; first < n; first += WORDS) {
        philox_words(step, t, (uint32_t)(first / 4), word);
        int64_t end = n - first < WORDS ? n : first + WORDS;
        for (int64_t i = first; i < end; i += VEC_LANES) {
            int count = end - i < VEC_LANES ? (int)(end - i) : VEC_LANES;
            vec value = vec_load_part(x + i, count) * scale;
            value = step->threshold == 0 ? value : vec_keep(value, word + (i - first), above);
            if (accumulate) {
                value = value + vec_load_part(y + i, count);
            }
            vec_store_part(y + i, value, count);
        }
    }
}

#endif
