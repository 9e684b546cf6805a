#include "machine.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

int machine_read(machine *m, const char *verb) {
    m->stored = HONE_WEIGHTS_AUTO;
    if (m->weights != NULL && hone_weights_parse(m->weights, &m->stored) != HONE_OK)
        return cli_usage(verb, "--weights \"%s\": must be auto, f32, bf16 or q8", m->weights);
    if (m->dtype != NULL && strcmp(m->dtype, "f32") != 0 && strcmp(m->dtype, "bf16") != 0)
        return cli_usage(verb, "--dtype \"%s\": must be f32 or bf16", m->dtype);
    m->on = (hone_device_options){.threads = m->threads,
                                  .isa = m->isa,
                                  .matmul = m->matmul,
                                  .dtype = m->dtype,
                                  .allow_fallback = m->allow_fallback != 0};
    return 0;
}

void machine_clear(machine *m) {
    free(m->device);
    free(m->isa);
    free(m->matmul);
    free(m->dtype);
    free(m->weights);
}
