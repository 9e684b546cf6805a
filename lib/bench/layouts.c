#include <bench/times.h>
#include <bench/trainer.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>

static const struct layout {
    const char *name;
    hone_pack_layout layout;
    bool reference_anew;
} layouts[HONE_BENCH_LAYOUTS] = {[HONE_BENCH_TRIE] = {"trie", HONE_PACK_TRIE, false},
                                 [HONE_BENCH_SEQUENCES] = {"sequences", HONE_PACK_SEQUENCES, false},
                                 [HONE_BENCH_PADDED] = {"padded", HONE_PACK_PADDED, false},
                                 [HONE_BENCH_NAIVE] = {"naive", HONE_PACK_PADDED, true}};

/** What a step of the layout is made of, from one that is profiled. */
static hone_status describe(hn_trainer *trainer, int l, struct hone_bench_layout *out) {
    hone_bench_step_result step = {.step = {.median = 1.0}};

    out->name = layouts[l].name;
    hn_trainer_use(trainer, layouts[l].layout, layouts[l].reference_anew);
    HN_TRY(hn_trainer_profile(trainer, &step.profile));
    hn_trainer_describe(trainer, &step);
    out->flops = step.flops;
    out->tokens = step.packed_tokens;
    return hn_trainer_plan(trainer, layouts[l].layout, &out->plan_bytes);
}

static hone_status run(hn_trainer *trainer, const hone_bench_step_options *options, double *seconds,
                       hone_bench_pack_result *result) {
    double ignored = 0.0;

    for (int64_t i = -options->warmup; i < options->steps; i++)
        for (int l = 0; l < HONE_BENCH_LAYOUTS; l++) {
            hn_trainer_use(trainer, layouts[l].layout, layouts[l].reference_anew);
            HN_TRY(hn_trainer_step(trainer, i < 0 ? &ignored : &seconds[l * options->steps + i]));
        }
    for (int l = 0; l < HONE_BENCH_LAYOUTS; l++) {
        result->layout[l].step = hn_times_of(seconds + l * options->steps, options->steps);
        HN_TRY(describe(trainer, l, &result->layout[l]));
    }
    return HONE_OK;
}

hone_status hone_bench_pack(hone_model *model, const hone_bench_step_options *given,
                            hone_bench_pack_result *result) {
    hone_bench_step_options options = *given;
    hn_trainer *trainer = NULL;
    double *seconds = NULL;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    options.layout = HONE_PACK_TRIE;
    options.reference_anew = false;
    HN_TRY(hn_bench_check_runs(options.warmup, options.steps));
    HN_GO(hn_alloc(&seconds, (size_t)(HONE_BENCH_LAYOUTS * options.steps), sizeof *seconds, "times"));
    HN_GO(hn_trainer_create(model, &options, true, &trainer));
    HN_GO(run(trainer, &options, seconds, result));
    result->pairs = options.pairs;
done:
    hn_trainer_destroy(trainer);
    hn_free(seconds);
    return status;
}
