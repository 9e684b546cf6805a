/**
 * The tile operations of backends/cpu/matmul/amx/tiles.h in plain C, as Intel's manual (instruction set reference:
 * LDTILECFG, TILELOADD, TILESTORED, TILEZERO, TDPBF16PS) describes them. What the processor would refuse, or what would
 * read a tile that nothing was put into, is counted as a fault and left undone.
 */
#ifndef HN_TEST_AMX_EMULATED_H
#define HN_TEST_AMX_EMULATED_H

#include <stddef.h>
#include <stdint.h>

typedef struct emulated {
    int configured, faults, dots; /**< faults and dots are counted from the beginning */
} emulated;
extern emulated hn_emulated;

void hn_emulated_configure(const void *layout);
void hn_emulated_release(void);
void hn_emulated_zero(int tile);
void hn_emulated_load(int tile, const void *from, size_t stride);
void hn_emulated_store(int tile, void *to, size_t stride);
void hn_emulated_dot(int sum, int a, int b);

#define tile_configure(layout) hn_emulated_configure(layout)
#define tile_release() hn_emulated_release()
#define tile_zero(t) hn_emulated_zero(t)
#define tile_load(t, from, stride) hn_emulated_load(t, from, stride)
#define tile_store(t, to, stride) hn_emulated_store(t, to, stride)
#define tile_dot(sum, a, b) hn_emulated_dot(sum, a, b)

#endif
