/* hone score: the log-probabilities that a method reads, row by row. */
#include "cli.h"
#include "session.h"
#include "verbs.h"

#include <hone/score.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char summary[] =
    "hone score: the log-probabilities that a method reads, row by row\n\n"
    "Sums over the tokens of each answer, end of sequence included, of policy and reference; \"a|b\" is\n"
    "answer a shown draft b.";
static const char example[] =
    "  hone score --model model --adapter run/final --data pairs.jsonl --method srpo --json";

typedef struct arguments {
    session session;
    char *data, *method;
    double beta, alpha, gamma, rpo_lambda;
    long long pack_tokens;
    int length_normalize, json;
    hone_loss_options loss;
} arguments;

static json_t *logps(const double *values, uint32_t mask) {
    json_t *object = json_object();
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((mask >> c & 1u) != 0)
            json_object_set_new(object, hone_conditional_name((hone_conditional)c), json_real(values[c]));
    return object;
}

static int print_json(const hone_score *score) {
    return cli_print_json(json_pack("{s:I,s:o,s:o,s:{s:I,s:I},s:f,s:I,s:I}", "row", (json_int_t)score->row,
                                    "policy", logps(score->pair.policy, score->mask), "reference",
                                    logps(score->pair.reference, score->mask), "tokens", "w",
                                    (json_int_t)score->pair.tokens[0], "l", (json_int_t)score->pair.tokens[1],
                                    "loss", score->loss, "packed_tokens", (json_int_t)score->tokens,
                                    "naive_tokens", (json_int_t)score->naive_tokens));
}

static int print_text(const hone_score *score) {
    (void)printf("row %lld  loss %.4f", (long long)score->row, score->loss);
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((score->mask >> c & 1u) != 0)
            (void)printf("  %s %.3f (%+.3f)", hone_conditional_name((hone_conditional)c),
                         score->pair.policy[c], score->pair.policy[c] - score->pair.reference[c]);
    return putchar('\n') == EOF;
}

static int take_row(void *context, const hone_score *score) {
    const arguments *a = context;
    return a->json ? print_json(score) : print_text(score);
}

static hone_status make_loss(arguments *a) {
    hone_status status = hone_method_parse(a->method, &a->loss.method);
    if (status != HONE_OK)
        return status;
    a->loss = hone_loss_defaults(a->loss.method);
    a->loss.beta = isnan(a->beta) ? a->loss.beta : a->beta;
    a->loss.alpha = isnan(a->alpha) ? a->loss.alpha : a->alpha;
    a->loss.gamma = isnan(a->gamma) ? a->loss.gamma : a->gamma;
    a->loss.rpo_lambda = isnan(a->rpo_lambda) ? a->loss.rpo_lambda : a->rpo_lambda;
    a->loss.length_normalize = a->length_normalize != 0;
    return hone_loss_check(&a->loss);
}

static hone_status score(arguments *a) {
    const hone_data_kind kind = a->loss.method == HONE_SFT ? HONE_DATA_COMPLETION : HONE_DATA_PREFERENCE;
    hone_dataset *data = NULL;
    hone_status status = hone_dataset_open(a->data, kind, &data);

    if (status == HONE_OK) {
        const hone_score_source source = {.model = a->session.model,
                                          .adapter = a->session.adapter,
                                          .reference = a->session.reference,
                                          .tokenizer = a->session.tokenizer,
                                          .form = a->session.form,
                                          .data = data,
                                          .loss = &a->loss,
                                          .layout = HONE_PACK_TRIE,
                                          .pack_tokens = a->pack_tokens};
        status = hone_score_rows(&source, take_row, a);
    }
    hone_dataset_destroy(data);
    return status;
}

static int run(arguments *a) {
    if (a->data == NULL || a->method == NULL)
        return cli_usage("score", "--data and --method are required");
    hone_status status = make_loss(a);
    if (status != HONE_OK)
        return cli_fail(status);
    int code = session_open(&a->session, "score");
    if (code != 0)
        return code;
    status = score(a);
    if (status != HONE_OK)
        return cli_fail(status);
    return fflush(stdout) == 0 ? 0 : cli_error("the result could not be written to standard output");
}

int hone_cmd_score(int argc, const char **argv) {
    arguments a = {.beta = NAN, .alpha = NAN, .gamma = NAN, .rpo_lambda = NAN, .pack_tokens = 4096};
    struct poptOption options[] = {
        SESSION_OPTIONS(a.session),
        {"data", '\0', POPT_ARG_STRING, &a.data, 0, "preference rows, JSONL", "FILE"},
        {"method", '\0', POPT_ARG_STRING, &a.method, 0, "srpo, dpo, ipo, rpo, simpo or sft", "M"},
        {"beta", '\0', POPT_ARG_DOUBLE, &a.beta, 0, "the method's beta", "B"},
        {"alpha", '\0', POPT_ARG_DOUBLE, &a.alpha, 0, "SRPO: weight of the improvement loss", "A"},
        {"gamma", '\0', POPT_ARG_DOUBLE, &a.gamma, 0, "SimPO: target margin", "G"},
        {"rpo-lambda", '\0', POPT_ARG_DOUBLE, &a.rpo_lambda, 0, "RPO: weight of the chosen answer's NLL",
         "X"},
        {"length-normalize", '\0', POPT_ARG_NONE, &a.length_normalize, 0, "means in the loss", NULL},
        {"pack-tokens", '\0', POPT_ARG_LONGLONG, &a.pack_tokens, 0, "most packed tokens of a row (4096)",
         "T"},
        {"json", '\0', POPT_ARG_NONE, &a.json, 0, "a line of JSON a row", NULL},
        POPT_TABLEEND,
    };
    int code = cli_parse(argc, argv, options, summary, example, NULL, NULL);
    if (code < 0)
        code = run(&a);
    session_close(&a.session);
    free(a.data);
    free(a.method);
    return code;
}
