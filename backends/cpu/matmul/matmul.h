/**
 * Matrix products, for the operations of this backend: a and c in f32, b in f32, bf16 or q8.
 *
 * A product is cut into tiles that depend on its shape only, claimed dynamically by hone's threads;
 * each tile is one single-threaded call of one provider. So the bits do not depend on the number of
 * threads. Which provider serves is a constant table (table.c), never a timing made at run time.
 */
#ifndef HN_CPU_MATMUL_H
#define HN_CPU_MATMUL_H

#include "../kernels/kernels.h"
#include "matrix.h"

#include <hone/backend.h>
#include <stdbool.h>
#include <stdint.h>

/** How the operands lie; all are row-major, `ld` elements from one row to the next. */
typedef enum hn_cpu_product_kind {
    HN_CPU_NT = 0, /**< a[m,k], b[n,k]: c = a b^T (a linear's forward) */
    HN_CPU_NN,     /**< a[m,k], b[k,n]: c = a b   (dx) */
    HN_CPU_TN      /**< a[k,m], b[k,n]: c = a^T b (dw) */
} hn_cpu_product_kind;
#define HN_CPU_PRODUCT_KINDS 3

/** c[m,n] = alpha * op(a) op(b) + bias[n] (+ c[m,n] when `accumulate`). When not, c is not read. Any
 *  extent may be 0. */
typedef struct hn_cpu_product {
    hn_cpu_product_kind kind;
    bool accumulate;
    float alpha;
    int64_t m, n, k;
    const float *a;
    int64_t lda;
    hn_cpu_matrix b;
    float *c;
    int64_t ldc;
    const float *bias;   /**< NULL: none */
    int64_t bias_stride; /**< elements between bias[j] and bias[j + 1] */
} hn_cpu_product;

/** A device's choices. Filled by open; `host` is borrowed. */
typedef struct hn_cpu_matmul_state {
    const hone_host *host;
    hn_cpu_isa isa;
    const struct hn_cpu_provider *forced; /**< by the option "matmul"; NULL: the table decides */
    bool bf16;                            /**< operands are rounded to bf16 before they are multiplied */
    char *scratch;                        /**< HN_CPU_PACKED_SCRATCH bytes for each thread, aligned */
    float *shared;                        /**< HN_CPU_PACKED_SHARED bytes, behind it */
    int threads;
} hn_cpu_matmul_state;

/** Reads the options "matmul" (reference, openblas, onednn, rows, packed) and "products" (f32, bf16) and takes the libraries' own threads out of play
 *  until the matching close. Fails on a name that this build or machine lacks. */
hone_status hn_cpu_matmul_open(hn_cpu_matmul_state *state, const hone_host *host, hn_cpu_isa isa);
/** Gives the libraries the caller's settings back. Only after an open that succeeded. */
void hn_cpu_matmul_close(hn_cpu_matmul_state *state);

/** Runs the product on hone's threads; not from within host->parallel. */
hone_status hn_cpu_matmul(const hn_cpu_matmul_state *state, const hn_cpu_product *product);

/** Runs the product as one tile on the calling thread, number `thread` of host->parallel. False: the library
 *  failed (memory); report it with hn_cpu_matmul_failed once the parallel call is over. */
bool hn_cpu_matmul_tile(const hn_cpu_matmul_state *state, const hn_cpu_product *product, int thread);
hone_status hn_cpu_matmul_failed(const hn_cpu_matmul_state *state);

/** What serves which products, a line for each class of shape and dtype. */
void hn_cpu_matmul_choices(const hn_cpu_matmul_state *state, char *text, size_t size);

/** Everything that the bits of a product depend on, besides the instruction set: one line. */
void hn_cpu_matmul_numerics(const hn_cpu_matmul_state *state, char *text, size_t size);

#endif
