/* hone inspect: what a model folder holds, and how a data set packs. */
#include "cli.h"
#include "verbs.h"

#include <hone/inspect.h>
#include <hone/model.h>
#include <stdio.h>
#include <stdlib.h>

static const char summary[] =
    "hone inspect: what a model folder holds, and how a data set packs\n\n"
    "--pack shows, over the rows of --data, the tokens of the token trie against those of separate and of "
    "padded\n"
    "sequences. The tree ratio is separate over packed: how many times less work a step is.";
static const char example[] = "  hone inspect --model model\n"
                              "  hone inspect --model model --data pairs.jsonl --method srpo --pack";

typedef struct arguments {
    char *model, *data, *method, *template_name;
    int pack, json;
} arguments;

static int inspect_model(const arguments *a) {
    hone_model_config c;
    const hone_status status = hone_model_config_read(a->model, &c);

    if (status != HONE_OK)
        return cli_fail(status);
    if (a->json)
        return cli_print_json(
            json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:s}", "width", (json_int_t)c.width, "hidden",
                      (json_int_t)c.hidden, "layers", (json_int_t)c.layers, "heads", (json_int_t)c.heads,
                      "kv_heads", (json_int_t)c.kv_heads, "head_dim", (json_int_t)c.head_dim, "vocabulary",
                      (json_int_t)c.vocabulary, "max_positions", (json_int_t)c.max_positions, "tied",
                      (int)c.tied, "dtype", hone_dtype_name(c.dtype)));
    return printf("%lld layers, width %lld, hidden %lld, %lld heads of %lld (%lld key/value heads), "
                  "vocabulary %lld, %s head, "
                  "%lld positions, %s\n",
                  (long long)c.layers, (long long)c.width, (long long)c.hidden, (long long)c.heads,
                  (long long)c.head_dim, (long long)c.kv_heads, (long long)c.vocabulary,
                  c.tied ? "tied" : "untied", (long long)c.max_positions, hone_dtype_name(c.dtype)) < 0;
}

static int print_packing(const arguments *a, const hone_packing *p) {
    const double ratio = p->packed > 0 ? (double)p->separate / (double)p->packed : 0.0;
    const double padded = p->packed > 0 ? (double)p->padded / (double)p->packed : 0.0;

    if (a->json)
        return cli_print_json(json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:f}", "rows", (json_int_t)p->rows,
                                        "sequences", (json_int_t)p->sequences, "packed_tokens",
                                        (json_int_t)p->packed, "naive_tokens", (json_int_t)p->separate,
                                        "padded_tokens", (json_int_t)p->padded, "longest_row",
                                        (json_int_t)p->longest, "tree_ratio", ratio));
    return printf("%lld rows, %lld sequences\n"
                  "token trie          %10lld tokens\n"
                  "separate sequences  %10lld tokens  (tree ratio %.2f)\n"
                  "padded sequences    %10lld tokens  (%.2f times the trie)\n"
                  "largest row         %10lld tokens as a trie: --pack-tokens must be at least that\n",
                  (long long)p->rows, (long long)p->sequences, (long long)p->packed, (long long)p->separate,
                  ratio, (long long)p->padded, padded, (long long)p->longest) < 0;
}

static int inspect_pack(const arguments *a) {
    hone_loss_options loss = hone_loss_defaults(HONE_SRPO);
    hone_packing packing = {0};
    hone_status status = HONE_OK;

    if (a->data == NULL)
        return cli_usage("inspect", "--pack needs --data");
    if (a->method != NULL) {
        hone_method method = HONE_SRPO;
        status = hone_method_parse(a->method, &method);
        loss = hone_loss_defaults(method);
    }
    if (status == HONE_OK)
        status = hone_packing_measure(a->model, a->template_name != NULL ? a->template_name : "plain",
                                      a->data, &loss, &packing);
    return status == HONE_OK ? print_packing(a, &packing) : cli_fail(status);
}

int hone_cmd_inspect(int argc, const char **argv) {
    arguments a = {0};
    struct poptOption options[] = {
        {"model", '\0', POPT_ARG_STRING, &a.model, 0, "model folder", "DIR"},
        {"data", '\0', POPT_ARG_STRING, &a.data, 0, "preference rows, JSONL", "FILE"},
        {"method", '\0', POPT_ARG_STRING, &a.method, 0, "method whose sequences are packed (srpo)", "M"},
        {"template", '\0', POPT_ARG_STRING, &a.template_name, 0, "template (plain)", "T"},
        {"pack", '\0', POPT_ARG_NONE, &a.pack, 0, "packed against separate tokens", NULL},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "as JSON", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0 && a.model == NULL)
        code = cli_usage("inspect", "--model is required");
    if (code < 0 && !a.pack && (a.data != NULL || a.method != NULL || a.template_name != NULL))
        code = cli_usage("inspect", "--data, --method and --template are about packing: pass --pack too");
    if (code < 0)
        code = a.pack ? inspect_pack(&a) : inspect_model(&a);
    free(a.model);
    free(a.data);
    free(a.method);
    free(a.template_name);
    return code;
}
