#include <core/file.h>
#include <core/hash.h>
#include <core/memory.h>
#include <core/random.h>
#include <core/status.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <train/mixture.h>

static hone_status add(hn_mixture *mixture, const char *path, size_t length, double weight) {
    if (mixture->files == HN_MIXTURE_FILES)
        return hn_fail(HONE_ERROR_ARGUMENT, "--data names more than %d files", HN_MIXTURE_FILES);
    if (length == 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "--data has an empty name between its commas");
    hn_source *source = &mixture->file[mixture->files];
    HN_TRY(hn_strndup(&source->path, path, length));
    source->weight = weight;
    mixture->files++;
    return HONE_OK;
}

/** A colon and a number at the end are a weight, unless a file has that very name. */
static hone_status add_part(hn_mixture *mixture, const char *part, size_t length) {
    char *name = NULL, *end = NULL;
    double weight = 1.0;
    hone_status status = HONE_OK;

    HN_GO(hn_strndup(&name, part, length));
    const char *colon = strrchr(name, ':');
    if (colon != NULL && !hn_file_exists(name)) {
        weight = strtod(colon + 1, &end);
        if (end != colon + 1 && *end == '\0') {
            if (!(weight > 0.0 && weight <= 1000.0))
                HN_GO(hn_fail(HONE_ERROR_ARGUMENT,
                              "--data \"%s\": the weight is %g, must be over 0 and at most 1000", name,
                              weight));
            length = (size_t)(colon - name);
        } else
            weight = 1.0;
    }
    status = add(mixture, name, length, weight);
done:
    hn_free(name);
    return status;
}

hone_status hn_mixture_parse(const char *text, hn_mixture *mixture) {
    *mixture = (hn_mixture){.files = 0};
    if (hn_file_exists(text))
        return add(mixture, text, strlen(text), 1.0);
    for (const char *at = text;; at++) {
        const size_t length = strcspn(at, ",");
        HN_TRY(add_part(mixture, at, length));
        at += length;
        if (*at == '\0')
            return HONE_OK;
    }
}

void hn_mixture_clear(hn_mixture *mixture) {
    for (size_t i = 0; i < mixture->files; i++)
        hn_free(mixture->file[i].path);
    *mixture = (hn_mixture){.files = 0};
}

bool hn_part_has(const hn_part *part, const char *prompt) {
    if (part->fraction <= 0.0)
        return !part->held_out;
    const uint64_t hash = hn_hash64(prompt, strlen(prompt));
    return (hn_random_uniform(part->seed, HN_PURPOSE_SPLIT, 0, hash) < part->fraction) == part->held_out;
}

static int64_t share(const hn_source *source, int64_t rows) {
    return (int64_t)llround(source->weight * (double)rows);
}

int64_t hn_mixture_epoch(const hn_mixture *mixture, const int64_t *rows) {
    int64_t count = 0;
    for (size_t f = 0; f < mixture->files; f++)
        count += share(&mixture->file[f], rows[f]);
    return count;
}

/** Every file's rows as often as its weight says; the broken part is drawn anew for each epoch. */
static int64_t gather(const hn_mixture *mixture, const int64_t *rows, uint64_t seed, int64_t epoch,
                      int64_t *scratch, int64_t *order) {
    int64_t count = 0, first = 0;

    for (size_t f = 0; f < mixture->files; first += rows[f++]) {
        const int64_t wanted = share(&mixture->file[f], rows[f]), part = rows[f] > 0 ? wanted % rows[f] : 0;
        for (int64_t i = 0; i < wanted - part; i++)
            order[count++] = first + i % rows[f];
        if (part == 0)
            continue;
        hn_random_shuffle(seed ^ (0x9e3779b97f4a7c15u * (f + 1)), HN_PURPOSE_MIXTURE, (uint32_t)epoch,
                          scratch, rows[f]);
        for (int64_t i = 0; i < part; i++)
            order[count++] = first + scratch[i];
    }
    return count;
}

void hn_mixture_order(const hn_mixture *mixture, const int64_t *rows, uint64_t seed, int64_t epoch,
                      int64_t *scratch, int64_t *order) {
    const int64_t count = gather(mixture, rows, seed, epoch, scratch, order);

    /* The permutation that a file alone would get, applied to what was gathered. */
    hn_random_shuffle(seed, HN_PURPOSE_SHUFFLE, (uint32_t)epoch, scratch, count);
    for (int64_t i = 0; i < count; i++)
        scratch[i] = order[scratch[i]];
    memcpy(order, scratch, (size_t)count * sizeof *order);
}
