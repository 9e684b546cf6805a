/** packed.h: how a product is cut, on one thread and on all of them. */
#include "packed.h"

#include "provider.h"

#include <string.h>

/* Rows of a in an item of work, about; items there should be at least, where rows allow it. */
enum { ITEM_ROWS = 140, ITEMS = 8 };

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t parts(int64_t extent, int64_t most) { return (extent + most - 1) / most; }
static int64_t up_to(int64_t extent, int64_t grain) { return parts(extent, grain) * grain; }

const hn_cpu_packed_kernel *hn_cpu_packed_kernel_of(hn_cpu_isa isa, bool bf16) {
#if defined(__x86_64__)
#ifdef HONE_HAVE_AMX
    if (bf16 && isa >= HN_CPU_AMX) {
        return &hn_cpu_packed_amx;
    }
#endif
    if (bf16 && isa >= HN_CPU_AVX512BF16) {
        return &hn_cpu_packed_avx512bf16;
    }
    return isa >= HN_CPU_AVX512 ? &hn_cpu_packed_avx512 : isa >= HN_CPU_AVX2 ? &hn_cpu_packed_avx2 : NULL;
#else
    (void)isa;
    (void)bf16;
    return NULL;
#endif
}

/* Units of a block: equal blocks, multiples of 16. The sums of an element depend on nothing else. */
static int64_t block_units(const hn_cpu_packed_kernel *kernel, const hn_cpu_product *p) {
    const int64_t units = parts(p->k, kernel->per_unit);
    return up_to(parts(units, parts(units, HN_CPU_PACKED_UNITS)), 16);
}

/* ---- one thread ---- */

static void tile_columns(const hn_cpu_packed_kernel *kernel, const hn_cpu_product *p, int64_t column,
                         int64_t columns, float *scratch) {
    float *copy = scratch + (int64_t)HN_CPU_PACKED_UNITS * HN_CPU_PACKED_COLUMNS;
    const int64_t units = parts(p->k, kernel->per_unit), size = block_units(kernel, p);
    const int64_t height = HN_CPU_PACKED_ROWS / kernel->mr * kernel->mr;
    for (int64_t from = 0; from < units; from += size) {
        const int64_t count = smaller(size, units - from);
        kernel->copy(p, column, columns, from, count, up_to(count, kernel->grain), scratch);
        for (int64_t row = 0; row < p->m; row += height) {
            kernel->multiply(p, row, smaller(p->m, row + height), column, columns, from, count,
                             from > 0 || p->accumulate, scratch, copy);
        }
    }
}

void hn_cpu_packed_tile(const hn_cpu_packed_kernel *kernel, const hn_cpu_product *p, float *scratch) {
    for (int64_t column = 0; column < p->n; column += HN_CPU_PACKED_COLUMNS) {
        tile_columns(kernel, p, column, smaller(HN_CPU_PACKED_COLUMNS, p->n - column), scratch);
    }
}

/* ---- all threads: a chunk of b is copied, then multiplied ---- */

typedef struct chunk {
    const hn_cpu_packed_kernel *kernel;
    const hn_cpu_matmul_state *state;
    const hn_cpu_product *product;
    int64_t size;                  /* units of a block */
    int64_t column, columns;       /* of b and c */
    int64_t from, units;           /* of the reduction */
    int64_t height, width, across; /* rows and columns of an item, and how many items stand side by side */
    bool last;                     /* of the reduction */
} chunk;

/* The panels of a block, `padded` columns wide, lie one after the other; blocks too. */
static float *panel_at(const chunk *c, int64_t block, int64_t panel) {
    const int64_t padded = up_to(c->columns, c->kernel->nr), first = block * c->size;
    const int64_t count = up_to(smaller(c->size, c->units - first), c->kernel->grain);
    return c->state->shared + first * padded + panel * c->kernel->nr * count;
}

static void copy_item(void *argument, int64_t index, int thread) {
    const chunk *c = argument;
    const int64_t panels = parts(c->columns, c->kernel->nr), block = index / panels, panel = index % panels;
    const int64_t first = block * c->size, column = panel * c->kernel->nr;
    const int64_t count = smaller(c->size, c->units - first);
    (void)thread;
    c->kernel->copy(c->product, c->column + column, smaller(c->kernel->nr, c->columns - column),
                    c->from + first, count, up_to(count, c->kernel->grain), panel_at(c, block, panel));
}

static void add_bias(const hn_cpu_product *p, int64_t row, int64_t last, int64_t column, int64_t columns) {
    for (; row < last; row++) {
        float *c = p->c + row * p->ldc;
        for (int64_t j = column; j < column + columns; j++) {
            c[j] += p->bias[j * p->bias_stride];
        }
    }
}

