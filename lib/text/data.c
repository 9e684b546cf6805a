#include <core/json.h>
#include <core/memory.h>
#include <core/status.h>
#include <hone/data.h>
#include <text/rows.h>

/** Of text: all of it is kept in memory. */
static const uint64_t text_limit = (uint64_t)8 << 30;

struct hone_dataset {
    hone_row *row;
    json_t **held; /**< what the row's strings belong to */
    size_t count, row_capacity, held_capacity;
    char *path;
};

static hone_status add(hone_dataset *data, const hone_row *row, json_t *object) {
    HN_TRY(hn_reserve(&data->row, &data->row_capacity, data->count + 1, sizeof *data->row, "data rows"));
    HN_TRY(hn_reserve(&data->held, &data->held_capacity, data->count + 1, sizeof(json_t *), "data rows"));
    data->held[data->count] = json_incref(object);
    data->row[data->count++] = *row;
    return HONE_OK;
}

static hone_status read_rows(hone_dataset *data, hn_rows *rows) {
    json_t *object = NULL;
    hone_row row;

    HN_TRY(hn_rows_next(rows, &row, &object));
    while (object != NULL) {
        if (hn_rows_bytes(rows) > text_limit)
            return hn_fail(HONE_ERROR_FORMAT, "%s: more than %llu MB when unpacked: split the file",
                           data->path, (unsigned long long)text_limit >> 20);
        HN_TRY(add(data, &row, object));
        HN_TRY(hn_rows_next(rows, &row, &object));
    }
    return HONE_OK;
}

hone_status hone_dataset_open(const char *path, hone_data_kind kind, hone_dataset **out) {
    hone_dataset *data = NULL;
    hn_rows *rows = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&data, 1, sizeof *data, "data set"));
    HN_GO(hn_strdup(&data->path, path));
    HN_GO(hn_rows_open(path, kind, &rows));
    HN_GO(read_rows(data, rows));
    *out = data;
    data = NULL;
done:
    hn_rows_close(rows);
    hone_dataset_destroy(data);
    return status;
}

void hone_dataset_destroy(hone_dataset *data) {
    if (data == NULL)
        return;
    for (size_t i = 0; i < data->count; i++)
        json_decref(data->held[i]);
    hn_free(data->held);
    hn_free(data->path);
    hn_free(data->row);
    hn_free(data);
}

const char *hone_dataset_path(const hone_dataset *data) { return data->path; }

int64_t hone_dataset_count(const hone_dataset *data) { return (int64_t)data->count; }

const hone_row *hone_dataset_row(const hone_dataset *data, int64_t i) { return &data->row[i]; }
