#include "documentation.h"

#include <string.h>

static void walk(const struct poptOption *table, void (*each)(void *context, const option_text *option),
                 void *context) {
    for (; table->longName || table->shortName || table->arg; table++) {
        if ((table->argInfo & POPT_ARG_MASK) == POPT_ARG_INCLUDE_TABLE) {
            walk(table->arg, each, context);
            continue;
        }
        const option_text option = {.name = table->longName,
                                    .letter = table->shortName,
                                    .text = table->descrip,
                                    .argument = (table->argInfo & POPT_ARG_MASK) == POPT_ARG_NONE ? NULL
                                                : table->argDescrip ? table->argDescrip
                                                                    : "X"};
        if (option.name)
            each(context, &option);
    }
}

void page_options(const cli_page *page, void (*each)(void *context, const option_text *option),
                  void *context) {
    walk(page->options, each, context);
}

/* What validation accepts; a test tries every word. */
static const struct {
    const char *name, *verb, *values; /* verb NULL: of all */
} enumerations[] = {
    {"method", "bandit", "srpo ipo dpo"},
    {"method", NULL, "srpo dpo ipo rpo simpo sft"},
    {"schedule", NULL, "constant linear cosine"},
    {"pack", NULL, "trie sequences naive"},
    {"dtype", "convert", "f32 f16 bf16"},
    {"file-dtype", NULL, "f32 f16 bf16"},
    {"dtype", NULL, "f32 bf16"},
    {"base-dtype", NULL, "auto f32 bf16 q8"},
    {"weights", NULL, "auto f32 bf16 q8"},
    {"judge", NULL, "exact chrf rules command http"},
    {"select", NULL, "draw best all"},
    {"label", NULL, "soft hard sampled"},
    {"template", NULL, "plain chatml llama-2 llama-3 mistral gemma phi auto"},
};

const char *option_values(const char *name, const char *verb) {
    for (size_t i = 0; i < sizeof enumerations / sizeof enumerations[0]; i++)
        if (strcmp(enumerations[i].name, name) == 0 &&
            (!enumerations[i].verb || strcmp(enumerations[i].verb, verb) == 0))
            return enumerations[i].values;
    return NULL;
}
