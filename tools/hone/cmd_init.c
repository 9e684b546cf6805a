/* hone init: a new model with random weights. */
#include "cli.h"
#include "verbs.h"

#include <hone/model.h>
#include <hone/tokenizer.h>
#include <stdio.h>
#include <stdlib.h>

static const char summary[] = "hone init: a new model with random weights\n"
                              "\n"
                              "Writes a Llama model folder. The vocabulary and the end of sequence come from "
                              "the tokenizer, whose files are\n"
                              "copied. The same seed gives the same weights.";
static const char example[] =
    "  hone tokenizer train --data texts.jsonl --vocab 512 --out tokenizer\n"
    "  hone init --tokenizer tokenizer --width 128 --layers 4 --heads 4 --kv-heads 2 --out model";

typedef struct arguments {
    char *out, *tokenizer, *device;
    long long width, hidden, layers, heads, kv_heads, head_dim, max_positions, seed;
    double rope_theta, deviation;
    int untied, json;
} arguments;

static hone_model_config make_config(const arguments *a, const hone_tokenizer *tokenizer) {
    return (hone_model_config){.width = a->width,
                               .hidden = a->hidden > 0 ? a->hidden : 4 * a->width,
                               .layers = a->layers,
                               .heads = a->heads,
                               .kv_heads = a->kv_heads > 0 ? a->kv_heads : a->heads,
                               .head_dim = a->head_dim > 0 ? a->head_dim
                                           : a->heads > 0  ? a->width / a->heads
                                                           : 0,
                               .vocabulary = hone_tokenizer_vocabulary(tokenizer),
                               .max_positions = a->max_positions,
                               .norm_epsilon = 1e-5,
                               .tied = a->untied == 0,
                               .rope = HONE_ROPE_DEFAULT,
                               .rope_theta = a->rope_theta,
                               .initializer_range = a->deviation,
                               .bos = hone_tokenizer_bos(tokenizer),
                               .eos = hone_tokenizer_eos(tokenizer),
                               .dtype = HONE_F32};
}

static hone_status create(const arguments *a, int64_t *parameters) {
    hone_tokenizer *tokenizer = NULL;
    hone_device *device = NULL;
    hone_model *model = NULL;
    hone_status status = hone_tokenizer_open(a->tokenizer, &tokenizer);

    if (status == HONE_OK)
        status = hone_device_open(a->device, NULL, &device);
    if (status == HONE_OK) {
        const hone_model_config config = make_config(a, tokenizer);
        status = hone_model_create(device, &config, (uint64_t)a->seed, &model);
    }
    if (status == HONE_OK)
        status = hone_model_save(model, a->out, HONE_F32);
    if (status == HONE_OK)
        status = hone_tokenizer_save(tokenizer, a->out);
    if (status == HONE_OK)
        *parameters = hone_model_parameters(model);
    hone_model_destroy(model);
    hone_device_close(device);
    hone_tokenizer_destroy(tokenizer);
    return status;
}

static int run(const arguments *a) {
    int64_t parameters = 0;

    if (a->out == NULL || a->tokenizer == NULL)
        return cli_usage("init", "--out and --tokenizer are required");
    const hone_status status = create(a, &parameters);
    if (status != HONE_OK)
        return cli_fail(status);
    if (a->json)
        return cli_print_json(json_pack("{s:s,s:I}", "model", a->out, "parameters", (json_int_t)parameters));
    (void)fprintf(stderr, "hone: %lld weights\n", (long long)parameters);
    return printf("%s\n", a->out) > 0 ? 0 : 1;
}

int hone_cmd_init(int argc, const char **argv) {
    arguments a = {.width = 128,
                   .layers = 4,
                   .heads = 4,
                   .max_positions = 2048,
                   .rope_theta = 10000.0,
                   .deviation = 0.02};
    struct poptOption options[] = {
        {"out", '\0', POPT_ARG_STRING, &a.out, 0, "folder of the new model", "DIR"},
        {"tokenizer", '\0', POPT_ARG_STRING, &a.tokenizer, 0, "folder with tokenizer.json", "DIR"},
        {"width", '\0', POPT_ARG_LONGLONG, &a.width, 0, "model width (128)", "N"},
        {"hidden", '\0', POPT_ARG_LONGLONG, &a.hidden, 0, "width of the feed-forward layer (4 x width)", "N"},
        {"layers", '\0', POPT_ARG_LONGLONG, &a.layers, 0, "layers (4)", "N"},
        {"heads", '\0', POPT_ARG_LONGLONG, &a.heads, 0, "query heads (4)", "N"},
        {"kv-heads", '\0', POPT_ARG_LONGLONG, &a.kv_heads, 0, "key/value heads (as many)", "N"},
        {"head-dim", '\0', POPT_ARG_LONGLONG, &a.head_dim, 0, "width of a head (width / heads)", "N"},
        {"max-positions", '\0', POPT_ARG_LONGLONG, &a.max_positions, 0, "longest sequence (2048)", "N"},
        {"rope-theta", '\0', POPT_ARG_DOUBLE, &a.rope_theta, 0, "rotary base (10000)", "X"},
        {"initializer-range", '\0', POPT_ARG_DOUBLE, &a.deviation, 0,
         "standard deviation of the weights (0.02)", "X"},
        {"untied", '\0', POPT_ARG_NONE, &a.untied, 0, "a head of its own instead of the embedding table",
         NULL},
        {"seed", '\0', POPT_ARG_LONGLONG, &a.seed, 0, "seed of the weights (0)", "S"},
        {"device", '\0', POPT_ARG_STRING, &a.device, 0, "device to make them on", "D"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    free(a.out);
    free(a.tokenizer);
    free(a.device);
    return code;
}
