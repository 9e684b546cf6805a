#include "judging.h"

#include <stdlib.h>

judging judging_defaults(void) {
    const hone_judge_options defaults = hone_judge_defaults();
    return (judging){.options = defaults, .retries = defaults.retries};
}

hone_judge_options judging_options(const judging *j) {
    hone_judge_options options = j->options;
    options.spec = j->spec != NULL ? j->spec : options.spec;
    options.command = j->command;
    options.url = j->url;
    options.model = j->model;
    options.key = getenv("HONE_JUDGE_KEY");
    options.cache = j->cache;
    options.retries = j->retries;
    return options;
}

void judging_clear(judging *j) {
    free(j->spec);
    free(j->command);
    free(j->url);
    free(j->model);
    free(j->cache);
}
