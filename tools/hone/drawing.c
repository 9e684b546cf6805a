#include "drawing.h"

drawing drawing_defaults(void) {
    const hone_sample_options defaults = hone_sample_defaults();
    return (drawing){.max_tokens = defaults.max_tokens,
                     .top_k = defaults.top_k,
                     .seed = defaults.seed,
                     .batch = defaults.batch,
                     .temperature = defaults.temperature,
                     .top_p = defaults.top_p};
}

void drawing_fill(const drawing *d, hone_sample_options *options) {
    options->max_tokens = d->max_tokens;
    options->top_k = d->top_k;
    options->seed = d->seed;
    options->batch = d->batch;
    options->temperature = d->temperature;
    options->top_p = d->top_p;
}
