#include <bench/times.h>
#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/sample.h>
#include <string.h>

/** One way of revising: its sampler and its times. */
typedef struct way {
    hone_sampler *sampler;
    hone_bench_revising *result;
    double *prefill, *whole; /**< [rounds] */
} way;

hone_bench_revise_options hone_bench_revise_defaults(void) {
    return (hone_bench_revise_options){
        .prompt_tokens = 350, .tokens = 35, .revisions = 4, .warmup = 1, .rounds = 5};
}

static hone_status check(const hone_bench_revise_options *options) {
    if (options->prompt_tokens < 1 || options->prompt_tokens > 1 << 20)
        return hn_fail(HONE_ERROR_ARGUMENT, "a prompt of %lld tokens: it takes 1 to %d",
                       (long long)options->prompt_tokens, 1 << 20);
    if (options->revisions < 1)
        return hn_fail(HONE_ERROR_ARGUMENT, "%lld revisions: it takes at least 1",
                       (long long)options->revisions);
    return hn_bench_check_runs(options->warmup, options->rounds);
}

/** Words until there are as many tokens as wanted. */
static hone_status make_prompt(const hone_tokenizer *tokenizer, int64_t tokens, hn_bytes *text,
                               int64_t *count) {
    static const char *const words[] = {"The",    " quick", " river",  " runs",    " below",
                                        " seven", " old",   " stone",  " bridges", " and",
                                        " no",    " one",   " counts", " them."};
    hone_ids ids = {0};
    hone_status status = HONE_OK;

    *count = 0;
    for (size_t i = 0; *count < tokens; i++) {
        const char *word = words[i % (sizeof words / sizeof words[0])];
        HN_GO(hn_bytes_append(text, word, strlen(word)));
        ids.count = 0;
        /* Encoding is linear: all of it again at every word would not be. */
        HN_GO(hone_tokenizer_encode(tokenizer, word, strlen(word), false, &ids));
        *count += ids.count;
    }
    ids.count = 0;
    HN_GO(hone_tokenizer_encode(tokenizer, text->data, text->length, false, &ids));
    *count = ids.count;
done:
    hone_ids_clear(&ids);
    return status;
}

static hone_status run_once(way *w, const char *prompt, int64_t round) {
    hone_bench_revising *r = w->result;
    hone_answer answer = {0};
    double prefill = 0.0;
    hone_status status = HONE_OK;

    const double began = hn_seconds();
    HN_GO(hone_sampler_run(w->sampler, &prompt, 1, NULL, NULL, &answer));
    const double whole = hn_seconds() - began;
    r->prefilled = r->reused = r->written = 0;
    for (int64_t d = 1; d < answer.drafts; d++) {
        prefill += answer.draft[d].prefill_seconds;
        r->prefilled += answer.draft[d].prefilled;
        r->reused += answer.draft[d].reused;
        r->written += answer.draft[d].tokens.count;
    }
    if (round >= 0) {
        w->prefill[round] = prefill;
        w->whole[round] = whole;
    }
done:
    hone_answer_clear(&answer);
    return status;
}

hone_status hone_bench_revise(hone_model *model, hone_adapter *adapter, const hone_tokenizer *tokenizer,
                              const hone_template *form, const hone_bench_revise_options *options,
                              hone_bench_revise_result *result) {
    hone_sample_options sample = hone_sample_defaults();
    way ways[2] = {{.result = &result->kept}, {.result = &result->afresh}};
    hn_bytes prompt = {0};
    double *seconds = NULL;
    hone_status status = HONE_OK;

    memset(result, 0, sizeof *result);
    HN_TRY(check(options));
    sample.max_tokens = options->tokens;
    sample.revisions = options->revisions;
    sample.batch = 1;
    /* Drawn, so that a revision is not its draft again. */
    sample.temperature = 1.0;
    HN_GO(hn_alloc(&seconds, (size_t)(4 * options->rounds), sizeof *seconds, "times"));
    HN_GO(make_prompt(tokenizer, options->prompt_tokens, &prompt, &result->prompt_tokens));
    for (int i = 0; i < 2; i++) {
        sample.afresh = i == 1;
        HN_GO(hone_sampler_create(model, adapter, tokenizer, form, &sample, &ways[i].sampler));
        ways[i].prefill = seconds + 2 * i * options->rounds;
        ways[i].whole = ways[i].prefill + options->rounds;
    }
    for (int64_t round = -options->warmup; round < options->rounds; round++)
        for (int i = 0; i < 2; i++)
            HN_GO(run_once(&ways[i], prompt.data, round));
    for (int i = 0; i < 2; i++) {
        ways[i].result->prefill = hn_times_of(ways[i].prefill, options->rounds);
        ways[i].result->whole = hn_times_of(ways[i].whole, options->rounds);
    }
done:
    hone_sampler_destroy(ways[0].sampler);
    hone_sampler_destroy(ways[1].sampler);
    hn_bytes_clear(&prompt);
    hn_free(seconds);
    return status;
}
