/* hone merge: an adapter made part of its model. */
#include "cli.h"
#include "session.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char summary[] =
    "hone merge: an adapter made part of its model\n"
    "\n"
    "Writes a model folder with W + alpha / R * B A in the place of every adapted W. The model is then a\n"
    "starting point of its own: what SFT taught an adapter becomes the reference of preference training.";
static const char example[] =
    "  hone train --model smollm2 --data demonstrations.jsonl --method sft --out sft\n"
    "  hone merge --model smollm2 --adapter sft/final --out smollm2-sft\n"
    "  hone train --model smollm2-sft --data pairs.jsonl --method srpo --out srpo";

static int parse_dtype(const char *name, hone_dtype *dtype) {
    static const hone_dtype known[] = {HONE_F32, HONE_F16, HONE_BF16};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(hone_dtype_name(known[i]), name) == 0) {
            *dtype = known[i];
            return -1;
        }
    return cli_usage("merge", "--file-dtype \"%s\": must be f32, f16 or bf16", name);
}

/** The one folder under two names, perhaps. */
static bool same_folder(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int merge(session *s, const char *out, hone_dtype dtype) {
    int code = session_open(s, "merge");
    if (code != 0)
        return code;
    hone_status status = hone_adapter_merge(s->model, s->adapter);
    if (status == HONE_OK)
        status = hone_model_save(s->model, out, dtype);
    if (status == HONE_OK)
        status = hone_tokenizer_save(s->tokenizer, out);
    return status == HONE_OK ? 0 : cli_fail(status);
}

static int report(const session *s, const char *out, int json) {
    if (json)
        return cli_print_json(json_pack("{s:s,s:I,s:s}", "model", out, "parameters",
                                        (json_int_t)hone_model_parameters(s->model), "adapter",
                                        s->adapter_path));
    return printf("%s\n", out) > 0 && cli_flushed() ? 0 : cli_error("could not write to standard output");
}

int hone_cmd_merge(int argc, const char **argv) {
    session s = {0};
    char *out = NULL, *dtype_name = NULL;
    hone_dtype dtype = HONE_F32;
    int json = 0;
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &s.model_path, 0, "model folder", "DIR"},
        {"adapter", '\0', POPT_ARG_STRING, &s.adapter_path, 0, "PEFT folder on top of it", "DIR"},
        {"out", '\0', POPT_ARG_STRING, &out, 0, "model folder to write", "DIR"},
        {"file-dtype", '\0', POPT_ARG_STRING, &dtype_name, 0,
         "element type of the written weights: f32, f16, bf16 (f32)", "T"},
        {"json", '\0', POPT_ARG_NONE, &json, 0, "what was written, as JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0 && (s.model_path == NULL || s.adapter_path == NULL || out == NULL))
        code = cli_usage("merge", "--model, --adapter and --out are required");
    if (code < 0 && (same_folder(out, s.model_path) || same_folder(out, s.adapter_path)))
        code = cli_error("--out %s holds what is merged: choose another folder", out);
    if (code < 0 && dtype_name != NULL)
        code = parse_dtype(dtype_name, &dtype);
    if (code < 0) {
        s.machine.weights = strdup("f32"); /* only weights in full can be added to */
        code = s.machine.weights == NULL ? cli_error("out of memory") : merge(&s, out, dtype);
        if (code == 0)
            code = report(&s, out, json);
    }
    session_close(&s);
    free(out);
    free(dtype_name);
    return code;
}
