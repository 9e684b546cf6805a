#include <core/memory.h>
#include <core/status.h>
#include <hone/score.h>
#include <sample/scorer.h>
#include <string.h>
#include <text/sequences.h>

/** The sequences of the mask, and where their sums go. */
static int64_t gather(const hn_row_tokens *tokens, uint32_t mask,
                      hone_sequence sequence[HONE_CONDITIONAL_COUNT]) {
    int64_t count = 0;
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((mask >> c & 1u) != 0)
            sequence[count++] = tokens->sequence[c];
    return count;
}

static void spread(const double *sum, uint32_t mask, double logp[HONE_CONDITIONAL_COUNT]) {
    int64_t s = 0;
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        logp[c] = (mask >> c & 1u) != 0 ? sum[s++] : 0.0;
}

typedef struct scoring {
    const hone_score_source *source;
    hn_scorer *policy, *reference; /**< reference NULL: the policy's own numbers */
} scoring;

static hone_status score_tokens(const scoring *with, const hn_row_tokens *tokens, hone_score *score) {
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    double sum[HONE_CONDITIONAL_COUNT];
    hone_pack *pack = NULL;
    hone_loss_value value;
    hone_status status = HONE_OK;

    HN_GO(hone_pack_create(sequence, gather(tokens, score->mask, sequence), with->source->layout, &pack));
    score->tokens = pack->tokens;
    score->naive_tokens = pack->naive_tokens;
    HN_GO(hn_scorer_run(with->policy, pack, sum));
    spread(sum, score->mask, score->pair.policy);
    if (with->reference != NULL)
        HN_GO(hn_scorer_run(with->reference, pack, sum));
    spread(sum, score->mask, score->pair.reference);
    HN_GO(hone_loss_evaluate(with->source->loss, &score->pair, &value));
    score->loss = value.loss;
done:
    hone_pack_destroy(pack);
    return status;
}

static hone_status score_row(const scoring *with, int64_t i, hone_score *score) {
    const hone_score_source *source = with->source;
    const hone_row *row = hone_dataset_row(source->data, i);
    const char *path = hone_dataset_path(source->data);
    const int64_t positions = hone_model_configuration(source->model)->max_positions;
    hn_row_tokens tokens = {0};
    bool fits = false;
    hone_status status = HONE_OK;

    memset(score, 0, sizeof *score);
    score->row = i;
    score->mask = hone_loss_conditionals(source->loss);
    status = hn_row_tokenise(source->form, source->tokenizer, row, score->mask, positions, &tokens, &fits);
    if (status != HONE_OK)
        HN_GO(hn_fail_in(status, "%s:%lld", path, (long long)row->line));
    if (!fits) {
        status = hn_fail(HONE_ERROR_ARGUMENT,
                         "%s:%lld: the answers alone are longer than the model's %lld positions", path,
                         (long long)row->line, (long long)positions);
        goto done;
    }
    score->pair.tokens[0] = tokens.w.count;
    score->pair.tokens[1] = tokens.l.count > 0 ? tokens.l.count : 1;
    score->pair.preference = row->preference;
    HN_GO(score_tokens(with, &tokens, score));
done:
    hn_row_tokens_clear(&tokens);
    return status;
}

hone_status hone_score_rows(const hone_score_source *source,
                            int (*row)(void *context, const hone_score *score), void *context) {
    scoring with = {.source = source};
    hone_score score;
    hone_status status = HONE_OK;
    hone_model *other = source->reference != NULL ? source->reference : source->model;

    HN_GO(hn_scorer_create(source->model, source->adapter, source->pack_tokens, &with.policy));
    if (source->reference != NULL || source->adapter != NULL)
        HN_GO(hn_scorer_create(other, NULL, source->pack_tokens, &with.reference));
    for (int64_t i = 0; i < hone_dataset_count(source->data); i++) {
        HN_GO(score_row(&with, i, &score));
        if (row(context, &score) != 0) {
            status = hn_fail(HONE_ERROR_INTERRUPTED, "stopped after row %lld", (long long)i + 1);
            goto done;
        }
    }
done:
    hn_scorer_destroy(with.reference);
    hn_scorer_destroy(with.policy);
    return status;
}
