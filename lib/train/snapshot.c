#include <checkpoint/checkpoint.h>
#include <core/file.h>
#include <core/json.h>
#include <core/log.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tensor/tensor.h>
#include <train/snapshot.h>

enum { STATE_LIMIT = 1 << 16, STATE_FORMAT = 1 };

/** What is kept of each parameter. */
typedef enum part { PART_WEIGHT = 0, PART_M, PART_V, PARTS } part;

static hone_tensor part_tensor(const hn_parameters *parameters, const hn_optimizer *optimizer, size_t i,
                               part which) {
    return which == PART_WEIGHT ? parameters->item[i].value
           : which == PART_M    ? hn_optimizer_m(optimizer, i)
                                : hn_optimizer_v(optimizer, i);
}

static hone_status chunk_name(const hn_parameters *parameters, size_t i, part which, char **name) {
    static const char *const prefix[PARTS] = {"weight", "m", "v"};
    return hn_format(name, "%s/%s", prefix[which], parameters->item[i].name);
}

static hone_status add_state(hn_checkpoint_writer *writer, const hn_identity *identity, int64_t step) {
    hone_status status = HONE_OK;
    json_t *state = json_pack("{s:i,s:I,s:s,s:s,s:s,s:s,s:s,s:I,s:I}", "format", (int)STATE_FORMAT, "step",
                              (json_int_t)step, "base", identity->base, "data", identity->data, "method",
                              identity->method, "trained", identity->trained, "numerics", identity->numerics,
                              "seed", (json_int_t)identity->seed, "batch", (json_int_t)identity->batch);
    char *text = state != NULL ? json_dumps(state, JSON_COMPACT) : NULL;

    status = text == NULL ? hn_fail(HONE_ERROR_MEMORY, "no memory for a checkpoint's state")
                          : hn_checkpoint_add(writer, "state", HONE_U8, text, strlen(text));
    free(text);
    json_decref(state);
    return status;
}

static size_t part_bytes(const hn_parameters *parameters, size_t i) {
    return (size_t)hn_tensor_elements(&parameters->item[i].value) * hone_dtype_size(parameters->dtype);
}

uint64_t hn_snapshot_bytes(const hn_parameters *parameters) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < parameters->count; i++)
        bytes += PARTS * (uint64_t)part_bytes(parameters, i);
    return bytes;
}

hone_status hn_snapshot_copy(const hn_parameters *parameters, const hn_optimizer *optimizer, void *copy) {
    unsigned char *at = copy;
    for (size_t i = 0; i < parameters->count; i++)
        for (part which = PART_WEIGHT; which < PARTS; which++, at += part_bytes(parameters, i)) {
            const hone_tensor tensor = part_tensor(parameters, optimizer, i, which);
            HN_TRY(hn_download_tensor(parameters->device, &tensor, at));
        }
    return HONE_OK;
}

/** `copy`: where the part lies in a copy of the state; NULL: on the device alone. */
static hone_status add_part(hn_checkpoint_writer *writer, const hn_parameters *parameters,
                            const hn_optimizer *optimizer, size_t i, part which, const void *copy) {
    const size_t bytes = part_bytes(parameters, i);
    char *name = NULL;
    void *data = NULL;
    hone_status status = HONE_OK;

    HN_GO(chunk_name(parameters, i, which, &name));
    if (copy == NULL) {
        const hone_tensor tensor = part_tensor(parameters, optimizer, i, which);
        HN_GO(hn_alloc(&data, bytes, 1, name));
        HN_GO(hn_download_tensor(parameters->device, &tensor, data));
    }
    HN_GO(hn_checkpoint_add(writer, name, parameters->dtype, copy != NULL ? copy : data, bytes));
done:
    hn_free(data);
    hn_free(name);
    return status;
}

static hone_status write(const char *path, const hn_identity *identity, int64_t step,
                         const hn_parameters *parameters, const hn_optimizer *optimizer, const void *copy) {
    const unsigned char *at = copy;
    hn_checkpoint_writer *writer = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_checkpoint_writer_create(path, &writer));
    HN_GO(add_state(writer, identity, step));
    for (size_t i = 0; i < parameters->count; i++)
        for (part which = PART_WEIGHT; which < PARTS; which++) {
            HN_GO(add_part(writer, parameters, optimizer, i, which, at));
            at = at != NULL ? at + part_bytes(parameters, i) : NULL;
        }
    HN_GO(hn_checkpoint_commit(writer));
