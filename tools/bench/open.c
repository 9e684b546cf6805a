#include "bench.h"
#include "cli.h"
#include "files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static double larger(double a, double b) { return a > b ? a : b; }

static hone_status measure_once(const char *isa, bench *b) {
    hone_machine found;
    const hone_status status = hone_machine_measure(isa, hone_device_threads(b->device), &found);

    if (status != HONE_OK)
        return status;
    found.f32_flops = larger(found.f32_flops, b->machine.f32_flops);
    found.bf16_flops = larger(found.bf16_flops, b->machine.bf16_flops);
    found.read_bytes = larger(found.read_bytes, b->machine.read_bytes);
    b->machine = found;
    return HONE_OK;
}

/* The processors of this machine are what the built-in device computes on; nothing is known of others. */
hone_status bench_measure_machine(bench *b) {
    static const char *const known[] = {"amx", "avx512", "avx2", "scalar"};
    const char *isa = NULL;
    hone_status status = HONE_OK;

    if (strncmp(hone_device_name(b->device), "cpu:", 4) != 0)
        return HONE_OK;
    for (int i = 0; b->isa != NULL && i < 4; i++)
        if (strcmp(b->isa, known[i]) == 0)
            isa = known[i];
    for (int i = 0; i < 2 && status == HONE_OK; i++)
        status = measure_once(isa, b);
    return status;
}

int bench_open_device(bench *b) {
    const hone_device_options options = {.threads = b->threads,
                                         .isa = b->isa,
                                         .matmul = b->matmul,
                                         .dtype = b->dtype,
                                         .allow_fallback = b->allow_fallback != 0};
    if (b->compare != NULL) {
        b->earlier = cli_read_json(b->compare, "an earlier output of --json is wanted");
        if (b->earlier == NULL)
            return 1;
    }
    const hone_status status = hone_device_open(b->device_name, &options, &b->device);
    return status == HONE_OK ? 0 : cli_fail(status);
}

/** Six numbers between commas, and nothing else. */
static bool parse_numbers(const char *text, long long n[6]) {
    char *end = NULL;

    for (int i = 0; i < 6; i++) {
        errno = 0;
        n[i] = strtoll(text, &end, 10);
        if (end == text || errno != 0 || *end != (i < 5 ? ',' : '\0'))
            return false;
        text = end + 1;
    }
    return true;
}

/** The configuration that --shape asks for. */
static int parse_shape(const bench *b, hone_model_config *config) {
    long long n[6];

    if (!parse_numbers(b->shape, n) || n[3] < 1)
        return cli_usage(b->verb,
                         "--shape \"%s\": six numbers are wanted: width, hidden width, layers, heads, "
                         "key/value heads, vocabulary",
                         b->shape);
    *config = (hone_model_config){.width = n[0],
                                  .hidden = n[1],
                                  .layers = n[2],
                                  .heads = n[3],
                                  .kv_heads = n[4],
                                  .head_dim = n[0] / n[3],
                                  .vocabulary = n[5],
                                  .max_positions = 1 << 20,
                                  .norm_epsilon = 1e-5,
                                  .tied = true,
                                  .rope_theta = 10000.0,
                                  .initializer_range = 0.02,
                                  .bos = -1,
                                  .eos = -1,
                                  .dtype = HONE_F32};
    const hone_status status = hone_model_config_check(config);
    return status == HONE_OK ? 0 : cli_fail(status);
}

static int read_config(const bench *b, hone_model_config *config) {
    const hone_status status = hone_model_config_read(b->model_path, config);
    return status == HONE_OK ? 0 : cli_fail(status);
}

int bench_open_config(bench *b, hone_model_config *config) {
    if ((b->model_path == NULL) == (b->shape == NULL))
        return cli_usage(b->verb, "one of --model and --shape is wanted");
    const int code = b->shape != NULL ? parse_shape(b, config) : read_config(b, config);
    return code != 0 ? code : bench_open_device(b);
}

/** As `hone train` has it: what is trained is in full, and a frozen model is bf16 where products are. */
static hone_status choose_weights(const bench *b, hone_weights *weights) {
    *weights = HONE_WEIGHTS_AUTO;
    if (b->weights != NULL)
        return hone_weights_parse(b->weights, weights);
    if (b->trained)
        *weights = HONE_WEIGHTS_FULL;
    else if (b->dtype != NULL && strcmp(b->dtype, "bf16") == 0)
        *weights = HONE_WEIGHTS_BF16;
    return HONE_OK;
}

int bench_open(bench *b) {
    hone_model_config config;
    hone_weights weights = HONE_WEIGHTS_AUTO;
    hone_status status = HONE_OK;
    const int code = bench_open_config(b, &config);

    if (code != 0)
        return code;
    if (b->shape != NULL && b->weights != NULL)
        return cli_usage(b->verb, "--weights wants a model from a folder: --model");
    status = choose_weights(b, &weights);
    if (status != HONE_OK)
        return cli_fail(status);
    /* Random weights: speed does not depend on their values. */
    if (b->shape != NULL)
        status = hone_model_create(b->device, &config, 0, &b->model);
    else
        status = hone_model_open_stored(b->device, b->model_path, weights, &b->model);
    return status == HONE_OK ? 0 : cli_fail(status);
}

void bench_close(bench *b) {
    hone_model_destroy(b->model);
    hone_device_close(b->device);
    free(b->model_path);
    free(b->shape);
    free(b->device_name);
    free(b->isa);
    free(b->matmul);
    free(b->dtype);
    free(b->weights);
    free(b->compare);
    json_decref(b->earlier);
}
