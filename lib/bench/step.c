#include <bench/times.h>
#include <bench/trainer.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>

hone_bench_step_options hone_bench_step_defaults(void) {
    return (hone_bench_step_options){.loss = hone_loss_defaults(HONE_SRPO),
                                     .layout = HONE_PACK_TRIE,
                                     .lora = hone_lora_defaults(),
                                     .prompt_tokens = 350,
                                     .completion_tokens = 35,
                                     .instruction_tokens = 8,
                                     .pairs = 1,
                                     .warmup = 1,
                                     .steps = 5};
}

hone_status hone_bench_step(hone_model *model, const hone_bench_step_options *options,
                            hone_bench_step_result *result) {
    hn_trainer *trainer = NULL;
    double *seconds = NULL, ignored = 0.0;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_TRY(hn_bench_check_runs(options->warmup, options->steps));
    HN_GO(hn_alloc(&seconds, (size_t)options->steps, sizeof *seconds, "times"));
    HN_GO(hn_trainer_create(model, options, false, &trainer));
    for (int64_t i = 0; i < options->warmup; i++)
        HN_GO(hn_trainer_step(trainer, &ignored));
    for (int64_t i = 0; i < options->steps; i++)
        HN_GO(hn_trainer_step(trainer, &seconds[i]));
    result->step = hn_times_of(seconds, options->steps);
    HN_GO(hn_trainer_profile(trainer, &result->profile));
    hn_trainer_describe(trainer, result);
done:
    hn_trainer_destroy(trainer);
    hn_free(seconds);
    return status;
}