done:
    hn_checkpoint_writer_destroy(writer);
    return status;
}

/** step-NNNNNNNN.hone, and nothing else in the folder. */
static bool is_snapshot(const char *name) {
    return strlen(name) == 18 && strncmp(name, "step-", 5) == 0 && strspn(name + 5, "0123456789") == 8 &&
           strcmp(name + 13, ".hone") == 0;
}

/** The names of the snapshots, oldest first, in `names` (of which the others are set free and dropped). */
static hone_status list(const char *folder, char ***names, size_t *count) {
    size_t kept = 0;

    HN_TRY(hn_folder_list(folder, names, count));
    for (size_t i = 0; i < *count; i++) {
        char *name = (*names)[i];
        if (is_snapshot(name))
            (*names)[kept++] = name;
        else
            hn_free(name);
    }
    *count = kept;
    return HONE_OK;
}

/** Old files go only after the new one is whole. A file that can't be removed is no reason to stop. */
static hone_status prune(const char *folder, int64_t keep) {
    char **names = NULL, *path = NULL;
    size_t count = 0;
    hone_status status = HONE_OK;

    HN_GO(list(folder, &names, &count));
    for (size_t i = 0; i + (size_t)keep < count; i++) {
        HN_GO(hn_path_join(folder, names[i], &path));
        if (hn_files()->unlink(path) != 0)
            hn_log(HONE_LOG_WARNING, "old checkpoint %s can't be removed", path);
        hn_free(path);
        path = NULL;
    }
done:
    hn_free(path);
    hn_names_free(names, count);
    return status;
}

hone_status hn_snapshot_save(const char *folder, const hn_identity *identity, int64_t step, int64_t keep,
                             const hn_parameters *parameters, const hn_optimizer *optimizer, const void *copy,
                             char **path) {
    hone_status status = HONE_OK;

    *path = NULL;
    HN_GO(hn_folder_make(folder));
    HN_GO(hn_format(path, "%s/step-%08lld.hone", folder, (long long)step));
    HN_GO(write(*path, identity, step, parameters, optimizer, copy));
    HN_GO(prune(folder, keep));
done:
    if (status != HONE_OK) {
        hn_free(*path);
        *path = NULL;
    }
    return status;
}

static hone_status same_text(const json_t *state, const char *path, const char *key, const char *wanted) {
    const char *found = NULL;
    HN_TRY(hn_json_string(state, key, path, &found));
    if (strcmp(found, wanted) != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s belongs to another run: its %s is \"%s\", this run's is \"%s\"",
                       path, key, found, wanted);
    return HONE_OK;
}

static hone_status same_number(const json_t *state, const char *path, const char *key, int64_t wanted) {
    int64_t found = 0;
    HN_TRY(hn_json_integer(state, key, path, &found));
    if (found != wanted)
        return hn_fail(HONE_ERROR_FORMAT, "%s belongs to another run: its %s is %lld, this run's is %lld",
                       path, key, (long long)found, (long long)wanted);
    return HONE_OK;
}

static hone_status check_state(const json_t *state, const char *path, const hn_identity *identity,
                               int64_t *step) {
    HN_TRY(same_number(state, path, "format", STATE_FORMAT));
    HN_TRY(same_text(state, path, "base", identity->base));
    /* The method first: it decides what is read of the data. */
    HN_TRY(same_text(state, path, "method", identity->method));
    HN_TRY(same_text(state, path, "data", identity->data));
    HN_TRY(same_text(state, path, "trained", identity->trained));
    HN_TRY(same_number(state, path, "seed", identity->seed));
    HN_TRY(same_number(state, path, "batch", identity->batch));
    HN_TRY(hn_json_integer(state, "step", path, step));
    if (*step < 1)
        return hn_fail(HONE_ERROR_FORMAT, "%s: step %lld is not a step", path, (long long)*step);
    if (identity->numerics != NULL && same_text(state, path, "numerics", identity->numerics) != HONE_OK)
        hn_log(HONE_LOG_WARNING, "%s was written with other numerics: going on is right, but not bit for bit",
               path);
    return HONE_OK;
}

