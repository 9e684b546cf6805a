#include <core/hash.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <string.h>
#include <text/rows.h>
#include <text/sequences.h>
#include <text/template.h>
#include <train/observe.h>
#include <train/store.h>

/** What turns rows into examples. */
typedef struct maker {
    const hn_example_source *source;
    hone_data_kind kind;
    hn_hasher *hasher; /**< of all token sequences */
    hn_examples *examples;
} maker;

static hone_status add(const maker *m, int file, const hone_row *row, const hn_row_tokens *tokens) {
    const hn_example_texts texts = {.part = {&tokens->answer_context, &tokens->draft_w_context,
                                             &tokens->draft_l_context, &tokens->w, &tokens->l},
                                    .preference = row->preference,
                                    .line = row->line,
                                    .file = file};
    m->examples->cut += tokens->cut;
    return hn_examples_add(m->examples, &texts, m->hasher);
}

static bool is_useless(const hone_row *row) {
    return row->chosen[0] == '\0' ||
           (row->rejected != NULL && (row->rejected[0] == '\0' || strcmp(row->chosen, row->rejected) == 0));
}

/** What nothing can be learnt from is a mistake in the data; `hone data check` lists all of them. */
static hone_status refuse(const hone_row *row) {
    if (row->chosen[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "%s is empty: a completion must have a text",
                       row->rejected != NULL ? "\"chosen\"" : "the completion");
    if (row->rejected != NULL && row->rejected[0] == '\0')
        return hn_fail(HONE_ERROR_FORMAT, "\"rejected\" is empty: a completion must have a text");
    return hn_fail(HONE_ERROR_FORMAT,
                   "\"chosen\" and \"rejected\" are the same text: there is nothing to learn "
                   "from them: correct the row, or take it out");
}

static hone_status take_row(const maker *m, int file, const hone_row *row) {
    const hn_example_source *source = m->source;
    hn_row_tokens tokens = {.cut = false};
    bool fits = false;
    hone_status status = HONE_OK;

    if (source->part != NULL && !hn_part_has(source->part, row->prompt))
        return HONE_OK;
    if (is_useless(row) && source->lenient) {
        m->examples->useless++;
        return HONE_OK;
    }
    if (is_useless(row))
        HN_GO(refuse(row));
    HN_GO(hn_row_tokenise(source->form, source->tokenizer, row, m->examples->mask, source->max_length,
                          &tokens, &fits));
    if (fits)
        HN_GO(add(m, file, row, &tokens));
    else
        m->examples->dropped++;
done:
    hn_row_tokens_clear(&tokens);
    return status == HONE_OK
               ? HONE_OK
               : hn_fail_in(status, "%s:%lld", source->mixture->file[file].path, (long long)row->line);
}

/** Less takes no time worth a line. */
static hone_status tell(const maker *m, const hn_rows *rows, bool last) {
    uint64_t of = 0;
    const uint64_t at = hn_rows_position(rows, &of);

    const int64_t all = (int64_t)(of / 1000000), done = (int64_t)(at / 1000000);

    if (all < 10)
        return HONE_OK;
    return hn_observe(m->source->observer, "MB of data tokenised",
                      last         ? all
                      : done < all ? done
                                   : all - 1,
                      all);
}

static hone_status take_file(const maker *m, int file) {
    hn_rows *rows = NULL;
    json_t *object = NULL;
    hone_row row;
    hone_status status = HONE_OK;

    HN_GO(hn_rows_open(m->source->mixture->file[file].path, m->kind, &rows));
    do {
        HN_GO(hn_rows_next(rows, &row, &object));
        if (object != NULL)
            HN_GO(take_row(m, file, &row));
        HN_GO(tell(m, rows, object == NULL));
    } while (object != NULL);
done:
    hn_rows_close(rows);
    return status;
}

static hone_status take_files(const maker *m) {
    const hn_mixture *mixture = m->source->mixture;
    hn_examples *examples = m->examples;

    for (size_t f = 0; f < mixture->files; f++)
        HN_TRY(take_file(m, (int)f));
    /* Equal weights of 1 are how things were before there were weights. */
    for (size_t f = 0; f < mixture->files; f++)
        if (mixture->file[f].weight != 1.0) {
            hn_hasher_update(m->hasher, &mixture->file[f].weight, sizeof mixture->file[f].weight);
            hn_hasher_update(m->hasher, &examples->rows[f], sizeof examples->rows[f]);
        }
    hn_hasher_digest(m->hasher, examples->digest);
    return HONE_OK;
}

static hone_status hash_file(const char *path, hn_hasher *hasher) {
    enum { BLOCK = 1 << 22 };
    hn_map map = {0};

    HN_TRY(hn_map_open(path, &map));
    for (size_t at = 0; at < map.size; at += BLOCK) {
        const size_t rest = map.size - at;
        hn_hasher_update(hasher, map.data + at, rest < BLOCK ? rest : BLOCK);
        hn_map_forget(map.data + at, rest < BLOCK ? rest : BLOCK);
    }
    hn_map_close(&map);
    return HONE_OK;
}

/** Of everything that the examples depend on. */
static hone_status make_key(const maker *m, char key[33]) {
    const hn_example_source *source = m->source;
    const bool whole = source->part == NULL || (source->part->fraction <= 0.0 && !source->part->held_out);
    const hn_part part = whole ? (hn_part){.seed = 0} : *source->part;
    const int64_t numbers[] = {m->kind, (int64_t)m->examples->mask, source->max_length, part.held_out,
                               (int64_t)part.seed};
    hn_hasher *hasher = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, "tokens 1");
    hn_hasher_text(hasher, hone_tokenizer_digest(source->tokenizer));
    hn_template_hash(source->form, hasher);
    hn_hasher_update(hasher, numbers, sizeof numbers);
    hn_hasher_update(hasher, &part.fraction, sizeof part.fraction);
    for (size_t f = 0; f < source->mixture->files; f++) {
        HN_GO(hash_file(source->mixture->file[f].path, hasher));
        hn_hasher_update(hasher, &source->mixture->file[f].weight, sizeof source->mixture->file[f].weight);
    }
    hn_hasher_digest(hasher, key);
done:
    hn_hasher_destroy(hasher);
    return status;
}

