#include <core/status.h>
#include <hone/inspect.h>
#include <hone/model.h>
#include <string.h>
#include <train/examples.h>

static void add_up(const hn_examples *examples, int64_t budget, hone_packing *packing) {
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];

    for (int64_t i = 0; i < examples->count; i++) {
        const hn_example *example = &examples->item[i];
        packing->rows++;
        packing->sequences += hn_example_sequences(examples, i, sequence);
        packing->packed += example->packed;
        packing->separate += example->naive;
        packing->padded += example->padded;
        packing->over += budget > 0 && example->packed > budget;
        packing->longest = example->packed > packing->longest ? example->packed : packing->longest;
    }
}

static hone_status measure(const char *model, const char *form_name, const char *path,
                           const hone_loss_options *loss, int64_t budget, bool lenient,
                           hone_packing *packing) {
    hone_model_config config;
    hone_tokenizer *tokenizer = NULL;
    hone_template *form = NULL;
    hn_mixture mixture = {.files = 0};
    hn_examples examples = {0};
    hone_status status = HONE_OK;

    memset(packing, 0, sizeof *packing);
    HN_GO(hone_model_config_read(model, &config));
    HN_GO(hone_tokenizer_open(model, &tokenizer));
    HN_GO(hone_template_open(form_name, tokenizer, &form));
    HN_GO(hn_mixture_parse(path, &mixture));
    const hn_example_source source = {.mixture = &mixture,
                                      .form = form,
                                      .tokenizer = tokenizer,
                                      .loss = loss,
                                      .max_length = config.max_positions,
                                      .lenient = lenient};
    HN_GO(hn_examples_create(&source, &examples));
    add_up(&examples, budget, packing);
    packing->cut = examples.cut;
    packing->dropped = examples.dropped;
    packing->useless = examples.useless;
done:
    hn_examples_clear(&examples);
    hn_mixture_clear(&mixture);
    hone_template_destroy(form);
    hone_tokenizer_destroy(tokenizer);
    return status;
}

hone_status hone_packing_measure(const char *model, const char *form, const char *data,
                                 const hone_loss_options *loss, hone_packing *packing) {
    return measure(model, form, data, loss, 0, false, packing);
}

hone_status hone_packing_measure_within(const char *model, const char *form, const char *data,
                                        const hone_loss_options *loss, int64_t budget,
                                        hone_packing *packing) {
    return measure(model, form, data, loss, budget, true, packing);
}
