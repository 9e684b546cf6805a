#include "session.h"

#include "cli.h"

#include <stdlib.h>
#include <string.h>

int session_precision(const char *verb, const char *dtype, const char *stored, hone_weights *weights) {
    *weights = HONE_WEIGHTS_AUTO;
    if (stored != NULL && hone_weights_parse(stored, weights) != HONE_OK)
        return cli_usage(verb, "--weights \"%s\": must be auto, f32, bf16 or q8", stored);
    if (dtype != NULL && strcmp(dtype, "f32") != 0 && strcmp(dtype, "bf16") != 0)
        return cli_usage(verb, "--dtype \"%s\": must be f32 or bf16", dtype);
    return 0;
}

static hone_status open_all(session *s, hone_weights weights) {
    const hone_device_options options = {.threads = s->threads,
                                         .isa = s->isa,
                                         .matmul = s->matmul,
                                         .dtype = s->dtype,
                                         .allow_fallback = s->allow_fallback != 0};
    hone_status status = hone_device_open(s->device_name, &options, &s->device);

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
    hone_weights weights = HONE_WEIGHTS_AUTO;

    if (s->model_path == NULL)
        return cli_usage(verb, "--model is required");
    const int code = session_precision(verb, s->dtype, s->weights, &weights);
    if (code != 0)
        return code;
    const hone_status status = open_all(s, weights);
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
    free(s->device_name);
    free(s->isa);
    free(s->matmul);
    free(s->dtype);
    free(s->weights);
}
