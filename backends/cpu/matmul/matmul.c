/** A product as tiles: who computes them, and on which thread. */
#include "matmul.h"

#include "packed.h"
#include "provider.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void *scratch_of(const hn_cpu_matmul_state *state, int thread) {
    return state->scratch + (size_t)thread * HN_CPU_PACKED_SCRATCH;
}

/* beta * c + bias, where there is nothing to multiply. */
static void scale_only(const hn_cpu_product *product) {
    if (product->accumulate) {
        return;
    }
    for (int64_t row = 0; row < product->m; row++) {
        memset(product->c + row * product->ldc, 0, (size_t)product->n * sizeof(float));
    }
}

static void add_bias(const hn_cpu_product *product) {
    for (int64_t row = 0; row < product->m; row++) {
        float *c = product->c + row * product->ldc;
        for (int64_t j = 0; j < product->n; j++) {
            c[j] += product->bias[j * product->bias_stride];
        }
    }
}

static bool run_tile(const hn_cpu_provider *provider, const hn_cpu_matmul_state *state,
                     const hn_cpu_product *product, int thread) {
    if (product->m == 0 || product->n == 0) {
        return true;
    }
    if (product->k == 0) {
        scale_only(product);
    } else if (!provider->multiply(state->isa, product, scratch_of(state, thread))) {
        return false;
    }
    if (product->bias != NULL) {
        add_bias(product);
    }
    return true;
}

/* A library that was asked for gets what it can read. */
static const hn_cpu_provider *choose(const hn_cpu_matmul_state *state, const hn_cpu_product *product) {
    const hn_cpu_provider *forced = state->forced;
    if (forced != NULL && (forced->any_dtype || product->b.dtype == HONE_F32)) {
        return forced;
    }
    return hn_cpu_matmul_choose(state->isa, state->bf16, product);
}

bool hn_cpu_matmul_tile(const hn_cpu_matmul_state *state, const hn_cpu_product *product, int thread) {
    return run_tile(choose(state, product), state, product, thread);
}

typedef struct job {
    const hn_cpu_product *product;
    const hn_cpu_provider *provider;
    const hn_cpu_matmul_state *state;
    hn_cpu_cut cut;
    atomic_bool failed;
} job;

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Neighbours in index share a strip of b. */
static void run_index(void *argument, int64_t index, int thread) {
    job *work = argument;
    hn_cpu_product tile = *work->product;
    int64_t row = index % work->cut.down * work->cut.tile_m;
    int64_t column = index / work->cut.down * work->cut.tile_n;
    tile.m = smaller(work->cut.tile_m, tile.m - row);
    tile.n = smaller(work->cut.tile_n, tile.n - column);
    tile.a += tile.kind == HN_CPU_TN ? row : row * tile.lda;
    if (tile.kind == HN_CPU_NT) {
        tile.b = hn_cpu_matrix_below(tile.b, column);
    } else {
        tile.b.first += column;
    }
    tile.c += row * tile.ldc + column;
    tile.bias = tile.bias == NULL ? NULL : tile.bias + column * tile.bias_stride;
    if (!run_tile(work->provider, work->state, &tile, thread)) {
        atomic_store(&work->failed, true);
    }
}

hone_status hn_cpu_matmul_failed(const hn_cpu_matmul_state *state) {
    return state->host->fail(
        state->host->context, HONE_ERROR_MEMORY,
        "a matrix library had no memory for its scratch; free some, or set matmul=reference");
}

/* Products that are worth waking threads for; false: it is none, or there is no kernel for it. */
static bool run_packed(const hn_cpu_matmul_state *state, const hn_cpu_provider *provider,
                       const hn_cpu_product *product) {
    static const double worth = 4e6; /* floating-point operations */
    const hn_cpu_packed_kernel *kernel = hn_cpu_packed_kernel_of(state->isa, provider->bf16);
    if (kernel == NULL || 2.0 * (double)product->m * (double)product->n * (double)product->k < worth) {
        return false;
    }
    hn_cpu_packed_run(state, kernel, product);
    return true;
}

hone_status hn_cpu_matmul(const hn_cpu_matmul_state *state, const hn_cpu_product *product) {
    if (product->m == 0 || product->n == 0) {
        return HONE_OK;
    }
    if (choose(state, product)->packed && run_packed(state, choose(state, product), product)) {
        return HONE_OK;
    }
    job work = {.product = product, .provider = choose(state, product), .state = state};
    atomic_init(&work.failed, false);
    work.cut = hn_cpu_matmul_cut(work.provider, product);
    int64_t tiles = work.cut.down * work.cut.across;
    if (tiles == 1) {
        run_index(&work, 0, 0);
    } else {
        state->host->parallel(state->host->context, tiles, run_index, &work);
    }
    return atomic_load(&work.failed) ? hn_cpu_matmul_failed(state) : HONE_OK;
}

static const hn_cpu_provider *find(const char *name) {
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        if (strcmp(hn_cpu_providers[i]->name, name) == 0) {
            return hn_cpu_providers[i];
        }
    }
    return NULL;
}

