#include <core/file.h>
#include <core/memory.h>
#include <core/status.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <text/unpack.h>
#include <zlib.h>
#include <zstd.h>

struct hn_unpacked {
    char *path;
    hn_map map;
    size_t at;        /**< plain: bytes read */
    gzFile gzip;      /**< NULL: not gzip */
    ZSTD_DCtx *zstd;  /**< NULL: not zstd */
    ZSTD_inBuffer in; /**< of zstd */
    size_t left;      /**< zstd: 0 where a frame is complete */
};

/** Small enough that what has been read of a large file does not stay in memory. */
enum { FORGET = 1 << 20 };

static hone_status read_plain(hn_unpacked *text, void *data, size_t room, size_t *got) {
    const size_t rest = text->map.size - text->at;

    *got = rest < room ? rest : room;
    if (*got == 0)
        return HONE_OK;
    memcpy(data, text->map.data + text->at, *got);
    text->at += *got;
    if (text->at / FORGET != (text->at - *got) / FORGET)
        hn_map_forget(text->map.data, text->at);
    return HONE_OK;
}

static hone_status read_zstd(hn_unpacked *text, void *data, size_t room, size_t *got) {
    ZSTD_outBuffer out = {data, room, 0};

    while (out.pos == 0) {
        const size_t before = text->in.pos, left = ZSTD_decompressStream(text->zstd, &out, &text->in);
        if (ZSTD_isError(left))
            return hn_fail(HONE_ERROR_FORMAT, "%s: the zstd file is damaged (%s): get it again", text->path,
                           ZSTD_getErrorName(left));
        if (out.pos == 0 && text->in.pos == before)
            break;
        text->left = left;
    }
    *got = out.pos;
    if (*got == 0 && text->left != 0)
        return hn_fail(HONE_ERROR_FORMAT, "%s: the zstd file is cut: get it again", text->path);
    return HONE_OK;
}

static hone_status read_gzip(hn_unpacked *text, void *data, size_t room, size_t *got) {
    int code = 0;
    const int count = gzread(text->gzip, data, room > INT_MAX ? INT_MAX : (unsigned)room);

    (void)gzerror(text->gzip, &code);
    if (count < 0 || (code != Z_OK && code != Z_STREAM_END))
        return hn_fail(HONE_ERROR_FORMAT, "%s: the gzip file is damaged or cut: get it again", text->path);
    *got = (size_t)count;
    return HONE_OK;
}

hone_status hn_unpacked_read(hn_unpacked *text, void *data, size_t room, size_t *got) {
    *got = 0;
    if (text->zstd != NULL)
        return read_zstd(text, data, room, got);
    return text->gzip != NULL ? read_gzip(text, data, room, got) : read_plain(text, data, room, got);
}

uint64_t hn_unpacked_position(const hn_unpacked *text, uint64_t *of) {
    *of = text->map.size;
    if (text->zstd != NULL)
        return text->in.pos;
    const int64_t gzip = text->gzip != NULL ? gzoffset(text->gzip) : 0;
    return text->gzip != NULL ? (uint64_t)(gzip > 0 ? gzip : 0) : text->at;
}

static hone_status open_packed(hn_unpacked *text) {
    static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd}, gzip_magic[2] = {0x1f, 0x8b};

    if (text->map.size >= 4 && memcmp(text->map.data, zstd_magic, 4) == 0) {
        text->in = (ZSTD_inBuffer){text->map.data, text->map.size, 0};
        text->left = 1;
        text->zstd = ZSTD_createDCtx();
        return text->zstd != NULL ? HONE_OK
                                  : hn_fail(HONE_ERROR_MEMORY, "no memory to unpack %s", text->path);
    }
    if (text->map.size >= 2 && memcmp(text->map.data, gzip_magic, 2) == 0) {
        errno = 0;
        text->gzip = gzopen(text->path, "rb");
        if (text->gzip == NULL)
            return hn_fail_errno(errno != 0 ? errno : ENOMEM, "%s", text->path);
    }
    return HONE_OK;
}

hone_status hn_unpacked_open(const char *path, hn_unpacked **out) {
    hn_unpacked *text = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&text, 1, sizeof *text, "an open text"));
    HN_GO(hn_strdup(&text->path, path));
    HN_GO(hn_map_open(path, &text->map));
    HN_GO(open_packed(text));
    *out = text;
    text = NULL;
done:
    hn_unpacked_close(text);
    return status;
}

void hn_unpacked_close(hn_unpacked *text) {
    if (text == NULL)
        return;
    ZSTD_freeDCtx(text->zstd);
    if (text->gzip != NULL)
        (void)gzclose(text->gzip);
    hn_map_close(&text->map);
    hn_free(text->path);
    hn_free(text);
}
