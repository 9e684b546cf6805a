#include <core/hash.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <text/sequences.h>
#include <train/examples.h>

/** Tokens of the example alone, in every layout. */
static hone_status measure(hn_example *example, uint32_t mask) {
    hone_sequence sequence[HONE_CONDITIONAL_COUNT];
    const int64_t count = hn_example_sequences(example, mask, sequence);

    HN_TRY(hone_pack_measure(sequence, count, HONE_PACK_TRIE, &example->packed));
    HN_TRY(hone_pack_measure(sequence, count, HONE_PACK_SEQUENCES, &example->naive));
    return hone_pack_measure(sequence, count, HONE_PACK_PADDED, &example->padded);
}

static void hash(hn_hasher *hasher, const hn_example *example, uint32_t mask) {
    for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
        if ((mask >> c & 1u) == 0)
            continue;
        const hone_sequence *s = &example->sequence[c];
        hn_hasher_update(hasher, s->context, (size_t)s->context_length * sizeof *s->context);
        hn_hasher_update(hasher, s->completion, (size_t)s->completion_length * sizeof *s->completion);
    }
    hn_hasher_update(hasher, &example->preference, sizeof example->preference);
}

static hone_status add(hn_examples *examples, const hone_row *row, int64_t index, hn_row_tokens *tokens) {
    hn_example *example = &examples->item[examples->count++];

    example->storage = tokens;
    memcpy(example->sequence, tokens->sequence, sizeof example->sequence);
    example->tokens[0] = tokens->w.count;
    example->tokens[1] = tokens->l.count > 0 ? tokens->l.count : 1;
    example->preference = row->preference;
    example->row = index;
    examples->cut += tokens->cut;
    return measure(example, examples->mask);
}

/** What nothing can be learnt from is a mistake in the data; `hone data check` lists all of them. */
static hone_status check_row(const hone_row *row) {
    if (row->chosen[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "%s is empty: a completion needs a text",
                       row->rejected != NULL ? "\"chosen\"" : "the completion");
    if (row->rejected != NULL && row->rejected[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "\"rejected\" is empty: a completion needs a text");
    if (row->rejected != NULL && strcmp(row->chosen, row->rejected) == 0)
        return hn_fail(HONE_ERROR_FORMAT,
                       "\"chosen\" and \"rejected\" are the same text: there is nothing to learn "
                       "from them, take the row out");
    return HONE_OK;
}

static hone_status read_row(const hone_dataset *data, const hone_row *row, const hone_template *form,
                            const hone_tokenizer *tokenizer, uint32_t mask, int64_t max_length,
                            hn_row_tokens *tokens, bool *fits) {
    hone_status status = check_row(row);
    if (status == HONE_OK)
        status = hn_row_tokenise(form, tokenizer, row, mask, max_length, tokens, fits);
    return status == HONE_OK ? HONE_OK
                             : hn_fail_in(status, "%s:%lld", hone_dataset_path(data), (long long)row->line);
}

static hone_status create(const hone_dataset *data, const hone_template *form,
                          const hone_tokenizer *tokenizer, int64_t max_length, hn_examples *examples) {
    const int64_t count = hone_dataset_count(data);
    hn_hasher *hasher = NULL;
    hn_row_tokens *tokens = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&hasher));
    HN_GO(hn_alloc(&examples->item, (size_t)count, sizeof *examples->item, "examples"));
    for (int64_t i = 0; i < count; i++) {
        const hone_row *row = hone_dataset_row(data, i);
        bool fits = false;
        HN_GO(hn_alloc(&tokens, 1, sizeof *tokens, "example"));
        HN_GO(read_row(data, row, form, tokenizer, examples->mask, max_length, tokens, &fits));
        if (!fits) {
            examples->dropped++;
            hn_free(tokens);
            tokens = NULL;
            continue;
        }
        hn_row_tokens *kept = tokens;
        tokens = NULL;
        HN_GO(add(examples, row, i, kept));
        hash(hasher, &examples->item[examples->count - 1], examples->mask);
    }
    hn_hasher_digest(hasher, examples->digest);
done:
    hn_free(tokens);
    hn_hasher_destroy(hasher);
    return status;
}

hone_status hn_examples_create(const hone_dataset *data, const hone_template *form,
                               const hone_tokenizer *tokenizer, const hone_loss_options *loss,
                               int64_t max_length, hn_examples *examples) {
    memset(examples, 0, sizeof *examples);
    examples->mask = hone_loss_conditionals(loss);
    const hone_status status = create(data, form, tokenizer, max_length, examples);
    if (status != HONE_OK)
        hn_examples_clear(examples);
    return status;
}

void hn_examples_clear(hn_examples *examples) {
    for (int64_t i = 0; i < examples->count; i++) {
        hn_row_tokens_clear(examples->item[i].storage);
        hn_free(examples->item[i].storage);
    }
    hn_free(examples->item);
    memset(examples, 0, sizeof *examples);
}
