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

static hone_status add(hn_examples *examples, int file, const hone_row *row, hn_row_tokens *tokens) {
    HN_TRY(hn_reserve(&examples->item, &examples->capacity, (size_t)examples->count + 1,
                      sizeof *examples->item, "examples"));
    hn_example *example = &examples->item[examples->count++];

    memset(example, 0, sizeof *example);
    example->storage = tokens;
    memcpy(example->sequence, tokens->sequence, sizeof example->sequence);
    example->tokens[0] = tokens->w.count;
    example->tokens[1] = tokens->l.count > 0 ? tokens->l.count : 1;
    example->preference = row->preference;
    example->line = row->line;
    example->file = file;
    examples->cut += tokens->cut;
    examples->rows[file]++;
    return measure(example, examples->mask);
}

/** What nothing can be learnt from is a mistake in the data; `hone data check` lists all of them. */
static hone_status check_row(const hone_row *row) {
    if (row->chosen[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "%s is empty: a completion must have a text",
                       row->rejected != NULL ? "\"chosen\"" : "the completion");
    if (row->rejected != NULL && row->rejected[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "\"rejected\" is empty: a completion must have a text");
    if (row->rejected != NULL && strcmp(row->chosen, row->rejected) == 0)
        return hn_fail(HONE_ERROR_FORMAT,
                       "\"chosen\" and \"rejected\" are the same text: there is nothing to learn "
                       "from them: correct the row, or take it out");
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

/** What turns rows into examples. */
typedef struct maker {
    const hn_part *part;
    const hone_template *form;
    const hone_tokenizer *tokenizer;
    int64_t max_length;
    hn_hasher *hasher;
    hn_examples *examples;
} maker;

static hone_status take_row(const maker *m, int file, const hone_dataset *data, const hone_row *row) {
    hn_examples *examples = m->examples;
    hn_row_tokens *tokens = NULL;
    bool fits = false;
    hone_status status = HONE_OK;

    if (m->part != NULL && !hn_part_has(m->part, row->prompt))
        return HONE_OK;
    HN_GO(hn_alloc(&tokens, 1, sizeof *tokens, "example"));
    HN_GO(read_row(data, row, m->form, m->tokenizer, examples->mask, m->max_length, tokens, &fits));
    if (!fits) {
        examples->dropped++;
        goto done;
    }
    const int64_t before = examples->count;
    status = add(examples, file, row, tokens);
    if (examples->count > before)
        tokens = NULL; /* the example has it */
    if (status == HONE_OK)
        hash(m->hasher, &examples->item[examples->count - 1], examples->mask);
done:
    hn_free(tokens);
    return status;
}

/** The texts are needed no longer than until they are tokens. */
static hone_status take_file(const maker *m, int file, const char *path, hone_data_kind kind) {
    hone_dataset *data = NULL;
    hone_status status = HONE_OK;

    HN_GO(hone_dataset_open(path, kind, &data));
    for (int64_t i = 0; i < hone_dataset_count(data); i++)
        HN_GO(take_row(m, file, data, hone_dataset_row(data, i)));
done:
    hone_dataset_destroy(data);
    return status;
}

hone_status hn_examples_create(const hn_mixture *mixture, const hn_part *part, const hone_template *form,
                               const hone_tokenizer *tokenizer, const hone_loss_options *loss,
                               int64_t max_length, hn_examples *examples) {
    maker m = {part, form, tokenizer, max_length, NULL, examples};
    const hone_data_kind kind = loss->method == HONE_SFT ? HONE_DATA_COMPLETION : HONE_DATA_PREFERENCE;
    hone_status status = HONE_OK;

    memset(examples, 0, sizeof *examples);
    examples->mask = hone_loss_conditionals(loss);
    HN_GO(hn_hasher_create(&m.hasher));
    for (size_t f = 0; f < mixture->files; f++)
        HN_GO(take_file(&m, (int)f, mixture->file[f].path, kind));
    /* Equal weights of 1 are how things were before there were weights. */
    for (size_t f = 0; f < mixture->files; f++)
        if (mixture->file[f].weight != 1.0) {
            hn_hasher_update(m.hasher, &mixture->file[f].weight, sizeof mixture->file[f].weight);
            hn_hasher_update(m.hasher, &examples->rows[f], sizeof examples->rows[f]);
        }
    hn_hasher_digest(m.hasher, examples->digest);
done:
    hn_hasher_destroy(m.hasher);
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
