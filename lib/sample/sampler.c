#include <core/file.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <model/parameters.h>
#include <sample/choose.h>
#include <sample/slot.h>
#include <string.h>

/** Tokens of one prefill call; tokens that a shown draft may have over those it was drawn in (characters cut short come
 *  back as more) before slabs are made anew and everything is prefilled again. */
enum { CHUNK = 256, SLACK = 256 };

struct hone_sampler {
    hone_model *model;
    hone_adapter *adapter;
    const hone_tokenizer *tokenizer;
    const hone_template *form;
    hone_sample_options options;
    hn_decoder *decoder;
    int64_t slab; /**< cache rows of a slot; 0: no decoder yet */
    int64_t next; /**< number of the next prompt */
    hn_slot *slot;
    const hn_slot
        *computed; /**< whose last context token's logits are the first of `logits`; NULL: nobody's */
    hn_choice choice;
    float *logits; /**< [batch][V] */
    int32_t *token, *position, *cache_row, *row;
    hone_segment *segment;
    int32_t (*range)[2];
    hone_sample_stream stream;
    void *stream_context;
};

hone_sample_options hone_sample_defaults(void) {
    return (hone_sample_options){.max_tokens = 256, .temperature = 0.0, .top_p = 1.0, .batch = 8};
}

static hone_status check(const hone_sample_options *options) {
    if (options->max_tokens < 1 || options->max_tokens > 1 << 24)
        return hn_fail(HONE_ERROR_ARGUMENT, "--max-tokens is %lld, must be at least 1",
                       (long long)options->max_tokens);
    if (!(options->temperature >= 0.0) || !isfinite(options->temperature))
        return hn_fail(HONE_ERROR_ARGUMENT, "--temperature is %g, must be a number >= 0",
                       options->temperature);
    if (!(options->top_p > 0.0 && options->top_p <= 1.0))
        return hn_fail(HONE_ERROR_ARGUMENT, "--top-p is %g, must be over 0 and at most 1", options->top_p);
    if (options->top_k < 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--top-k is %lld, must be at least 0", (long long)options->top_k);
    if (options->revisions < 0 || options->revisions > 1000)
        return hn_fail(HONE_ERROR_ARGUMENT, "-n is %lld, must be 0 to 1000", (long long)options->revisions);
    if (options->batch < 1 || options->batch > 1024)
        return hn_fail(HONE_ERROR_ARGUMENT, "--batch is %lld, must be 1 to 1024", (long long)options->batch);
    return HONE_OK;
}

static hone_status make_room(hone_sampler *s) {
    const size_t batch = (size_t)s->options.batch, tokens = batch > CHUNK ? batch : CHUNK;

    HN_TRY(hn_alloc(&s->slot, batch, sizeof *s->slot, "slots"));
    HN_TRY(hn_alloc(&s->logits, batch * (size_t)hone_model_configuration(s->model)->vocabulary,
                    sizeof *s->logits, "logits"));
    HN_TRY(hn_alloc(&s->token, tokens, sizeof *s->token, "decode step"));
    HN_TRY(hn_alloc(&s->position, tokens, sizeof *s->position, "decode step"));
    HN_TRY(hn_alloc(&s->cache_row, tokens, sizeof *s->cache_row, "decode step"));
    HN_TRY(hn_alloc(&s->row, tokens, sizeof *s->row, "decode step"));
    HN_TRY(hn_alloc(&s->segment, tokens, sizeof *s->segment, "decode step"));
    return hn_alloc(&s->range, tokens, sizeof *s->range, "decode step");
}

hone_status hone_sampler_create(hone_model *model, hone_adapter *adapter, const hone_tokenizer *tokenizer,
                                const hone_template *form, const hone_sample_options *options,
                                hone_sampler **out) {
    hone_sampler *s = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(check(options));
    HN_GO(hn_alloc(&s, 1, sizeof *s, "sampler"));
    s->model = model;
    s->adapter = adapter;
    s->tokenizer = tokenizer;
    s->form = form;
    s->options = *options;
    HN_GO(make_room(s));
    *out = s;
    s = NULL;
done:
    hone_sampler_destroy(s);
    return status;
}

void hone_sampler_destroy(hone_sampler *s) {
    if (s == NULL)
        return;
    for (int64_t i = 0; s->slot != NULL && i < s->options.batch; i++)
        hn_slot_clear(&s->slot[i]);
    hn_decoder_destroy(s->decoder);
    hn_choice_clear(&s->choice);
    hn_free(s->slot);
    hn_free(s->logits);
    hn_free(s->token);
    hn_free(s->position);
    hn_free(s->cache_row);
    hn_free(s->row);
    hn_free(s->segment);
    hn_free(s->range);
    hn_free(s);
}

void hone_answer_clear(hone_answer *answer) {
    for (int64_t i = 0; i < answer->drafts; i++) {
        hn_free(answer->draft[i].text);
        hone_ids_clear(&answer->draft[i].tokens);
    }
    hn_free(answer->draft);
    memset(answer, 0, sizeof *answer);
}

/** Slabs with room for a context of `longest` tokens and a draft, as far as the model's positions go. Larger slabs hold
 *  nothing yet. */
static hone_status make_decoder(hone_sampler *s, int64_t longest) {
    const int64_t positions = hone_model_configuration(s->model)->max_positions;
    int64_t slab = longest + s->options.max_tokens;
    const int64_t tokens = s->options.batch > CHUNK ? s->options.batch : CHUNK;

    slab = slab < positions ? slab : positions;
    if (slab <= s->slab)
        return HONE_OK;
    hn_decoder_destroy(s->decoder);
    s->decoder = NULL;
    s->slab = 0;
    HN_TRY(hn_decoder_create(s->model, s->adapter, slab * s->options.batch, tokens, s->options.batch,
                             &s->decoder));
    s->slab = slab;
    for (int64_t i = 0; i < s->options.batch; i++) {
        s->slot[i].first_row = (int32_t)(i * slab);
        s->slot[i].held.count = 0;
    }
    return HONE_OK;
}

/** Query i of the call: token `id` of the slot at its next position; keys before it are the slab's. */
static void put_token(hone_sampler *s, const hn_slot *slot, int64_t i, int32_t id, int64_t position) {
    s->token[i] = id;
    s->position[i] = (int32_t)position;
    s->cache_row[i] = slot->first_row + (int32_t)position;
}

static void put_segment(hone_sampler *s, const hn_slot *slot, int64_t i, int64_t begin, int64_t end,
                        int64_t position) {
    const int32_t first = slot->first_row, key = first + (int32_t)position;
    s->range[i][0] = first;
    s->range[i][1] = key;
    s->segment[i] =
        (hone_segment){(int32_t)begin, (int32_t)end, key, (int32_t)i, (int32_t)i + 1, (int32_t)end};
}

static hone_status run_decoder(hone_sampler *s, int64_t tokens, int64_t segments, int64_t logits,
                               float *out) {
    const hn_decoder_step step = {.tokens = tokens,
                                  .segments = segments,
                                  .ranges = segments,
                                  .logits = logits,
                                  .token = s->token,
                                  .position = s->position,
                                  .cache_row = s->cache_row,
                                  .segment = (const int32_t *)s->segment,
                                  .range = (const int32_t *)s->range,
                                  .row = s->row};
    return hn_decoder_run(s->decoder, &step, out);
}

/** The rest of the context, a chunk at a time; the logits of its last token into `logits`. */
static hone_status prefill(hone_sampler *s, hn_slot *slot, float *logits) {
    const hone_ids *context = &slot->context;
    for (int64_t at = slot->held.count; at < context->count;) {
        const int64_t left = context->count - at, n = left < CHUNK ? left : CHUNK;
        for (int64_t i = 0; i < n; i++)
            put_token(s, slot, i, context->data[at + i], at + i);
        put_segment(s, slot, 0, 0, n, at);
        s->row[0] = (int32_t)(n - 1);
        HN_TRY(run_decoder(s, n, 1, 1, logits));
        HN_TRY(hone_ids_append(&slot->held, context->data + at, n));
        at += n;
    }
    return HONE_OK;
}

/** Sends what is complete of the draft's text and was not sent yet. The replacement character at the end may be a
 *  character that is still growing. */
static hone_status send(hone_sampler *s, hn_slot *slot, const hone_draft *draft, bool last) {
    char *text = NULL;

    if (s->stream == NULL)
        return HONE_OK;
    HN_TRY(hone_tokenizer_decode(s->tokenizer, draft->tokens.data, draft->tokens.count, true, &text));
    size_t length = strlen(text);
    while (!last && length >= 3 && memcmp(text + length - 3, "\xef\xbf\xbd", 3) == 0)
        length -= 3;
    if (length > slot->streamed) {
        text[length] = '\0';
        s->stream(s->stream_context, slot->number, slot->answer->drafts - 1, text + slot->streamed);
        slot->streamed = length;
    }
    hone_text_free(text);
    return HONE_OK;
}

/** Logits that are not finite come of weights that are not: the message names the weight. */
static hone_status blame(hone_sampler *s, hone_status status) {
    if (status != HONE_ERROR_NUMERIC || hn_parameters_check(hn_model_weights(s->model)) != HONE_OK)
        return status;
    return s->adapter != NULL && hn_parameters_check(hn_adapter_weights(s->adapter)) != HONE_OK
               ? HONE_ERROR_NUMERIC
               : status;
}

/** Draws the next token of the slot's draft; the slot is done at the end of sequence or when there is no room. */
static hone_status extend(hone_sampler *s, hn_slot *slot, const float *logits) {
    hone_draft *draft = &slot->answer->draft[slot->answer->drafts - 1];
    const uint64_t index = (uint64_t)slot->number << 24 | (uint64_t)draft->tokens.count;
    const double uniform = hn_random_uniform((uint64_t)s->options.seed, HN_PURPOSE_SAMPLE,
                                             (uint32_t)(slot->answer->drafts - 1), index);
    int32_t token = 0;
    double logp = 0.0;

    const hone_status status = hn_choose(&s->choice, logits, hone_model_configuration(s->model)->vocabulary,
                                         &s->options, uniform, &token, &logp);
    if (status != HONE_OK)
        return blame(s, status);
    HN_TRY(hone_ids_append(&draft->tokens, &token, 1));
    draft->logp += logp;
    draft->ended = token == hone_tokenizer_eos(s->tokenizer);
    slot->active = !draft->ended && draft->tokens.count < s->options.max_tokens && slot->held.count < s->slab;
    return send(s, slot, draft, !slot->active);
}

/** A slot whose whole context was just computed for another one (samples of one prompt) takes over its keys, values and
 *  logits: what computing them again would give. */
static hone_status take_over(hone_sampler *s, hn_slot *slot, bool *taken) {
    const hn_slot *from = s->computed;
    const int64_t count = slot->context.count;

    *taken = from != NULL && !s->options.afresh && from->held.count == count &&
             memcmp(from->held.data, slot->context.data, (size_t)count * sizeof *slot->context.data) == 0;
    if (!*taken)
        return HONE_OK;
    HN_TRY(hn_decoder_copy(s->decoder, from->first_row, slot->first_row, count));
    slot->held.count = 0;
    return hone_ids_append(&slot->held, slot->context.data, count);
}

/** Opens the next draft of a slot, whose context is made, and writes its first token. */
static hone_status begin(hone_sampler *s, hn_slot *slot, float *logits) {
    hone_answer *answer = slot->answer;

    HN_TRY(hn_realloc(&answer->draft, (size_t)answer->drafts + 1, sizeof *answer->draft, "drafts"));
    hone_draft *draft = &answer->draft[answer->drafts++];
    memset(draft, 0, sizeof *draft);
    slot->streamed = 0;
    if (s->options.afresh)
        slot->held.count = 0;
    const double began = hn_seconds();
    bool taken = false;
    HN_TRY(take_over(s, slot, &taken));
    draft->reused = taken ? slot->context.count : hn_slot_keep(slot);
    draft->prefilled = slot->context.count - draft->reused;
    if (!taken) {
        HN_TRY(prefill(s, slot, logits));
        s->computed = slot;
    }
    draft->prefill_seconds = hn_seconds() - began;
    return extend(s, slot, logits);
}

/** One token of every active slot. */
static hone_status step(hone_sampler *s, int64_t slots, int64_t *active) {
    const int64_t vocabulary = hone_model_configuration(s->model)->vocabulary;
    int64_t n = 0, k = 0;

    for (int64_t i = 0; i < slots; i++) {
        hn_slot *slot = &s->slot[i];
        if (!slot->active)
            continue;
        const hone_draft *draft = &slot->answer->draft[slot->answer->drafts - 1];
        const int32_t last = draft->tokens.data[draft->tokens.count - 1];
        put_token(s, slot, n, last, slot->held.count);
        put_segment(s, slot, n, n, n + 1, slot->held.count);
        s->row[n] = (int32_t)n;
        HN_TRY(hone_ids_append(&slot->held, &last, 1));
        n++;
    }
    *active = n;
    if (n == 0)
        return HONE_OK;
    HN_TRY(run_decoder(s, n, n, n, s->logits));
    for (int64_t i = 0; i < slots; i++)
        if (s->slot[i].active)
            HN_TRY(extend(s, &s->slot[i], s->logits + vocabulary * k++));
    return HONE_OK;
}

/** The contexts of the next drafts, and slabs that they fit in. */
static hone_status make_contexts(hone_sampler *s, int64_t slots) {
    const int64_t positions = hone_model_configuration(s->model)->max_positions;
    int64_t longest = 0;

    for (int64_t i = 0; i < slots; i++) {
        hn_slot *slot = &s->slot[i];
        HN_TRY(hn_slot_context(slot, s->form, s->tokenizer));
        if (slot->context.count >= positions)
            return hn_fail(HONE_ERROR_ARGUMENT,
                           "prompt %lld: its context of %lld tokens leaves no room within the model's %lld "
                           "positions: give a shorter one",
                           (long long)slot->number + 1, (long long)slot->context.count, (long long)positions);
        longest = slot->context.count > longest ? slot->context.count : longest;
    }
    return make_decoder(s, longest);
}

static hone_status write_drafts(hone_sampler *s, int64_t slots) {
    int64_t active = 0;

    s->computed = NULL;
    HN_TRY(make_contexts(s, slots));
    for (int64_t i = 0; i < slots; i++)
        HN_TRY(begin(s, &s->slot[i], s->logits));
    do
        HN_TRY(step(s, slots, &active));
    while (active > 0);
    for (int64_t i = 0; i < slots; i++) {
        hone_draft *draft = &s->slot[i].answer->draft[s->slot[i].answer->drafts - 1];
        HN_TRY(
            hone_tokenizer_decode(s->tokenizer, draft->tokens.data, draft->tokens.count, true, &draft->text));
    }
    return HONE_OK;
}

/** A group of prompts, all drafts. Slabs are made for what all drafts need, so that none loses its keys on the way. */
static hone_status run_group(hone_sampler *s, const char *const *prompt, int64_t slots, hone_answer *answer) {
    const int64_t shown = s->options.revisions > 0 ? s->options.max_tokens + SLACK : 0;
    int64_t longest = 0, expected = 0;

    for (int64_t i = 0; i < slots; i++) {
        hn_slot *slot = &s->slot[i];
        slot->number = s->next++;
        slot->answer = &answer[i];
        slot->prompt.count = 0;
        HN_TRY(hone_tokenizer_encode(s->tokenizer, prompt[i], strlen(prompt[i]), false, &slot->prompt));
        HN_TRY(hn_slot_forecast(slot, s->form, shown, &expected));
        longest = expected > longest ? expected : longest;
    }
    HN_TRY(make_decoder(s, longest));
    for (int64_t d = 0; d <= s->options.revisions; d++)
        HN_TRY(write_drafts(s, slots));
    return HONE_OK;
}

/** After a failure nobody knows which keys were computed. */
static void forget(hone_sampler *s) {
    for (int64_t i = 0; i < s->options.batch; i++)
        s->slot[i].held.count = 0;
}

hone_status hone_sampler_run(hone_sampler *s, const char *const *prompt, int64_t count,
                             hone_sample_stream stream, void *context, hone_answer *answer) {
    s->stream = stream;
    s->stream_context = context;
    for (int64_t first = 0; first < count; first += s->options.batch) {
        const int64_t left = count - first;
        const int64_t slots = left < s->options.batch ? left : s->options.batch;
        const hone_status status = run_group(s, prompt + first, slots, answer + first);
        if (status != HONE_OK) {
            forget(s);
            return status;
        }
    }
    return HONE_OK;
}

void hone_sampler_seek(hone_sampler *s, int64_t number) { s->next = number; }