static hone_status read_state(hn_checkpoint *file, const char *path, const hn_identity *identity,
                              int64_t *step) {
    const hn_checkpoint_chunk *chunk = hn_checkpoint_find(file, "state");
    char text[STATE_LIMIT];
    json_t *state = NULL;
    hone_status status = HONE_OK;

    if (chunk == NULL || chunk->bytes > sizeof text)
        return hn_fail(HONE_ERROR_FORMAT, "%s: not a training checkpoint", path);
    HN_GO(hn_checkpoint_read(file, "state", text, chunk->bytes));
    HN_GO(hn_json_parse(text, chunk->bytes, path, &state));
    HN_GO(check_state(state, path, identity, step));
done:
    json_decref(state);
    return status;
}

/** Reads every chunk into host memory first (`store` false: only verify), so that a damaged file changes
 * nothing. */
static hone_status read_parts(hn_checkpoint *file, hn_parameters *parameters, const hn_optimizer *optimizer,
                              bool store) {
    char *name = NULL;
    void *data = NULL;
    hone_status status = HONE_OK;

    for (size_t i = 0; i < parameters->count; i++)
        for (part which = PART_WEIGHT; which < PARTS; which++) {
            const hone_tensor tensor = part_tensor(parameters, optimizer, i, which);
            const size_t bytes = (size_t)hn_tensor_elements(&tensor) * hone_dtype_size(parameters->dtype);
            hn_free(name);
            name = NULL;
            HN_GO(chunk_name(parameters, i, which, &name));
            HN_GO(hn_realloc(&data, bytes, 1, name));
            HN_GO(hn_checkpoint_read(file, name, data, bytes));
            if (store)
                HN_GO(hn_upload_tensor(parameters->device, &tensor, data));
        }
done:
    hn_free(data);
    hn_free(name);
    return status;
}

/** Without parameters: only says whether the file would do. */
static hone_status restore(const char *path, const hn_identity *identity, hn_parameters *parameters,
                           const hn_optimizer *optimizer, int64_t *step) {
    hn_checkpoint *file = NULL;
    hone_status status = HONE_OK;

    HN_GO(hn_checkpoint_open(path, &file));
    HN_GO(read_state(file, path, identity, step));
    if (parameters == NULL)
        goto done;
    HN_GO(read_parts(file, parameters, optimizer, false));
    HN_GO(read_parts(file, parameters, optimizer, true));
done:
    hn_checkpoint_destroy(file);
    return status;
}

/** Those newer than the one that was restored, oldest last; until then their messages took the places of the names. */
static void say_refused(char *const *message, size_t from, size_t count) {
    for (size_t i = count; i-- > from;)
        hn_log(HONE_LOG_WARNING, "checkpoint refused: %s", message[i]);
}

/** A message in the place of the name that it is about. */
static hone_status keep_message(char **name) {
    hn_free(*name);
    *name = NULL;
    return hn_strdup(name, hone_message());
}

hone_status hn_snapshot_restore(const char *folder, const hn_identity *identity, hn_parameters *parameters,
                                const hn_optimizer *optimizer, int64_t *step) {
    char **names = NULL, *path = NULL;
    size_t count = 0;
    hone_status status = HONE_OK;

    *step = 0;
    if (!hn_folder_exists(folder))
        return HONE_OK;
    HN_GO(list(folder, &names, &count));
    for (size_t i = count; i-- > 0;) {
        hn_free(path);
        path = NULL;
        HN_GO(hn_path_join(folder, names[i], &path));
        if (restore(path, identity, parameters, optimizer, step) == HONE_OK) {
            if (parameters != NULL)
                say_refused(names, i + 1, count);
            goto done;
        }
        *step = 0;
        HN_GO(keep_message(&names[i]));
    }
    if (count > 0)
        status = hn_fail(HONE_ERROR_FORMAT,
                         "no checkpoint in %s can be used; the newest: %s: put that right, or begin "
                         "anew with another --out",
                         folder, names[count - 1]);
done:
    hn_free(path);
    hn_names_free(names, count);
    return status;
}

hone_status hn_snapshot_check(const char *folder, const hn_identity *identity) {
    hn_identity wanted = *identity;
    int64_t step = 0;

    wanted.numerics = NULL; /* a difference is for the restoring to say */
    return hn_snapshot_restore(folder, &wanted, NULL, NULL, &step);
}
