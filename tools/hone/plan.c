#include "plan.h"

#include "cli.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const phase_name[HONE_MEMORY_PHASES] = {"opening", "reference", "steps", "saving"};

static void print_row(const char *name, const uint64_t bytes[HONE_MEMORY_PHASES]) {
    (void)printf("%-28s", name);
    for (int p = 0; p < HONE_MEMORY_PHASES; p++)
        if (bytes[p] > 0)
            (void)printf(" %10.2f", (double)bytes[p] / 1e6);
        else
            (void)printf(" %10s", "-");
    (void)putchar('\n');
}

int plan_print(const hone_train_memory *memory) {
    (void)printf("%-28s", "MB");
    for (int p = 0; p < HONE_MEMORY_PHASES; p++)
        (void)printf(" %10s", phase_name[p]);
    (void)putchar('\n');
    for (int i = 0; i < memory->lines; i++)
        print_row(memory->line[i].name, memory->line[i].bytes);
    print_row("sum", memory->sum);
    (void)printf("peak %.2f MB, %s; packs of at most %" PRId64 " tokens; %" PRId64 " of %" PRId64
                 " layers recomputed",
                 (double)memory->peak / 1e6, phase_name[memory->phase], memory->tokens, memory->recomputed,
                 memory->layers);
    if (memory->limit > 0)
        (void)printf("; limit %.2f MB", (double)memory->limit / 1e6);
    (void)putchar('\n');
    return cli_flushed() ? 0 : 1;
}

static json_t *row(const char *name, const uint64_t bytes[HONE_MEMORY_PHASES]) {
    json_t *object = json_pack("{s:s}", "name", name);
    for (int p = 0; p < HONE_MEMORY_PHASES; p++)
        (void)json_object_set_new(object, phase_name[p], json_integer((json_int_t)bytes[p]));
    return object;
}

int plan_print_json(const hone_train_memory *memory) {
    json_t *lines = json_array();
    for (int i = 0; i < memory->lines; i++)
        (void)json_array_append_new(lines, row(memory->line[i].name, memory->line[i].bytes));
    return cli_print_json(
        json_pack("{s:o,s:o,s:I,s:s,s:I,s:I,s:I,s:I}", "lines", lines, "sum", row("sum", memory->sum),
                  "peak_bytes", (json_int_t)memory->peak, "phase", phase_name[memory->phase], "pack_tokens",
                  (json_int_t)memory->tokens, "limit_bytes", (json_int_t)memory->limit, "layers",
                  (json_int_t)memory->layers, "recomputed_layers", (json_int_t)memory->recomputed));
}
