#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <train/tensorboard.h>

/** The tag of a field: number << 3 | wire type. */
enum {
    VARINT = 0,
    FIXED64 = 1,
    BYTES = 2,
    FIXED32 = 5,
    EVENT_WALL_TIME = 1 << 3 | FIXED64,
    EVENT_STEP = 2 << 3 | VARINT,
    EVENT_FILE_VERSION = 3 << 3 | BYTES,
    EVENT_SUMMARY = 5 << 3 | BYTES,
    EVENT_SESSION_LOG = 7 << 3 | BYTES,
    SESSION_STATUS = 1 << 3 | VARINT,
    SESSION_START = 1,
    SUMMARY_VALUE = 1 << 3 | BYTES,
    VALUE_TAG = 1 << 3 | BYTES,
    VALUE_SIMPLE = 2 << 3 | FIXED32
};

/** Bit by bit: some hundred bytes a step need no table. */
uint32_t hn_crc32c(const void *data, size_t length) {
    const unsigned char *byte = data;
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < length; i++) {
        crc ^= byte[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ ((crc & 1u) != 0 ? 0x82f63b78u : 0u);
    }
    return ~crc;
}

static uint32_t masked(const void *data, size_t length) {
    const uint32_t crc = hn_crc32c(data, length);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static hone_status put_fixed(hn_bytes *to, uint64_t value, size_t bytes) {
    unsigned char text[8];
    for (size_t i = 0; i < bytes; i++)
        text[i] = (unsigned char)(value >> 8 * i);
    return hn_bytes_append(to, text, bytes);
}

static hone_status put_varint(hn_bytes *to, uint64_t value) {
    unsigned char text[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        text[n++] = (unsigned char)(value | 0x80);
    text[n++] = (unsigned char)value;
    return hn_bytes_append(to, text, n);
}

static hone_status put_bytes(hn_bytes *to, uint64_t tag, const void *data, size_t length) {
    HN_TRY(put_varint(to, tag));
    HN_TRY(put_varint(to, length));
    return hn_bytes_append(to, data, length);
}

static hone_status put_double(hn_bytes *to, uint64_t tag, double value) {
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    HN_TRY(put_varint(to, tag));
    return put_fixed(to, bits, sizeof bits);
}

static hone_status put_float(hn_bytes *to, uint64_t tag, float value) {
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    HN_TRY(put_varint(to, tag));
    return put_fixed(to, bits, sizeof bits);
}

/** An event without its payload. */
static hone_status begin_event(hn_bytes *event, int64_t step) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    HN_TRY(put_double(event, EVENT_WALL_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec));
    HN_TRY(put_varint(event, EVENT_STEP));
    return put_varint(event, (uint64_t)step);
}

static hone_status put_record(hn_bytes *to, const hn_bytes *event) {
    const size_t header = to->length;
    HN_TRY(put_fixed(to, event->length, 8));
    HN_TRY(put_fixed(to, masked(to->data + header, 8), 4));
    HN_TRY(hn_bytes_append(to, event->data, event->length));
    return put_fixed(to, masked(event->data, event->length), 4);
}

static hone_status put_version(hn_bytes *to) {
    static const char version[] = "brain.Event:2";
    hn_bytes event = {0};
    hone_status status = HONE_OK;

    HN_GO(begin_event(&event, 0));
    HN_GO(put_bytes(&event, EVENT_FILE_VERSION, version, sizeof version - 1));
    HN_GO(put_record(to, &event));
done:
    hn_bytes_clear(&event);
    return status;
}

static hone_status put_start(hn_bytes *to, int64_t step) {
    static const unsigned char log[] = {SESSION_STATUS, SESSION_START};
    hn_bytes event = {0};
    hone_status status = HONE_OK;

    HN_GO(begin_event(&event, step));
    HN_GO(put_bytes(&event, EVENT_SESSION_LOG, log, sizeof log));
    HN_GO(put_record(to, &event));
done:
    hn_bytes_clear(&event);
    return status;
}

/** Files of a folder are read in the order of their names: seconds first, then what is never equal twice. */
static hone_status new_name(const char *folder, int64_t step, char **path) {
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return hn_format(path, "%s/events.out.tfevents.%010lld.%09ld.%lld.hone", folder, (long long)now.tv_sec,
                     now.tv_nsec, (long long)step);
}

hone_status hn_tensorboard_begin(const char *folder, int64_t step, char **path) {
    hn_bytes text = {0};
    hone_status status = HONE_OK;

    *path = NULL;
    HN_GO(hn_folder_make(folder));
    HN_GO(put_version(&text));
    HN_GO(put_start(&text, step));
    HN_GO(new_name(folder, step, path));
    HN_GO(hn_file_append(*path, text.data, text.length));
done:
    hn_bytes_clear(&text);
    if (status != HONE_OK) {
        hn_free(*path);
        *path = NULL;
    }
    return status;
}

/** TensorBoard groups curves by what stands before the slash: "eval_NAME" is of held-out rows. */
static hone_status put_scalar(hn_bytes *summary, const char *name, double number) {
    const bool held_out = strncmp(name, "eval_", 5) == 0;
    char *tag = NULL;
    hn_bytes value = {0};
    hone_status status = HONE_OK;

    HN_GO(hn_format(&tag, "%s/%s", held_out ? "eval" : "train", held_out ? name + 5 : name));
    HN_GO(put_bytes(&value, VALUE_TAG, tag, strlen(tag)));
    HN_GO(put_float(&value, VALUE_SIMPLE, (float)number));
    HN_GO(put_bytes(summary, SUMMARY_VALUE, value.data, value.length));
done:
    hn_bytes_clear(&value);
    hn_free(tag);
    return status;
}

hone_status hn_tensorboard_append(const char *path, int64_t step, json_t *scalars) {
    hn_bytes summary = {0}, event = {0}, record = {0};
    const char *name = NULL;
    json_t *value = NULL;
    hone_status status = HONE_OK;

    json_object_foreach(scalars, name, value) {
        if (json_is_number(value) && strcmp(name, "step") != 0)
            HN_GO(put_scalar(&summary, name, json_number_value(value)));
    }
    HN_GO(begin_event(&event, step));
    HN_GO(put_bytes(&event, EVENT_SUMMARY, summary.data != NULL ? summary.data : "", summary.length));
    HN_GO(put_record(&record, &event));
    HN_GO(hn_file_append(path, record.data, record.length));
done:
    hn_bytes_clear(&record);
    hn_bytes_clear(&event);
    hn_bytes_clear(&summary);
    return status;
}
