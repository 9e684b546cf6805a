/* What `hone bench step` and `hone bench pack` are asked for: pairs, method, what is trained. */
#include "bench.h"
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>

bench_steps bench_steps_defaults(void) {
    const hone_bench_step_options defaults = hone_bench_step_defaults();
    return (bench_steps){.prompt = defaults.prompt_tokens,
                         .completion = defaults.completion_tokens,
                         .instruction = defaults.instruction_tokens,
                         .lora_rank = defaults.lora.rank,
                         .pairs = defaults.pairs,
                         .warmup = defaults.warmup,
                         .steps = defaults.steps};
}

void bench_steps_clear(bench_steps *steps) {
    free(steps->method);
    free(steps->lora_targets);
}

int bench_steps_options(const bench_steps *steps, hone_bench_step_options *options) {
    hone_method method = HONE_SRPO;
    const hone_status status = hone_method_parse(steps->method != NULL ? steps->method : "srpo", &method);

    *options = hone_bench_step_defaults();
    options->loss = hone_loss_defaults(method);
    options->full = steps->full != 0;
    options->prompt_tokens = steps->prompt;
    options->completion_tokens = steps->completion;
    options->instruction_tokens = steps->instruction;
    options->lora.rank = steps->lora_rank;
    options->lora.targets = steps->lora_targets != NULL ? steps->lora_targets : options->lora.targets;
    options->pairs = steps->pairs;
    options->pack_tokens = steps->pack_tokens;
    options->warmup = steps->warmup;
    options->steps = steps->steps;
    options->seed = steps->seed;
    return status == HONE_OK ? 0 : cli_fail(status);
}

void bench_steps_settings(const hone_bench_step_options *options, json_t *settings) {
    json_t *more = json_pack(
        "{s:s,s:b,s:I,s:s,s:I,s:I,s:I,s:I,s:I}", "method", hone_method_name(options->loss.method), "full",
        (int)options->full, "lora_rank", (json_int_t)(options->full ? 0 : options->lora.rank), "lora_targets",
        options->full ? "" : options->lora.targets, "prompt_tokens", (json_int_t)options->prompt_tokens,
        "completion_tokens", (json_int_t)options->completion_tokens, "instruction_tokens",
        (json_int_t)options->instruction_tokens, "pairs", (json_int_t)options->pairs, "pack_tokens",
        (json_int_t)options->pack_tokens);
    json_object_update(settings, more);
    json_decref(more);
}

void bench_print_steps(const json_t *s) {
    (void)printf("%s, %s, %.0f threads\n", bench_text(s, "device"), bench_text(s, "detail"),
                 bench_number(s, "threads"));
    (void)printf("%s: %s, prompt %.0f, completion %.0f, instruction %.0f tokens, %.0f pair(s) a step, ",
                 bench_text(s, "model"), bench_text(s, "method"), bench_number(s, "prompt_tokens"),
                 bench_number(s, "completion_tokens"), bench_number(s, "instruction_tokens"),
                 bench_number(s, "pairs"));
    if (bench_number(s, "lora_rank") > 0.0)
        (void)printf("LoRA r %.0f on %s\n\n", bench_number(s, "lora_rank"), bench_text(s, "lora_targets"));
    else
        (void)printf("all weights\n\n");
}
