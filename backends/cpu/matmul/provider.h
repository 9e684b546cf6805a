/** What can compute one tile, and the constant table that says which does. */
#ifndef HN_CPU_MATMUL_PROVIDER_H
#define HN_CPU_MATMUL_PROVIDER_H

#include "matmul.h"

typedef struct hn_cpu_provider {
    const char *name;
    /** Narrower tiles are not cut, and tiles are cut in multiples of these. */
    int64_t least_m, least_n, grain_m, grain_n;
    bool any_dtype; /**< b may be other than f32 */
    bool packed;    /**< packed.h cuts its products, where the instruction set has a kernel */
    bool bf16;      /**< factors are rounded to bf16, where it has such products */
    /** One single-threaded product with m, n, k > 0, bias ignored. False: out of memory. */
    bool (*multiply)(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch);
    /** One line for numerics, appended by the caller; may be NULL. */
    void (*describe)(char *text, size_t size);
    /** Take the library's threads out of play, and undo it; may be NULL. Calls are paired. */
    void (*enter)(void);
    void (*leave)(void);
} hn_cpu_provider;

extern const hn_cpu_provider hn_cpu_provider_reference;
extern const hn_cpu_provider hn_cpu_provider_rows;
extern const hn_cpu_provider hn_cpu_provider_packed;
extern const hn_cpu_provider hn_cpu_provider_packed_bf16;
extern const hn_cpu_provider hn_cpu_provider_openblas;
#ifdef HONE_WITH_ONEDNN
extern const hn_cpu_provider hn_cpu_provider_onednn;
#endif

/** All that this build has, NULL at the end. */
extern const hn_cpu_provider *const hn_cpu_providers[];

/** Raised whenever the table, the cutting or a kernel of our own changes bits. */
#define HN_CPU_MATMUL_TABLE_VERSION 1

/** `bf16`: operands may be rounded to bf16. */
const hn_cpu_provider *hn_cpu_matmul_choose(hn_cpu_isa isa, bool bf16, const hn_cpu_product *product);

/** How a product is cut: `across` tiles of n, `down` tiles of m, each of tile_m x tile_n but the last. */
typedef struct hn_cpu_cut {
    int64_t tile_m, tile_n, down, across;
} hn_cpu_cut;
hn_cpu_cut hn_cpu_matmul_cut(const hn_cpu_provider *provider, const hn_cpu_product *product);

/** The calling thread's OpenMP team becomes one thread; returns what undoes it. No OpenMP: nothing. */
int hn_cpu_openmp_enter(void);
void hn_cpu_openmp_leave(int before);

#endif
