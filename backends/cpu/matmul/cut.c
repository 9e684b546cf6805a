/**
 * How a product is cut into tiles, from its shape and its provider alone. A small search over tile sizes
 * weighs two costs: each call of a library copies its strips of a and b once more, so small tiles waste
 * work; few or uneven tiles leave threads idle. The second is judged for 2 and for 8 threads at once, so
 * that one cut serves both and the bits do not depend on which it is.
 */
#include "provider.h"

#include <stddef.h>

static const int64_t sizes_m[] = {48, 64, 96, 144, 192};
static const int64_t sizes_n[] = {96, 192, 288, 384, 576, 768};
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* Copying a strip costs as much as multiplying this many rows (measured: 147 of 220 GFLOP/s at 32). */
static const double copy_rows = 12.0;
/* In floating-point operations: a call; waking the threads. */
static const double call_cost = 2e5, wake_cost = 1e6;

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Cuts `extent` into equal tiles of about `size` and at least `least`, multiples of `grain`. */
static int64_t even_tile(int64_t extent, int64_t size, int64_t least, int64_t grain) {
    int64_t parts = ceil_div(extent, size), most = extent / least;
    parts = parts < most ? parts : most;
    if (parts <= 1) {
        return extent;
    }
    return ceil_div(ceil_div(extent, parts), grain) * grain;
}

static double cost(const hn_cpu_product *product, const hn_cpu_cut *cut) {
    double m = (double)cut->tile_m, n = (double)cut->tile_n;
    double tile = 2.0 * m * n * (double)product->k * (1.0 + copy_rows / m + copy_rows / n) + call_cost;
    int64_t count = cut->down * cut->across;
    double wake = count > 1 ? wake_cost : 0.0;
    return 2.0 * (tile * (double)ceil_div(count, 2) + wake) +
           8.0 * (tile * (double)ceil_div(count, 8) + wake);
}

static hn_cpu_cut make_cut(const hn_cpu_product *product, int64_t tile_m, int64_t tile_n) {
    return (hn_cpu_cut){tile_m, tile_n, ceil_div(product->m, tile_m), ceil_div(product->n, tile_n)};
}

/* Rows of b are read once and nothing is copied: pieces of about 16,000 weights, some microseconds each. */
static hn_cpu_cut cut_rows(const hn_cpu_product *product) {
    int64_t weights = product->n * product->k;
    int64_t tile_n = product->n;
    if (weights > 32 * 1024) {
        tile_n = ceil_div(ceil_div(16 * 1024, product->k), 16) * 16;
    }
    return make_cut(product, product->m, tile_n < product->n ? tile_n : product->n);
}

hn_cpu_cut hn_cpu_matmul_cut(const hn_cpu_provider *provider, const hn_cpu_product *product) {
    if (provider == &hn_cpu_provider_rows) {
        return cut_rows(product);
    }
    hn_cpu_cut best = make_cut(product, product->m, product->n);
    if (2.0 * (double)product->m * (double)product->n * (double)product->k < 2.0 * wake_cost) {
        return best;
    }
    double least = cost(product, &best);
    for (int i = 0; i < COUNT(sizes_m); i++) {
        for (int j = 0; j < COUNT(sizes_n); j++) {
            int64_t tile_m = even_tile(product->m, sizes_m[i], provider->least_m, provider->grain_m);
            int64_t tile_n = even_tile(product->n, sizes_n[j], provider->least_n, provider->grain_n);
            hn_cpu_cut cut = make_cut(product, tile_m, tile_n);
            double price = cost(product, &cut);
            if (price < least) {
                least = price;
                best = cut;
            }
        }
    }
    return best;
}
