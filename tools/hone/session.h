/** What the verbs that run a model open: device, model, adapter, reference, tokenizer, template. */
#ifndef HONE_SESSION_H
#define HONE_SESSION_H

#include <hone/device.h>
#include <hone/model.h>
#include <hone/template.h>
#include <hone/tokenizer.h>
#include <popt.h>

typedef struct session {
    char *model_path, *adapter_path, *reference_path, *template_name, *device_name, *isa, *matmul, *dtype,
        *weights;
    int threads, allow_fallback;

    hone_device *device;
    hone_model *model, *reference;
    hone_adapter *adapter;
    hone_tokenizer *tokenizer;
    hone_template *form;
} session;

/** The options of a session, to be spliced into a verb's table as POPT_ARG_INCLUDE_TABLE. */
#define SESSION_OPTIONS(s)                                                                                   \
    {"model", '\0', POPT_ARG_STRING, &(s).model_path, 0, "model folder", "DIR"},                             \
        {"adapter", '\0', POPT_ARG_STRING, &(s).adapter_path, 0, "PEFT folder on top of it", "DIR"},         \
        {"reference",                                                                                        \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(s).reference_path,                                                                                \
         0,                                                                                                  \
         "model folder of the reference (the model without adapter)",                                        \
         "DIR"},                                                                                             \
        {"template",                                                                                         \
         '\0',                                                                                               \
         POPT_ARG_STRING,                                                                                    \
         &(s).template_name,                                                                                 \
         0,                                                                                                  \
         "template: built-in name, auto, or file (plain)",                                                   \
         "T"},                                                                                               \
        {"device", '\0', POPT_ARG_STRING, &(s).device_name, 0, "device, as `hone devices` names it", "D"},   \
        {"threads", '\0', POPT_ARG_INT, &(s).threads, 0, "threads (0: all processors)", "N"},                \
        {"isa", '\0', POPT_ARG_STRING, &(s).isa, 0, "instruction set override", "I"},                        \
        {"matmul", '\0', POPT_ARG_STRING, &(s).matmul, 0, "matrix product provider override", "P"},          \
        {"dtype",    '\0', POPT_ARG_STRING,                                                                  \
         &(s).dtype, 0,    "products in f32, or in bf16 where the processor has them (f32)",                 \
         "T"},                                                                                               \
        {"weights",    '\0', POPT_ARG_STRING,                                                                \
         &(s).weights, 0,    "weights in f32, bf16, q8 (8 bits), or auto: as they are in the file (auto)",   \
         "T"},                                                                                               \
    {                                                                                                        \
        "allow-fallback", '\0', POPT_ARG_NONE, &(s).allow_fallback, 0,                                       \
            "run operations that the device lacks on the host", NULL                                         \
    }

/** --dtype and --weights (NULL: not given). Returns 0, or the exit code after printing why not. */
int session_precision(const char *verb, const char *dtype, const char *stored, hone_weights *weights);
/** Returns 0, or the exit code after printing why not. */
int session_open(session *s, const char *verb);
void session_close(session *s);

#endif
