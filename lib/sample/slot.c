#include <core/status.h>
#include <sample/slot.h>
#include <string.h>

void hn_slot_clear(hn_slot *slot) {
    hone_ids_clear(&slot->held);
    hone_ids_clear(&slot->prompt);
    hone_ids_clear(&slot->context);
}

/** A draft goes into the context as text that is encoded afresh: what a user would see and send back. */
static hone_status revision_context(hn_slot *slot, const hone_template *form,
                                    const hone_tokenizer *tokenizer) {
    const hone_draft *last = &slot->answer->draft[slot->answer->drafts - 1];
    hone_ids draft = {0};
    hone_status status = HONE_OK;

    HN_GO(hone_tokenizer_encode(tokenizer, last->text, strlen(last->text), false, &draft));
    HN_GO(hone_template_context(form, &slot->prompt, &draft, &slot->context));
done:
    hone_ids_clear(&draft);
    return status;
}

hone_status hn_slot_context(hn_slot *slot, const hone_template *form, const hone_tokenizer *tokenizer) {
    slot->context.count = 0;
    if (slot->answer->drafts > 0)
        HN_TRY(revision_context(slot, form, tokenizer));
    else
        HN_TRY(hone_template_context(form, &slot->prompt, NULL, &slot->context));
    if (slot->context.count == 0)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "prompt %lld is empty and the template adds nothing to it: give one, or choose "
                       "another --template",
                       (long long)slot->number + 1);
    return HONE_OK;
}

hone_status hn_slot_forecast(hn_slot *slot, const hone_template *form, int64_t draft, int64_t *longest) {
    const hone_ids none = {0};

    slot->context.count = 0;
    HN_TRY(hone_template_context(form, &slot->prompt, NULL, &slot->context));
    *longest = slot->context.count;
    if (draft == 0)
        return HONE_OK;
    slot->context.count = 0;
    HN_TRY(hone_template_context(form, &slot->prompt, &none, &slot->context));
    *longest = slot->context.count + draft > *longest ? slot->context.count + draft : *longest;
    return HONE_OK;
}

int64_t hn_slot_keep(hn_slot *slot) {
    const hone_ids *context = &slot->context;
    int64_t common = 0;
    while (common < slot->held.count && common < context->count - 1 &&
           slot->held.data[common] == context->data[common])
        common++;
    slot->held.count = common;
    return common;
}
