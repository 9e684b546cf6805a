#include <core/memory.h>
#include <core/status.h>
#include <hone/sample.h>
#include <sample/scorer.h>
#include <string.h>

/** For each draft y: the context that shows y, and y with the end of sequence as the completion. */
typedef struct drafts {
    hone_ids *context, *completion;
    hone_sequence *sequence;
    int64_t count;
} drafts;

static void clear(drafts *d) {
    for (int64_t i = 0; i < d->count; i++) {
        hone_ids_clear(&d->context[i]);
        hone_ids_clear(&d->completion[i]);
    }
    hn_free(d->context);
    hn_free(d->completion);
    hn_free(d->sequence);
}

static hone_status add(drafts *d, const hone_tokenizer *tokenizer, const hone_template *form,
                       const hone_ids *prompt, const char *text) {
    const int64_t i = d->count++;
    const int32_t eos = hone_tokenizer_eos(tokenizer);

    HN_TRY(hone_tokenizer_encode(tokenizer, text, strlen(text), false, &d->completion[i]));
    HN_TRY(hone_template_context(form, prompt, &d->completion[i], &d->context[i]));
    HN_TRY(hone_ids_append(&d->completion[i], &eos, 1));
    d->sequence[i] = (hone_sequence){d->context[i].data, d->context[i].count, d->completion[i].data,
                                     d->completion[i].count};
    return HONE_OK;
}

static hone_status collect(drafts *d, const hone_tokenizer *tokenizer, const hone_template *form,
                           const char *prompt, const hone_answer *answer) {
    const size_t count = (size_t)answer->drafts;
    hone_ids ids = {0};
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&d->context, count, sizeof *d->context, "drafts"));
    HN_GO(hn_alloc(&d->completion, count, sizeof *d->completion, "drafts"));
    HN_GO(hn_alloc(&d->sequence, count, sizeof *d->sequence, "drafts"));
    HN_GO(hone_tokenizer_encode(tokenizer, prompt, strlen(prompt), false, &ids));
    for (int64_t i = 0; i < answer->drafts; i++)
        HN_GO(add(d, tokenizer, form, &ids, answer->draft[i].text));
done:
    hone_ids_clear(&ids);
    return status;
}

/** The sums of one model, added to `score` with a sign. */
static hone_status add_scores(hone_model *model, hone_adapter *adapter, const hone_pack *pack, double sign,
                              double *sum, double *score) {
    hn_scorer *scorer = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_scorer_create(model, adapter, pack->tokens + 2 * pack->sequences, &scorer));
    HN_GO(hn_scorer_run(scorer, pack, sum));
    for (int64_t i = 0; i < pack->sequences; i++)
        score[i] += sign * sum[i];
done:
    hn_scorer_destroy(scorer);
    return status;
}

hone_status hone_answer_best(hone_model *model, hone_adapter *adapter, hone_model *reference,
                             const hone_tokenizer *tokenizer, const hone_template *form, const char *prompt,
                             const hone_answer *answer, int64_t *best, double *score) {
    drafts d = {0};
    hone_pack *pack = NULL;
    double *sum = NULL, *total = NULL;
    hone_status status = HONE_OK;

    *best = 0;
    if (reference == NULL && adapter == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "the best draft is found against a reference: pass --reference, or an --adapter");
    if (hone_tokenizer_eos(tokenizer) < 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "the tokenizer has no end of sequence (eos_token): completions need one");
    HN_GO(collect(&d, tokenizer, form, prompt, answer));
    HN_GO(hone_pack_create(d.sequence, d.count, HONE_PACK_TRIE, &pack));
    HN_GO(hn_alloc(&sum, (size_t)d.count, sizeof *sum, "scores"));
    HN_GO(hn_alloc(&total, (size_t)d.count, sizeof *total, "scores"));
    HN_GO(add_scores(model, adapter, pack, 1.0, sum, total));
    HN_GO(add_scores(reference != NULL ? reference : model, NULL, pack, -1.0, sum, total));
    for (int64_t i = 1; i < d.count; i++)
        *best = total[i] > total[*best] ? i : *best;
    if (score != NULL)
        memcpy(score, total, (size_t)d.count * sizeof *score);
done:
    hn_free(total);
    hn_free(sum);
    hone_pack_destroy(pack);
    clear(&d);
    return status;
}
