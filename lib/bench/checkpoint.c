#include <bench/times.h>
#include <bench/trainer.h>
#include <checkpoint/checkpoint.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <model/parameters.h>
#include <stdio.h>
#include <string.h>
#include <tensor/tensor.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

/** The numbers of one kind, all parameters one after the other. */
typedef struct numbers {
    hone_dtype dtype;
    unsigned char *data;
    size_t bytes;
} numbers;

/** Seconds of processor time of all threads. */
static double processor_time(void) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static hone_status save(const numbers *n, const char *path) {
    hn_checkpoint_writer *writer = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_checkpoint_writer_create(path, &writer));
    HN_GO(hn_checkpoint_add(writer, "numbers", n->dtype, n->data, n->bytes));
    HN_GO(hn_checkpoint_commit(writer));
done:
    hn_checkpoint_writer_destroy(writer);
    return status;
}

static hone_status load(const numbers *n, const char *path, void *room, double *stored) {
    hn_checkpoint *file = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_checkpoint_open(path, &file));
    HN_GO(hn_checkpoint_read(file, "numbers", room, n->bytes));
    *stored = (double)hn_checkpoint_find(file, "numbers")->stored_bytes;
done:
    hn_checkpoint_destroy(file);
    return status;
}

/** zstd alone, at the level of checkpoints, in blocks as large. */
static hone_status compress_plain(const numbers *n, double *stored) {
    enum { BLOCK = 4 << 20, LEVEL = 1 };
    const size_t room = ZSTD_compressBound(BLOCK);
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    unsigned char *frame = NULL;
    hone_status status = hn_alloc(&frame, room, 1, "zstd frame");

    *stored = 0.0;
    for (size_t i = 0; status == HONE_OK && i < n->bytes; i += BLOCK) {
        const size_t block = n->bytes - i < BLOCK ? n->bytes - i : BLOCK;
        const size_t size = ZSTD_compressCCtx(zstd, frame, room, n->data + i, block, LEVEL);
        if (zstd == NULL || ZSTD_isError(size))
            status =
                hn_fail(HONE_ERROR_MEMORY, "zstd: %s", zstd == NULL ? "no memory" : ZSTD_getErrorName(size));
        *stored += (double)size;
    }
    ZSTD_freeCCtx(zstd);
    hn_free(frame);
    return status;
}

typedef struct timing {
    double *save, *load, *plain; /**< [runs] */
    double core;                 /**< processor seconds of all timed saves */
} timing;

static hone_status run_once(const numbers *n, const char *path, void *room, hone_bench_kind *kind, timing *t,
                            int64_t i) {
    const double core = processor_time(), a = hn_seconds();
    HN_TRY(save(n, path));
    const double b = hn_seconds();
    t->core += i < 0 ? 0.0 : processor_time() - core;
    HN_TRY(load(n, path, room, &kind->stored_bytes));
    const double c = hn_seconds();
    if (memcmp(room, n->data, n->bytes) != 0)
        return hn_fail(HONE_ERROR_NUMERIC, "%s: what was read is not what was written", path);
    const double d = hn_seconds();
    HN_TRY(compress_plain(n, &kind->plain_bytes));
    const double e = hn_seconds();
    if (i < 0)
        return HONE_OK;
    t->save[i] = b - a;
    t->load[i] = c - b;
    t->plain[i] = e - d;
    return HONE_OK;
}

static hone_status run(const numbers *n, const char *path, int64_t warmup, int64_t runs,
                       hone_bench_kind *kind) {
    timing t = {0};
    double *seconds = NULL;
    void *room = NULL;
    hone_status status = HONE_OK;

    kind->raw_bytes = (double)n->bytes;
    HN_GO(hn_alloc(&seconds, (size_t)(3 * runs), sizeof *seconds, "times"));
    HN_GO(hn_alloc(&room, n->bytes, 1, "numbers that are read back"));
    t.save = seconds;
    t.load = seconds + runs;
    t.plain = seconds + 2 * runs;
    for (int64_t i = -warmup; i < runs; i++)
        HN_GO(run_once(n, path, room, kind, &t, i));
    kind->save = hn_times_of(t.save, runs);
    kind->load = hn_times_of(t.load, runs);
    kind->plain = hn_times_of(t.plain, runs);
    kind->save_core = (double)runs * kind->raw_bytes / t.core;
done:
    (void)unlink(path);
    hn_free(room);
    hn_free(seconds);
    return status;
}

/** Reads all parameters' values, or their moments, as `dtype`. */
static hone_status gather(hn_trainer *trainer, int kind, hone_dtype dtype, numbers *n) {
    hn_parameters *parameters = hn_trainer_parameters(trainer);
    size_t elements = (size_t)hn_parameters_elements(parameters), at = 0;

    memset(n, 0, sizeof *n);
    n->dtype = dtype;
    n->bytes = elements * hone_dtype_size(dtype);
    HN_TRY(hn_alloc(&n->data, n->bytes, 1, "numbers of a checkpoint"));
    for (size_t i = 0; i < parameters->count; i++) {
        const hone_tensor tensor = hn_trainer_state(trainer, i, kind);
        HN_TRY(hn_parameter_read(parameters, &tensor, dtype, n->data + at));
        at += (size_t)hn_tensor_elements(&tensor) * hone_dtype_size(dtype);
    }
    return HONE_OK;
}

static hone_status train(hone_model *model, int64_t steps, hn_trainer **trainer) {
    hone_bench_step_options options = hone_bench_step_defaults();
    double seconds = 0.0;

    options.full = true;
    options.prompt_tokens = 32;
    options.completion_tokens = 8;
    HN_TRY(hn_trainer_create(model, &options, false, trainer));
    for (int64_t i = 0; i < steps; i++)
        HN_TRY(hn_trainer_step(*trainer, &seconds));
    return HONE_OK;
}

hone_status hone_bench_checkpoint(hone_model *model, const char *folder, int64_t steps, int64_t warmup,
                                  int64_t runs, hone_bench_checkpoint_result *result) {
    static const struct {
        const char *name;
        int state;
        hone_dtype dtype;
    } kinds[HONE_BENCH_KINDS] = {{"weights f32", HN_TRAINER_WEIGHTS, HONE_F32},
                                 {"weights bf16", HN_TRAINER_WEIGHTS, HONE_BF16},
                                 {"first moments f32", HN_TRAINER_FIRST, HONE_F32},
                                 {"second moments f32", HN_TRAINER_SECOND, HONE_F32}};
    hn_trainer *trainer = NULL;
    numbers n = {0};
    char *path = NULL;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_TRY(hn_bench_check_runs(warmup, runs));
    HN_TRY(hn_bench_check_runs(0, steps));
    HN_GO(hn_folder_make(folder));
    HN_GO(hn_path_join(folder, "bench.hone", &path));
    HN_GO(train(model, steps, &trainer));
    for (int k = 0; k < HONE_BENCH_KINDS; k++) {
        result->kind[k].name = kinds[k].name;
        HN_GO(gather(trainer, kinds[k].state, kinds[k].dtype, &n));
        HN_GO(run(&n, path, warmup, runs, &result->kind[k]));
        hn_free(n.data);
        n.data = NULL;
    }
    result->parameters = hone_model_parameters(model);
done:
    hn_free(n.data);
    hn_trainer_destroy(trainer);
    hn_free(path);
    return status;
}
