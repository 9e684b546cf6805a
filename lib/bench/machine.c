#include <bench/peak.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <core/threads.h>
#include <hone/bench.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/** A rate is the best of these: what disturbs only makes slower. */
enum { ATTEMPTS = 7, SHARES = 8 };
/** Bytes that are read, far more than caches hold; in pieces that threads claim. */
#define ARRAY ((size_t)256 << 20)
#define PIECE ((size_t)1 << 20)

typedef struct burst {
    const hn_peak_kernel *kernel;
    int64_t rounds;
    _Atomic int64_t spent; /**< nanoseconds of processor time, all threads together */
} burst;

/** Results go here, so that none can be left out. */
static _Atomic float sink;
static _Atomic uint64_t word_sink;

/** Nanoseconds that this thread had a processor. */
static int64_t thread_time(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void run_share(void *argument, int64_t index, int thread) {
    burst *b = argument;
    const int64_t began = thread_time();
    (void)index;
    (void)thread;
    atomic_store(&sink, b->kernel->run(b->rounds));
    atomic_fetch_add(&b->spent, thread_time() - began);
}

/** Multiply-adds a second of all threads, by the time that they had processors: what the processors can do, however
 *  busy others keep them. All run at once, so that what threads share (a core's units) shows. */
static double measure_peak(hn_pool *pool, const hn_peak_kernel *kernel) {
    const int threads = hn_pool_threads(pool);
    burst b = {.kernel = kernel, .rounds = 1000};
    double best = 0.0;

    /* A share of at least half a millisecond. */
    do {
        b.rounds *= 2;
        b.spent = 0;
        run_share(&b, 0, 0);
    } while (b.spent < 500000);
    for (int i = 0; i < ATTEMPTS; i++) {
        b.spent = 0;
        hn_pool_run(pool, (int64_t)SHARES * threads, run_share, &b);
        const double shares = (double)SHARES * threads, seconds = 1e-9 * (double)b.spent / threads;
        const double rate = shares * (double)b.rounds * kernel->flops / seconds;
        best = rate > best ? rate : best;
    }
    return best;
}

/** Four words at a time, eight in flight. */
typedef uint64_t words __attribute__((vector_size(32)));

static void read_piece(void *argument, int64_t index, int thread) {
    const words *data = (const words *)((const char *)argument + (size_t)index * PIECE);
    words sum[8] = {{0}};

    (void)thread;
    for (size_t i = 0; i < PIECE / sizeof *data; i += 8)
        for (size_t j = 0; j < 8; j++)
            sum[j] += data[i + j];
    for (size_t j = 1; j < 8; j++)
        sum[0] += sum[j];
    atomic_store(&word_sink, sum[0][0] + sum[0][1] + sum[0][2] + sum[0][3]);
}

static hone_status measure_reading(hn_pool *pool, double *rate) {
    char *memory = NULL;

    *rate = 0.0;
    HN_TRY(hn_alloc(&memory, ARRAY + 64, 1, "array to read"));
    char *data = memory + (64 - (uintptr_t)memory % 64) % 64;
    memset(data, 1, ARRAY); /* pages that were never written are all one page */
    for (int i = 0; i < ATTEMPTS; i++) {
        const double began = hn_seconds();
        hn_pool_run(pool, (int64_t)(ARRAY / PIECE), read_piece, data);
        const double found = (double)ARRAY / (hn_seconds() - began);
        *rate = found > *rate ? found : *rate;
    }
    hn_free(memory);
    return HONE_OK;
}

/** Index of the first kernel of this name; an unknown name is an error that lists the known ones. */
static hone_status find_isa(const char *isa, int *first) {
    const hn_peak_kernel *kernel = NULL;

    *first = 0;
    for (int i = 0; isa != NULL && (kernel = hn_peak_kernel_at(i)) != NULL; i++)
        if (strcmp(kernel->isa, isa) == 0) {
            *first = i;
            return HONE_OK;
        }
    return isa == NULL
               ? HONE_OK
               : hn_fail(
                     HONE_ERROR_ARGUMENT,
                     "instruction set \"%s\": its peak can't be measured; amx, avx512, avx2 and scalar can",
                     isa);
}

hone_status hone_machine_measure(const char *isa, int threads, hone_machine *machine) {
    hn_pool *pool = NULL;
    const hn_peak_kernel *kernel = NULL;
    int first = 0;
    hone_status status = HONE_OK;

    memset(machine, 0, sizeof *machine);
    HN_GO(find_isa(isa, &first));
    HN_GO(hn_pool_create(threads, &pool));
    machine->threads = hn_pool_threads(pool);
    /* Best first: the first that is there counts, for either kind of number. */
    for (int i = first; machine->f32_flops <= 0.0 && (kernel = hn_peak_kernel_at(i)) != NULL; i++) {
        double *rate = kernel->bf16 ? &machine->bf16_flops : &machine->f32_flops;
        if (*rate > 0.0 || !kernel->available())
            continue;
        machine->isa = machine->isa != NULL ? machine->isa : kernel->isa;
        *rate = measure_peak(pool, kernel);
    }
    HN_GO(measure_reading(pool, &machine->read_bytes));
done:
    hn_pool_destroy(pool);
    return status;
}
