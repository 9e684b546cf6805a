/**
 * Answers, and revisions of them: y0 ~ pi(.|x), then y(n+1) ~ pi+(.|y(n), x) with the same weights.
 *
 * Prompts run in lockstep, each with a slab of cache rows. What a new context has in common with what a slab
 * holds (the prompt, the draft) keeps its keys and values; the rest is prefilled.
 */
#ifndef HONE_SAMPLE_H
#define HONE_SAMPLE_H

#include <hone/model.h>
#include <hone/template.h>
#include <hone/tokenizer.h>

HONE_BEGIN

typedef struct hone_sample_options {
    int64_t max_tokens; /**< of one draft, end of sequence included */
    double temperature; /**< 0: greedy */
    int64_t top_k;      /**< 0: all */
    double top_p;       /**< in (0, 1]; 1: all */
    int64_t seed;
    int64_t revisions; /**< n: drafts 0..n */
    int64_t batch;     /**< prompts in lockstep */
    bool afresh;       /**< every context is computed whole, nothing is kept: to compare with */
} hone_sample_options;
/** 256 tokens, greedy, no cuts, seed 0, no revision, 8 prompts. */
HONE_API hone_sample_options hone_sample_defaults(void);

typedef struct hone_draft {
    char *text;                /**< special tokens left out */
    hone_ids tokens;           /**< end of sequence included where it was drawn */
    double logp;               /**< sum over the tokens, under the model at temperature 1 */
    bool ended;                /**< by the end of sequence; else by max_tokens or the model's length */
    int64_t prefilled, reused; /**< tokens of the context: computed, and kept from before */
    double prefill_seconds;    /**< what computing them took */
} hone_draft;

typedef struct hone_answer {
    hone_draft *draft; /**< [drafts], y0 first */
    int64_t drafts;
} hone_answer;
HONE_API void hone_answer_clear(hone_answer *answer);

/** A piece of text as it is written: complete characters of draft `draft` of prompt `prompt`. */
typedef void (*hone_sample_stream)(void *context, int64_t prompt, int64_t draft, const char *piece);

typedef struct hone_sampler hone_sampler;
/** Everything given outlives the sampler; `adapter` may be NULL. */
HONE_API HONE_MUST_USE hone_status hone_sampler_create(hone_model *model, hone_adapter *adapter,
                                                       const hone_tokenizer *tokenizer,
                                                       const hone_template *form,
                                                       const hone_sample_options *options,
                                                       hone_sampler **sampler);
HONE_API void hone_sampler_destroy(hone_sampler *sampler);
/** answers[count], zero-initialised, cleared by the caller. Prompts are numbered over all runs of a sampler: what is
 *  drawn for one depends on its number and the seed, not on the batch. `stream` may be NULL. */
HONE_API HONE_MUST_USE hone_status hone_sampler_run(hone_sampler *sampler, const char *const *prompt,
                                                    int64_t count, hone_sample_stream stream, void *context,
                                                    hone_answer *answer);
/** The next prompt's number (0 in a new sampler), at least 0 and below 2^39: a run that is taken up again draws what
 *  it would have drawn. */
HONE_API void hone_sampler_seek(hone_sampler *sampler, int64_t number);

/** The draft that the model finds least improvable: the largest r(y|y) = log pi+(y|y,x) - log pi_ref(y|y,x). The
 *  reference is `reference`, or the model without its adapter when NULL. *score: [drafts], may be NULL. */
HONE_API HONE_MUST_USE hone_status hone_answer_best(hone_model *model, hone_adapter *adapter,
                                                    hone_model *reference, const hone_tokenizer *tokenizer,
                                                    const hone_template *form, const char *prompt,
                                                    const hone_answer *answer, int64_t *best, double *score);

/** The draft of the largest log pi(y_n|y_(n-1),x) (log pi(y_0|x) for draft 0): what the model was surest of as it wrote.
 *  The later one of equals; 0 for an answer without drafts. */
HONE_API int64_t hone_answer_likeliest(const hone_answer *answer);

HONE_END

#endif
