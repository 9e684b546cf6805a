#include <core/memory.h>
#include <core/status.h>
#include <hone/tokenizer.h>
#include <string.h>

void hone_ids_clear(hone_ids *ids) {
    hn_free(ids->data);
    memset(ids, 0, sizeof *ids);
}

hone_status hone_ids_append(hone_ids *ids, const int32_t *data, int64_t count) {
    size_t capacity = (size_t)ids->capacity;

    if (count == 0)
        return HONE_OK;
    HN_TRY(hn_reserve(&ids->data, &capacity, (size_t)(ids->count + count), sizeof *ids->data, "token ids"));
    ids->capacity = (int64_t)capacity;
    memcpy(ids->data + ids->count, data, (size_t)count * sizeof *data);
    ids->count += count;
    return HONE_OK;
}

void hone_text_free(char *text) { hn_free(text); }
