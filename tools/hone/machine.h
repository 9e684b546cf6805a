/** Where a verb computes, and in what: the options that all share who run a model. */
#ifndef HONE_MACHINE_H
#define HONE_MACHINE_H

#include <hone/device.h>
#include <hone/model.h>
#include <popt.h>

/** Zero-initialise. */
typedef struct machine {
    char *device, *isa, *matmul, *dtype, *weights;
    int threads, allow_fallback;

    hone_device_options on; /* what machine_read makes of them; borrows */
    hone_weights stored;
} machine;

#define MACHINE_OPTIONS(m)                                                                                   \
    {"device", '\0', POPT_ARG_STRING, &(m).device, 0, "device, as `hone devices` names it", "D"},            \
        {"threads", '\0', POPT_ARG_INT, &(m).threads, 0, "threads (0: all processors)", "N"},                \
        {"isa", '\0', POPT_ARG_STRING, &(m).isa, 0, "instruction set override", "I"},                        \
        {"matmul", '\0', POPT_ARG_STRING, &(m).matmul, 0, "matrix product provider override", "P"},          \
        {"dtype",    '\0', POPT_ARG_STRING,                                                                  \
         &(m).dtype, 0,    "products in f32, or in bf16 where the processor has them (f32)",                 \
         "T"},                                                                                               \
        {"weights",    '\0', POPT_ARG_STRING,                                                                \
         &(m).weights, 0,    "weights in f32, bf16, q8 (8 bits), or auto: as they are in the file (auto)",   \
         "T"},                                                                                               \
    {                                                                                                        \
        "allow-fallback", '\0', POPT_ARG_NONE, &(m).allow_fallback, 0,                                       \
            "run operations that the device lacks on the host", NULL                                         \
    }

/** Returns 0, or the exit code after printing what is wrong. */
int machine_read(machine *m, const char *verb);
void machine_clear(machine *m);

#endif
