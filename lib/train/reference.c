#include <checkpoint/checkpoint.h>
#include <core/file.h>
#include <core/hash.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <model/parameters.h>
#include <string.h>
#include <train/observe.h>
#include <train/reference.h>

static hone_status make_key(const hn_reference_source *source, char key[33]) {
    hn_hasher *hasher = NULL;
    char weights[33];
    hone_status status = HONE_OK;

    HN_GO(hone_model_digest(source->model, weights));
    HN_GO(hn_hasher_create(&hasher));
    hn_hasher_text(hasher, "reference 1");
    hn_hasher_text(hasher, weights);
    hn_hasher_text(hasher, source->examples->digest);
    hn_hasher_text(hasher, hone_device_numerics(hone_model_device(source->model)));
    hn_hasher_update(hasher, &source->examples->mask, sizeof source->examples->mask);
    hn_hasher_update(hasher, &source->layout, sizeof source->layout);
    hn_hasher_update(hasher, &source->pack_tokens, sizeof source->pack_tokens);
    hn_hasher_digest(hasher, key);
done:
    hn_hasher_destroy(hasher);
    return status;
}

static hone_status compute(const hn_reference_source *source, hn_network *network, hn_reference *reference) {
    const hn_examples *examples = source->examples;
    hn_batch batch = {0};
    int64_t *order = NULL, fitting = 0;
    float *edges = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&order, (size_t)examples->count, sizeof *order, "order of examples"));
    HN_GO(hn_alloc(&edges, (size_t)source->budget.edges, sizeof *edges, "edges"));
    for (int64_t i = 0; i < examples->count; i++)
        order[i] = i;
    for (int64_t i = 0; i < examples->count; i += fitting) {
        HN_GO(hn_batch_fill(examples, order + i, examples->count - i, source->layout, source->pack_tokens,
                            &fitting));
        HN_GO(hn_batch_create(examples, order + i, fitting, source->layout, &batch));
        HN_GO(hn_batch_score(&batch, network, 0, edges, reference->logp + i));
        hn_examples_forget(examples);
        HN_GO(hn_observe(source->observer, "reference log-probabilities", i + fitting, examples->count));
    }
done:
    hn_batch_clear(&batch);
    hn_free(edges);
    hn_free(order);
    return status;
}

/** Before they are kept: what comes of damaged weights is no reference. */
static hone_status check(const hn_reference_source *source, const hn_reference *reference) {
    for (int64_t i = 0; i < source->examples->count; i++)
        for (int c = 0; c < HONE_CONDITIONAL_COUNT; c++) {
            if ((source->examples->mask >> c & 1u) == 0 || isfinite(reference->logp[i][c]))
                continue;
            HN_TRY(hn_parameters_check(hn_model_weights(source->model)));
            return hn_fail(
                HONE_ERROR_NUMERIC,
                "the reference log-probability of line %lld is %g: look at the row, or take other --dtype",
                (long long)source->examples->item[i].line, reference->logp[i][c]);
        }
    return HONE_OK;
}

/** The base alone, without gradient: with LoRA that is the reference by itself. */
static hone_status compute_all(const hn_reference_source *source, hn_reference *reference) {
    hn_network *network = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_network_create(source->model, NULL, false, 0, &source->budget, &network));
    HN_GO(compute(source, network, reference));
    HN_GO(check(source, reference));
done:
    hn_network_destroy(network);
    return status;
}

static hone_status load(const char *path, hn_reference *reference, size_t bytes) {
    hn_checkpoint *file = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_checkpoint_open(path, &file));
    HN_GO(hn_checkpoint_read(file, "reference", reference->logp, bytes));
done:
    hn_checkpoint_destroy(file);
    return status;
}

static hone_status store(const char *folder, const char *path, const hn_reference *reference, size_t bytes) {
    hn_checkpoint_writer *writer = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_folder_make(folder));
    HN_GO(hn_checkpoint_writer_create(path, &writer));
    HN_GO(hn_checkpoint_add(writer, "reference", HONE_F64, reference->logp, bytes));
    HN_GO(hn_checkpoint_commit(writer));
done:
    hn_checkpoint_writer_destroy(writer);
    return status;
}

/** A cache that can't be read or written costs time, not the run: it is said, and the numbers are computed.
 */
static hone_status through_cache(const hn_reference_source *source, hn_reference *reference, size_t bytes) {
    char key[33], *path = NULL;
    hone_status status = HONE_OK;

    HN_GO(make_key(source, key));
    HN_GO(hn_format(&path, "%s/reference-%s.hone", source->folder, key));
    if (hn_file_exists(path)) {
        if (load(path, reference, bytes) == HONE_OK) {
            reference->cached = true;
            goto done;
        }
        hn_log(HONE_LOG_WARNING, "reference cache not used: %s", hone_message());
    }
    HN_GO(compute_all(source, reference));
    if (store(source->folder, path, reference, bytes) != HONE_OK)
        hn_log(HONE_LOG_WARNING, "reference cache not written: %s", hone_message());
done:
    hn_free(path);
    return status;
}

hone_status hn_reference_create(const hn_reference_source *source, hn_reference *reference) {
    const size_t count = (size_t)source->examples->count;

    memset(reference, 0, sizeof *reference);
    HN_TRY(hn_alloc(&reference->logp, count, sizeof *reference->logp, "reference log-probabilities"));
    if (source->folder == NULL)
        return compute_all(source, reference);
    return through_cache(source, reference, count * sizeof *reference->logp);
}

void hn_reference_clear(hn_reference *reference) {
    hn_free(reference->logp);
    memset(reference, 0, sizeof *reference);
}
