/** What the verbs that run a model open: device, model, adapter, reference, tokenizer, template. */
#ifndef HONE_SESSION_H
#define HONE_SESSION_H

#include "machine.h"

#include <hone/model.h>
#include <hone/template.h>
#include <hone/tokenizer.h>
#include <popt.h>

typedef struct session {
    char *model_path, *adapter_path, *reference_path, *template_name;
    machine machine;

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
        MACHINE_OPTIONS((s).machine)

/** Returns 0, or the exit code after printing why not. */
int session_open(session *s, const char *verb);
void session_close(session *s);

#endif
