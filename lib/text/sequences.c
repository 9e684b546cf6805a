#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <text/sequences.h>

/** The contexts that each conditional reads, and its completion. */
enum {
    NEEDS_ANSWER = 1u << HONE_W | 1u << HONE_L,
    NEEDS_DRAFT_L = 1u << HONE_W_GIVEN_L | 1u << HONE_L_GIVEN_L,
    NEEDS_DRAFT_W = 1u << HONE_W_GIVEN_W | 1u << HONE_L_GIVEN_W
};

static hone_status encode(const hone_tokenizer *tokenizer, const char *text, hone_ids *ids) {
    return hone_tokenizer_encode(tokenizer, text, strlen(text), false, ids);
}

static hone_status append_eos(const hone_tokenizer *tokenizer, hone_ids *ids) {
    const int32_t eos = hone_tokenizer_eos(tokenizer);

    if (eos < 0)
        return hn_fail(HONE_ERROR_UNSUPPORTED,
                       "the tokenizer has no end of sequence (eos_token): completions need one");
    if (ids->count > 0 && ids->data[ids->count - 1] == eos)
        return HONE_OK;
    return hone_ids_append(ids, &eos, 1);
}

static void set(hn_row_tokens *tokens, hone_conditional c, const hone_ids *context,
                const hone_ids *completion) {
    tokens->sequence[c] = (hone_sequence){context->data, context->count, completion->data, completion->count};
}

/** All contexts, with a prompt that begins `skip` tokens later. `draft`: what the completion revises; NULL: it answers. */
static hone_status contexts(const hone_template *form, const hone_ids *whole, int64_t skip,
                            const hone_ids *draft, const hone_ids *w, const hone_ids *l, uint32_t mask,
                            hn_row_tokens *tokens) {
    const hone_ids prompt = {whole->data + skip, whole->count - skip, 0};

    tokens->answer_context.count = tokens->draft_w_context.count = tokens->draft_l_context.count = 0;
    if ((mask & NEEDS_ANSWER) != 0)
        HN_TRY(hone_template_context(form, &prompt, draft, &tokens->answer_context));
    if ((mask & NEEDS_DRAFT_W) != 0)
        HN_TRY(hone_template_context(form, &prompt, w, &tokens->draft_w_context));
    if ((mask & NEEDS_DRAFT_L) != 0)
        HN_TRY(hone_template_context(form, &prompt, l, &tokens->draft_l_context));
    set(tokens, HONE_W, &tokens->answer_context, &tokens->w);
    set(tokens, HONE_L, &tokens->answer_context, &tokens->l);
    set(tokens, HONE_W_GIVEN_L, &tokens->draft_l_context, &tokens->w);
    set(tokens, HONE_L_GIVEN_L, &tokens->draft_l_context, &tokens->l);
    set(tokens, HONE_W_GIVEN_W, &tokens->draft_w_context, &tokens->w);
    set(tokens, HONE_L_GIVEN_W, &tokens->draft_w_context, &tokens->l);
    return HONE_OK;
}

static int64_t longest(const hn_row_tokens *tokens, uint32_t mask) {
    int64_t most = 0;
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        const int64_t length = tokens->sequence[c].context_length + tokens->sequence[c].completion_length;
        most = (mask >> c & 1u) != 0 && length > most ? length : most;
    }
    return most;
}

static hone_status check(const hn_row_tokens *tokens, uint32_t mask) {
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++)
        if ((mask >> c & 1u) != 0 && tokens->sequence[c].context_length == 0)
            return hn_fail(HONE_ERROR_ARGUMENT, "the prompt is empty and the template adds nothing before "
                                                "the completion: give one, or choose another --template");
    return HONE_OK;
}

/** Drafts in a context come without the end of sequence that completions get. */
static hone_status tokenise(const hone_template *form, const hone_tokenizer *tokenizer, const hone_row *row,
                            uint32_t mask, int64_t max_length, hn_row_tokens *tokens, bool *fits) {
    hone_ids prompt = {0}, w = {0}, l = {0}, revised = {0};
    const hone_ids *const draft = row->draft != NULL ? &revised : NULL;
    hone_status status = HONE_OK;

    HN_GO(encode(tokenizer, row->prompt, &prompt));
    HN_GO(encode(tokenizer, row->chosen, &w));
    HN_GO(hone_ids_append(&tokens->w, w.data, w.count));
    HN_GO(append_eos(tokenizer, &tokens->w));
    if (row->rejected != NULL) {
        HN_GO(encode(tokenizer, row->rejected, &l));
        HN_GO(hone_ids_append(&tokens->l, l.data, l.count));
        HN_GO(append_eos(tokenizer, &tokens->l));
    }
    if (draft != NULL)
        HN_GO(encode(tokenizer, row->draft, &revised));
    HN_GO(contexts(form, &prompt, 0, draft, &w, &l, mask, tokens));
    const int64_t excess = longest(tokens, mask) - max_length;
    *fits = excess < prompt.count || excess <= 0;
    if (*fits && excess > 0) {
        tokens->cut = true;
        HN_GO(contexts(form, &prompt, excess, draft, &w, &l, mask, tokens));
    }
    HN_GO(check(tokens, mask));
done:
    hone_ids_clear(&prompt);
    hone_ids_clear(&w);
    hone_ids_clear(&l);
    hone_ids_clear(&revised);
    return status;
}

hone_status hn_row_tokenise(const hone_template *form, const hone_tokenizer *tokenizer, const hone_row *row,
                            uint32_t mask, int64_t max_length, hn_row_tokens *tokens, bool *fits) {
    memset(tokens, 0, sizeof *tokens);
    *fits = false;
    const hone_status status = tokenise(form, tokenizer, row, mask, max_length, tokens, fits);
    if (status != HONE_OK || !*fits)
        hn_row_tokens_clear(tokens);
    return status;
}

void hn_row_tokens_clear(hn_row_tokens *tokens) {
    hone_ids_clear(&tokens->answer_context);
    hone_ids_clear(&tokens->draft_w_context);
    hone_ids_clear(&tokens->draft_l_context);
    hone_ids_clear(&tokens->w);
    hone_ids_clear(&tokens->l);
    memset(tokens, 0, sizeof *tokens);
}
