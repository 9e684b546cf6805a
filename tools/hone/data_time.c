/* How long an epoch of a file takes: a few training steps are timed, on rows of its average lengths. */
#include "data_file.h"

#include <hone/bench.h>
#include <stdlib.h>
#include <string.h>

/** As many tokens a step as tell the speed, and no more. */
enum { STEP_TOKENS = 512, MOST_PAIRS = 32 };

static int64_t clamp(int64_t n, int64_t least, int64_t most) {
    return n < least ? least : n > most ? most : n;
}

static int64_t mean(const data_lengths *l) { return l->rows > 0 ? (l->total + l->rows - 1) / l->rows : 0; }

/** Lengths without the template: what it adds costs as much a token as the rest. */
static hone_bench_step_options step_of(const data_file *file, bool full, int64_t positions) {
    hone_bench_step_options options = hone_bench_step_defaults();
    const data_facts *f = &file->facts;
    const int64_t row = file->packing.packed / file->packing.rows,
                  answer = (mean(&f->length[DATA_CHOSEN]) + mean(&f->length[DATA_REJECTED]) + 1) /
                           (f->length[DATA_REJECTED].rows > 0 ? 2 : 1);

    options.loss = file->loss;
    options.full = full;
    options.completion_tokens = clamp(answer + 1, 1, clamp(positions / 4, 1, positions));
    options.instruction_tokens =
        clamp(options.instruction_tokens, 0, positions - 2 * options.completion_tokens - 1);
    options.prompt_tokens = clamp(mean(&f->length[DATA_PROMPT_PART]), 1,
                                  positions - 2 * options.completion_tokens - options.instruction_tokens);
    options.pairs = clamp(STEP_TOKENS / (row > 0 ? row : 1), 1, MOST_PAIRS);
    options.steps = 2;
    return options;
}

static hone_status time_steps(data_file *file, const data_training *how, hone_device *device) {
    hone_bench_step_result result;
    hone_model *model = NULL;
    hone_status status = hone_model_open_stored(device, how->model,
                                                how->full ? HONE_WEIGHTS_FULL : how->machine.stored, &model);

    if (status == HONE_OK) {
        const hone_bench_step_options options =
            step_of(file, how->full, hone_model_configuration(model)->max_positions);
        status = hone_bench_step(model, &options, &result);
    }
    if (status == HONE_OK) {
        file->tokens_per_second = result.tokens_per_second;
        file->epoch_seconds = (double)file->packing.packed / result.tokens_per_second;
    }
    hone_model_destroy(model);
    return status;
}

void data_file_time(data_file *file, const data_training *how) {
    hone_device *device = NULL;

    if (!file->packed || file->packing.rows == 0)
        return;
    hone_status status = hone_device_open(how->machine.device, &how->machine.on, &device);
    if (status == HONE_OK)
        status = time_steps(file, how, device);
    if (status != HONE_OK)
        file->untimed = strdup(hone_message());
    hone_device_close(device);
}
