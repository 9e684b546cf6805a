/**
 * Which provider serves: a constant over (instruction set, kind of product, class of shape), filled from
 * measurement and never timed at run time, because another provider means other bits.
 *
 * GFLOP/s of one core, best provider first, at SmolLM2-135M's shapes (D 576, F 1536, V 49152, T 16 to 576).
 * AVX-512: Zen 5 (peak 239). AVX2: Zen 5 with both libraries held to AVX2 (peak 119), and Zen 1 (peak 38).
 *
 *   AVX-512  few rows (NT, m <= 32)  rows 42..186       onednn 43..178    openblas 7..90
 *            the same, b in memory   rows 17..168       onednn 13..68     openblas 5..70
 *            NT                      onednn 155..226    openblas 104..114 (SkylakeX kernels: 171..222)
 *            NN, TN                  onednn 217..241    openblas 111..119 (SkylakeX kernels: 204..233)
 *   AVX2     few rows                rows 44..111       onednn 34..107    openblas 7..90
 *            the same, b in memory   rows 17..105       onednn 10..67     openblas 5..70
 *            narrow                  onednn 110..120    openblas 90..103      Zen 1: 36 against 11
 *            wide NT                 openblas 102..117  onednn 94..115        Zen 1: 35 against 32
 *            wide NN                 openblas 102..120  onednn 95..116
 *            wide TN                 openblas 101..112  onednn 55..104 (worst where rows lie 16 KiB apart)
 *
 * In a whole step, one thread, share of the peak: AVX-512 onednn 80 to 90 %, packed 75 to 80 %; AVX2 the table 84 to
 * 88 %, packed 84 to 87 %; bf16 (peak 460) packed 67 to 76 %, alone 420. packed serves what libraries can't read, and
 * where oneDNN was left out of the build.
 */
#include "provider.h"

#include <stddef.h>

const hn_cpu_provider *const hn_cpu_providers[] = {
    &hn_cpu_provider_reference, &hn_cpu_provider_openblas,
#ifdef HONE_WITH_ONEDNN
    &hn_cpu_provider_onednn,
#endif
    &hn_cpu_provider_rows,      &hn_cpu_provider_packed,   NULL,
};

#ifdef HONE_WITH_ONEDNN
#define ONEDNN &hn_cpu_provider_onednn
#define ONEDNN_512 &hn_cpu_provider_onednn
#else
#define ONEDNN &hn_cpu_provider_openblas
#define ONEDNN_512 &hn_cpu_provider_packed
#endif
#define OPENBLAS &hn_cpu_provider_openblas
#define REFERENCE &hn_cpu_provider_reference
#define ROWS &hn_cpu_provider_rows
#define PACKED &hn_cpu_provider_packed
#define PACKED_BF16 &hn_cpu_provider_packed_bf16

enum { CLASS_ROWS = 0, CLASS_NARROW, CLASS_WIDE, CLASSES };

/* Few rows of a long k, where b would be transposed for nothing. */
static bool few_rows(const hn_cpu_product *product) {
    return product->kind == HN_CPU_NT && product->m <= 32 && product->k >= 64;
}

static int class_of(const hn_cpu_product *product) {
    if (few_rows(product)) {
        return CLASS_ROWS;
    }
    return product->n < 384 || product->m <= 64 || product->k <= 64 ? CLASS_NARROW : CLASS_WIDE;
}

/* f32 in f32. The levels with bf16 products are the one below them here. */
static const hn_cpu_provider *const table[HN_CPU_ISAS][HN_CPU_PRODUCT_KINDS][CLASSES] = {
    [HN_CPU_SCALAR] =
        {
            [HN_CPU_NT] = {REFERENCE, REFERENCE, REFERENCE},
            [HN_CPU_NN] = {REFERENCE, REFERENCE, REFERENCE},
            [HN_CPU_TN] = {REFERENCE, REFERENCE, REFERENCE},
        },
    [HN_CPU_AVX2] =
        {
            [HN_CPU_NT] = {ROWS, ONEDNN, OPENBLAS},
            [HN_CPU_NN] = {ONEDNN, ONEDNN, OPENBLAS},
            [HN_CPU_TN] = {ONEDNN, ONEDNN, OPENBLAS},
        },
    [HN_CPU_AVX512] =
        {
            [HN_CPU_NT] = {ROWS, ONEDNN_512, ONEDNN_512},
            [HN_CPU_NN] = {ONEDNN_512, ONEDNN_512, ONEDNN_512},
            [HN_CPU_TN] = {ONEDNN_512, ONEDNN_512, ONEDNN_512},
        },
};

/* LoRA's factors: where copying an operand costs as much as multiplying, rounding it saves nothing. */
static bool thin(const hn_cpu_product *product) {
    return product->m <= 32 || product->n <= 32 || product->k <= 32;
}

/* What libraries can't read, or may be rounded: ours. */
static const hn_cpu_provider *choose_ours(hn_cpu_isa isa, bool bf16, const hn_cpu_product *product) {
    if (isa == HN_CPU_SCALAR) {
        return REFERENCE;
    }
    if (few_rows(product)) {
        return ROWS;
    }
    return bf16 ? PACKED_BF16 : PACKED;
}

const hn_cpu_provider *hn_cpu_matmul_choose(hn_cpu_isa isa, bool bf16, const hn_cpu_product *product) {
    if (product->b.dtype != HONE_F32 || (bf16 && !thin(product))) {
        return choose_ours(isa, bf16, product);
    }
    return table[isa > HN_CPU_AVX512 ? HN_CPU_AVX512 : isa][product->kind][class_of(product)];
}