static hone_status no_such_provider(const hone_host *host, const char *name) {
    char names[128] = "";
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        size_t length = strlen(names);
        (void)snprintf(names + length, sizeof names - length, "%s%s", i == 0 ? "" : ", ",
                       hn_cpu_providers[i]->name);
    }
    return host->fail(host->context, HONE_ERROR_ARGUMENT, "option matmul=%s: this build has %s", name, names);
}

/* Whether the option asks for bf16. A processor without such products multiplies in f32: bf16 is storage then. */
static hone_status read_products(hn_cpu_matmul_state *state) {
    const char *name = state->host->option(state->host->context, "products");
    if (name == NULL || strcmp(name, "f32") == 0) {
        return HONE_OK;
    }
    if (strcmp(name, "bf16") != 0) {
        return state->host->fail(state->host->context, HONE_ERROR_ARGUMENT,
                                 "products in \"%s\" (--dtype): they are in f32 or bf16", name);
    }
    state->bf16 = state->isa >= HN_CPU_AVX512BF16;
    return HONE_OK;
}

static hone_status read_provider(hn_cpu_matmul_state *state) {
    const char *name = state->host->option(state->host->context, "matmul");
    if (name == NULL || strcmp(name, "auto") == 0) {
        return HONE_OK;
    }
    state->forced = find(name);
    return state->forced != NULL ? HONE_OK : no_such_provider(state->host, name);
}

static size_t scratch_bytes(const hn_cpu_matmul_state *state) {
    return (size_t)state->threads * HN_CPU_PACKED_SCRATCH + HN_CPU_PACKED_SHARED;
}

hone_status hn_cpu_matmul_open(hn_cpu_matmul_state *state, const hone_host *host, hn_cpu_isa isa) {
    *state = (hn_cpu_matmul_state){.host = host, .isa = isa, .threads = host->threads(host->context)};
    hone_status status = read_provider(state);
    if (status == HONE_OK) {
        status = read_products(state);
    }
    if (status != HONE_OK) {
        return status;
    }
    const size_t bytes = scratch_bytes(state);
    state->scratch = host->allocate(host->context, bytes, HONE_BUFFER_ALIGNMENT);
    if (state->scratch == NULL) {
        return host->fail(host->context, HONE_ERROR_MEMORY, "cpu: no memory for %zu bytes of scratch", bytes);
    }
    state->shared = (float *)(void *)(state->scratch + (size_t)state->threads * HN_CPU_PACKED_SCRATCH);
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        if (hn_cpu_providers[i]->enter != NULL) {
            hn_cpu_providers[i]->enter();
        }
    }
    return HONE_OK;
}

void hn_cpu_matmul_close(hn_cpu_matmul_state *state) {
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        if (hn_cpu_providers[i]->leave != NULL) {
            hn_cpu_providers[i]->leave();
        }
    }
    state->host->release(state->host->context, state->scratch, scratch_bytes(state));
    state->scratch = NULL;
    state->forced = NULL;
}

void hn_cpu_matmul_numerics(const hn_cpu_matmul_state *state, char *text, size_t size) {
    (void)snprintf(text, size, "products %s; matmul %s %d", state->bf16 ? "bf16" : "f32",
                   state->forced != NULL ? state->forced->name : "table", HN_CPU_MATMUL_TABLE_VERSION);
    for (int i = 0; hn_cpu_providers[i] != NULL; i++) {
        if (hn_cpu_providers[i]->describe != NULL) {
            char part[160];
            size_t length = strlen(text);
            hn_cpu_providers[i]->describe(part, sizeof part);
            (void)snprintf(text + length, size - length, "; %s", part);
        }
    }
}

/* One line: what each dtype of b goes to, for a product of this shape. */
static void describe_class(const hn_cpu_matmul_state *state, const char *name, hn_cpu_product product,
                           char *text, size_t size) {
    static const hone_dtype dtypes[] = {HONE_F32, HONE_BF16, HONE_Q8};
    size_t length = strlen(text);
    (void)snprintf(text + length, size - length, "%s%s", length > 0 ? "\n" : "", name);
    for (int i = 0; i < 3; i++) {
        product.b.dtype = dtypes[i];
        length = strlen(text);
        (void)snprintf(text + length, size - length, "%s %s %s", i == 0 ? ":" : ",",
                       i == 0   ? "f32"
                       : i == 1 ? "bf16"
                                : "q8",
                       choose(state, &product)->name);
    }
}

void hn_cpu_matmul_choices(const hn_cpu_matmul_state *state, char *text, size_t size) {
    const hn_cpu_product wide = {.kind = HN_CPU_NT, .m = 512, .n = 1024, .k = 1024};
    hn_cpu_product few = wide, narrow = wide, thin = wide, back = wide, gradient = wide;
    few.m = 1;
    narrow.n = 256;
    thin.n = 16;
    back.kind = HN_CPU_NN;
    gradient.kind = HN_CPU_TN;
    text[0] = '\0';
    describe_class(state, "up to 32 rows, forward", few, text, size);
    describe_class(state, "forward", wide, text, size);
    describe_class(state, "forward, under 384 columns", narrow, text, size);
    describe_class(state, "forward, LoRA's factors", thin, text, size);
    describe_class(state, "gradient of activations", back, text, size);
    describe_class(state, "gradient of weights", gradient, text, size);
}
