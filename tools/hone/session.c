#include "session.h"

#include "cli.h"

#include <stdlib.h>

static hone_status open_all(session *s) {
    const hone_weights weights = s->machine.stored;
    hone_status status = hone_device_open(s->machine.device, &s->machine.on, &s->device);

    if (status == HONE_OK)
        status = hone_tokenizer_open(s->model_path, &s->tokenizer);
    if (status == HONE_OK)
        status =
            hone_template_open(s->template_name != NULL ? s->template_name : "plain", s->tokenizer, &s->form);
    if (status == HONE_OK)
        status = hone_model_open_stored(s->device, s->model_path, weights, &s->model);
    if (status == HONE_OK && s->adapter_path != NULL)
        status = hone_adapter_open(s->model, s->adapter_path, &s->adapter);
    if (status == HONE_OK && s->reference_path != NULL)
        status = hone_model_open_stored(s->device, s->reference_path, weights, &s->reference);
    return status;
}

int session_open(session *s, const char *verb) {
    if (s->model_path == NULL)
        return cli_usage(verb, "--model is required");
    const int code = machine_read(&s->machine, verb);
    if (code != 0)
        return code;
    const hone_status status = open_all(s);
    return status == HONE_OK ? 0 : cli_fail(status);
}

void session_close(session *s) {
    hone_adapter_destroy(s->adapter);
    hone_model_destroy(s->reference);
    hone_model_destroy(s->model);
    hone_template_destroy(s->form);
    hone_tokenizer_destroy(s->tokenizer);
    hone_device_close(s->device);
    free(s->model_path);
    free(s->adapter_path);
    free(s->reference_path);
    free(s->template_name);
    machine_clear(&s->machine);
}
