#include "held_out.h"

#include "calibration_figure.h"
#include "cli.h"

#include <hone/model.h>
#include <hone/tokenizer.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void held_out_init(held_out *h) { *h = (held_out){.beta = NAN, .alpha = NAN, .pack_tokens = 4096}; }

static json_t *real(double x) { return isfinite(x) ? json_real(x) : json_null(); }

static json_t *to_json(const char *name, const hone_held_out *m) {
    json_t *bins = json_array();
    for (int k = 0; k < HONE_CALIBRATION_BINS; k++)
        json_array_append_new(bins,
                              json_pack("{s:I,s:o,s:o}", "count", (json_int_t)m->bin[k].count, "predicted",
                                        real(m->bin[k].predicted), "observed", real(m->bin[k].observed)));
    return json_pack("{s:s,s:I,s:o,s:o,s:o,s:o,s:o,s:o}", "policy", name, "rows", (json_int_t)m->rows, "loss",
                     real(m->loss), "margin", real(m->margin), "accuracy", real(m->accuracy),
                     "preference_accuracy", real(m->preference_accuracy), "brier", real(m->brier),
                     "calibration", bins);
}

static void print_sft(const char *name, const hone_held_out *m) {
    (void)printf("%s: %lld rows  loss %.4f  perplexity %.4g\n", name, (long long)m->rows, m->loss,
                 exp(m->loss));
}

static void print_pairs(const char *name, const hone_held_out *m) {
    (void)printf("%s: %lld rows  loss %.4f  margin %+.4f  accuracy %.3f  preference model: accuracy %.3f, "
                 "Brier %.4f\n",
                 name, (long long)m->rows, m->loss, m->margin, m->accuracy, m->preference_accuracy, m->brier);
    (void)puts("  predicted  observed  orders");
    for (int k = 0; k < HONE_CALIBRATION_BINS; k++)
        if (m->bin[k].count > 0)
            (void)printf("      %.3f     %.3f  %6lld\n", m->bin[k].predicted, m->bin[k].observed,
                         (long long)m->bin[k].count);
}

static hone_status make_loss(const held_out *h, hone_loss_options *loss) {
    hone_method method = HONE_SRPO;
    const hone_status status = h->method != NULL ? hone_method_parse(h->method, &method) : HONE_OK;

    if (status != HONE_OK)
        return status;
    *loss = hone_loss_defaults(method);
    loss->beta = isnan(h->beta) ? loss->beta : h->beta;
    loss->alpha = isnan(h->alpha) ? loss->alpha : h->alpha;
    loss->length_normalize = h->length_normalize != 0;
    return hone_loss_check(loss);
}

/** What is open while one policy is measured. */
typedef struct opened {
    hone_device *device;
    hone_dataset *data;
    hone_tokenizer *tokenizer;
    hone_template *form;
    hone_model *model, *reference;
    hone_adapter *adapter;
} opened;

static hone_status open_policy(const held_out *h, const hone_eval_policy *policy, opened *o) {
    hone_status status = hone_tokenizer_open(policy->model, &o->tokenizer);
    if (status == HONE_OK)
        status =
            hone_template_open(h->template_name != NULL ? h->template_name : "plain", o->tokenizer, &o->form);
    if (status == HONE_OK)
        status = hone_model_open_stored(o->device, policy->model, h->machine->stored, &o->model);
    if (status == HONE_OK && policy->adapter != NULL)
        status = hone_adapter_open(o->model, policy->adapter, &o->adapter);
    if (status == HONE_OK && h->reference != NULL)
        status = hone_model_open_stored(o->device, h->reference, h->machine->stored, &o->reference);
    return status;
}

static void close_policy(opened *o) {
    hone_adapter_destroy(o->adapter);
    hone_model_destroy(o->reference);
    hone_model_destroy(o->model);
    hone_template_destroy(o->form);
    hone_tokenizer_destroy(o->tokenizer);
    o->adapter = NULL;
    o->reference = o->model = NULL;
    o->form = NULL;
    o->tokenizer = NULL;
}

static hone_status measure(const held_out *h, const hone_eval_policy *policy, const hone_loss_options *loss,
                           opened *o, hone_held_out *out) {
    hone_status status = open_policy(h, policy, o);
    if (status == HONE_OK) {
        const hone_score_source source = {.model = o->model,
                                          .adapter = o->adapter,
                                          .reference = o->reference,
                                          .tokenizer = o->tokenizer,
                                          .form = o->form,
                                          .data = o->data,
                                          .loss = loss,
                                          .layout = HONE_PACK_TRIE,
                                          .pack_tokens = h->pack_tokens};
        status = hone_held_out_measure(&source, h->limit, out);
    }
    close_policy(o);
    return status;
}

static int print_json(const policies *list, const hone_loss_options *loss, const hone_held_out *out) {
    json_t *results = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(results, to_json(list->policy[i].name, &out[i]));
    return cli_print_json(json_pack("{s:s,s:f,s:o}", "method", hone_method_name(loss->method), "beta",
                                    loss->beta, "held_out", results));
}

static int print(const held_out *h, const policies *list, const hone_loss_options *loss,
                 const hone_held_out *out) {
    if (h->json)
        return print_json(list, loss, out);
    for (size_t i = 0; i < list->count; i++)
        (loss->method == HONE_SFT ? print_sft : print_pairs)(list->policy[i].name, &out[i]);
    return cli_flushed() ? 0 : cli_error("the result could not be written to standard output");
}

static int measure_all(const held_out *h, const policies *list, const hone_loss_options *loss, opened *o) {
    hone_held_out *out = calloc(list->count, sizeof *out);
    int code = 0;

    if (out == NULL)
        return cli_error("out of memory");
    for (size_t i = 0; code == 0 && i < list->count; i++) {
        const hone_status status = measure(h, &list->policy[i], loss, o, &out[i]);
        code = status == HONE_OK ? 0 : cli_fail(status);
    }
    if (code == 0 && h->figure != NULL)
        code = calibration_figure_write(list, out, h->figure);
    if (code == 0)
        code = print(h, list, loss, out);
    free(out);
    return code;
}

/** What is asked for against what it takes; 0: it fits. */
static int check(const held_out *h, const policies *list, const hone_loss_options *loss) {
    if (h->figure != NULL && loss->method == HONE_SFT)
        return cli_usage("eval", "--figure shows the preference model, which sft has none of: leave it out");
    for (size_t i = 0; i < list->count && loss->method != HONE_SFT; i++)
        if (list->policy[i].adapter == NULL && h->reference == NULL)
            return cli_usage("eval",
                             "--held-out compares %s with a reference: pass --reference, or an --adapter",
                             list->policy[i].name);
    return 0;
}

int held_out_run(const held_out *h, const policies *list) {
    hone_loss_options loss;
    opened o = {0};
    hone_status status = make_loss(h, &loss);
    if (status != HONE_OK)
        return cli_fail(status);
    int code = check(h, list, &loss);
    if (code != 0)
        return code;
    const hone_data_kind kind = loss.method == HONE_SFT ? HONE_DATA_COMPLETION : HONE_DATA_PREFERENCE;
    status = hone_dataset_open(h->data, kind, &o.data);
    if (status == HONE_OK)
        status = hone_device_open(h->machine->device, &h->machine->on, &o.device);
    code = status == HONE_OK ? measure_all(h, list, &loss, &o) : cli_fail(status);
    hone_device_close(o.device);
    hone_dataset_destroy(o.data);
    return code;
}