static void multiply_item(void *argument, int64_t index, int thread) {
    const chunk *c = argument;
    const hn_cpu_product *p = c->product;
    float *copy = (float *)(void *)(c->state->scratch + (size_t)thread * HN_CPU_PACKED_SCRATCH) +
                  (int64_t)HN_CPU_PACKED_UNITS * HN_CPU_PACKED_COLUMNS;
    const int64_t row = index / c->across * c->height, last = smaller(p->m, row + c->height);
    const int64_t column = index % c->across * c->width, columns = smaller(c->width, c->columns - column);
    for (int64_t first = 0, block = 0; first < c->units; first += c->size, block++) {
        c->kernel->multiply(p, row, last, c->column + column, columns, c->from + first,
                            smaller(c->size, c->units - first), c->from + first > 0 || p->accumulate,
                            panel_at(c, block, column / c->kernel->nr), copy);
    }
    if (c->last && p->bias != NULL) {
        add_bias(p, row, last, c->column + column, columns);
    }
}

/* Items of equal height, and side by side where rows alone are too few. */
static void cut_items(chunk *c) {
    const int64_t mr = c->kernel->mr, nr = c->kernel->nr, m = c->product->m;
    const int64_t most = smaller(ITEM_ROWS, HN_CPU_PACKED_ROWS) / mr * mr;
    c->height = smaller(most, up_to(parts(m, ITEMS), mr));
    c->height = c->height < 3 * mr ? smaller(most, 3 * mr) : c->height;
    const int64_t down = parts(m, c->height), wanted = parts(ITEMS, down), panels = parts(c->columns, nr);
    c->width = parts(panels, smaller(wanted, panels)) * nr;
    c->across = parts(c->columns, c->width);
}

static void run_chunk(chunk *c) {
    const hone_host *host = c->state->host;
    const int64_t blocks = parts(c->units, c->size), panels = parts(c->columns, c->kernel->nr);
    cut_items(c);
    host->parallel(host->context, blocks * panels, copy_item, c);
    host->parallel(host->context, parts(c->product->m, c->height) * c->across, multiply_item, c);
}

void hn_cpu_packed_run(const hn_cpu_matmul_state *state, const hn_cpu_packed_kernel *kernel,
                       const hn_cpu_product *p) {
    const int64_t floats = (int64_t)(HN_CPU_PACKED_SHARED / sizeof(float)), nr = kernel->nr;
    const int64_t units = parts(p->k, kernel->per_unit);
    chunk c = {.kernel = kernel, .state = state, .product = p, .size = block_units(kernel, p)};
    /* As much of the reduction as leaves room for 8 panels, then as many columns as fit. */
    const int64_t depth = smaller(units, floats / (8 * nr) / c.size * c.size);
    const int64_t most = floats / up_to(depth, 16) / nr * nr, chunks = parts(p->n, most);
    const int64_t width = smaller(p->n, up_to(parts(p->n, chunks), nr));
    for (c.column = 0; c.column < p->n; c.column += width) {
        c.columns = smaller(width, p->n - c.column);
        for (c.from = 0; c.from < units; c.from += depth) {
            c.units = smaller(depth, units - c.from);
            c.last = c.from + c.units == units;
            run_chunk(&c);
        }
    }
}

/* ---- the providers ---- */

static bool tile_as(hn_cpu_isa isa, bool bf16, const hn_cpu_product *product, void *scratch) {
    const hn_cpu_packed_kernel *kernel = hn_cpu_packed_kernel_of(isa, bf16);
    if (kernel == NULL) {
        return hn_cpu_provider_reference.multiply(isa, product, scratch);
    }
    hn_cpu_packed_tile(kernel, product, scratch);
    return true;
}

static bool multiply(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
    return tile_as(isa, false, product, scratch);
}

static bool multiply_bf16(hn_cpu_isa isa, const hn_cpu_product *product, void *scratch) {
    return tile_as(isa, true, product, scratch);
}

const hn_cpu_provider hn_cpu_provider_packed = {
    .name = "packed",
    .least_m = 24,
    .least_n = 32,
    .grain_m = 8,
    .grain_n = 32,
    .any_dtype = true,
    .packed = true,
    .multiply = multiply,
};

/* Rounds both sides to bf16: chosen where the device was asked for it. */
const hn_cpu_provider hn_cpu_provider_packed_bf16 = {
    .name = "packed-bf16",
    .least_m = 24,
    .least_n = 32,
    .grain_m = 8,
    .grain_n = 32,
    .any_dtype = true,
    .packed = true,
    .bf16 = true,
    .multiply = multiply_bf16,
};