static hone_status fill(maker *m, const char *path) {
    hone_status status = HONE_OK;

    HN_GO(hn_hasher_create(&m->hasher));
    if (path != NULL)
        HN_GO(hn_store_begin(m->examples->store, path));
    HN_GO(take_files(m));
    if (path != NULL)
        HN_GO(hn_store_finish(m->examples->store, path, hone_tokenizer_vocabulary(m->source->tokenizer),
                              m->examples));
done:
    hn_hasher_destroy(m->hasher);
    return status;
}

/** The tokens of an earlier run, or now written for this one. */
static hone_status through_file(maker *m) {
    char key[33], *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(make_key(m, key));
    HN_GO(hn_folder_make(m->source->folder));
    HN_GO(hn_format(&path, "%s/tokens-%s.hone", m->source->folder, key));
    if (hn_file_exists(path)) {
        if (hn_store_load(m->examples->store, path, hone_tokenizer_vocabulary(m->source->tokenizer),
                          m->examples) == HONE_OK) {
            hn_log(HONE_LOG_INFO, "tokens are in %s from before", path);
            goto done;
        }
        hn_log(HONE_LOG_WARNING, "token file not used: %s", hone_message());
    }
    HN_GO(fill(m, path));
    hn_log(HONE_LOG_INFO, "tokens are kept in %s", path);
done:
    hn_free(path);
    return status;
}

hone_status hn_examples_begin(uint32_t mask, hn_examples *examples) {
    memset(examples, 0, sizeof *examples);
    examples->mask = mask;
    return hn_alloc(&examples->store, 1, sizeof *examples->store, "examples");
}

hone_status hn_examples_create(const hn_example_source *source, hn_examples *examples) {
    maker m = {.source = source, .examples = examples};
    hone_status status = HONE_OK;

    HN_TRY(hn_examples_begin(hone_loss_conditionals(source->loss), examples));
    m.kind = source->loss->method == HONE_SFT ? HONE_DATA_COMPLETION : HONE_DATA_PREFERENCE;
    HN_GO(source->folder != NULL ? through_file(&m) : fill(&m, NULL));
done:
    if (status != HONE_OK)
        hn_examples_clear(examples);
    return status;
}

void hn_examples_forget(const hn_examples *examples) {
    if (examples->store != NULL && examples->store->map.size > 0)
        hn_map_forget(examples->store->map.data, examples->store->map.size);
}

void hn_examples_clear(hn_examples *examples) {
    hn_store_destroy(examples->store);
    memset(examples, 0, sizeof *examples);
}
