/* hone convert: a GGUF file to a Hugging Face folder. */
#include "cli.h"
#include "verbs.h"

#include <hone/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] = "hone convert: a GGUF file to a model folder\n"
                              "\n"
                              "hone convert FILE.gguf DIR writes config.json, model.safetensors and "
                              "tokenizer.json. Llama models with F32, F16,\n"
                              "BF16, Q8_0, Q4_0 and Q4_1 tensors; quantised weights are expanded.";
static const char example[] = "  hone convert model.gguf model --dtype f16";

static int parse_dtype(const char *name, hone_dtype *dtype) {
    static const hone_dtype known[] = {HONE_F32, HONE_F16, HONE_BF16};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(hone_dtype_name(known[i]), name) == 0) {
            *dtype = known[i];
            return -1;
        }
    return cli_usage("convert", "--dtype \"%s\": must be f32, f16 or bf16", name);
}

int hone_cmd_convert(int argc, const char **argv) {
    char *dtype_name = NULL, *from = NULL, *to = NULL;
    hone_dtype dtype = HONE_F32;
    int json = 0;
    struct poptOption options[] = {
        {"dtype", '\0', POPT_ARG_STRING, &dtype_name, 0,
         "element type of the written weights: f32 (default), f16, bf16", "T"},
        {"json", '\0', POPT_ARG_NONE, &json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    const char *const operands[] = {"FILE.gguf", "DIR"};
    char **const places[] = {&from, &to};
    int code = cli_parse_operands(argc, argv, options, summary, example, 2, operands, places);
    if (code < 0 && dtype_name != NULL)
        code = parse_dtype(dtype_name, &dtype);
    if (code < 0) {
        const hone_status status = hone_convert_gguf(from, to, dtype);
        code = status != HONE_OK ? cli_fail(status)
               : json            ? cli_print_json(json_pack("{s:s,s:s}", "model", to, "from", from))
                                 : (printf("%s\n", to) > 0 ? 0 : 1);
    }
    free(dtype_name);
    free(from);
    free(to);
    return code;
}
