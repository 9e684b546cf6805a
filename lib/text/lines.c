#include <core/file.h>
#include <core/status.h>
#include <errno.h>
#include <string.h>
#include <text/lines.h>
#include <zlib.h>
#include <zstd.h>

enum { BLOCK = 1 << 18 };

static hone_status too_long(const char *path, size_t limit) {
    return hn_fail(HONE_ERROR_FORMAT, "%s: more than %zu MB when unpacked: split the file", path,
                   limit >> 20);
}

static hone_status append(const char *path, const void *data, size_t bytes, size_t limit, hn_bytes *text) {
    if (bytes > limit - text->length)
        return too_long(path, limit);
    return hn_bytes_append(text, data, bytes);
}

static hone_status read_zstd(const char *path, const hn_map *map, size_t limit, hn_bytes *text) {
    ZSTD_DCtx *zstd = ZSTD_createDCtx();
    ZSTD_inBuffer in = {map->data, map->size, 0};
    unsigned char *block = NULL;
    size_t left = 1;
    hone_status status = HONE_OK;

    HN_GO(hn_alloc(&block, BLOCK, 1, "unpacking"));
    if (zstd == NULL) {
        status = hn_fail(HONE_ERROR_MEMORY, "no memory to unpack %s", path);
        goto done;
    }
    while (in.pos < in.size || left > 0) {
        ZSTD_outBuffer out = {block, BLOCK, 0};
        left = ZSTD_decompressStream(zstd, &out, &in);
        if (ZSTD_isError(left)) {
            status = hn_fail(HONE_ERROR_FORMAT, "%s: the zstd file is damaged (%s): get it again", path,
                             ZSTD_getErrorName(left));
            goto done;
        }
        HN_GO(append(path, block, out.pos, limit, text));
        if (in.pos == in.size && out.pos < BLOCK)
            break;
    }
    if (left != 0)
        status = hn_fail(HONE_ERROR_FORMAT, "%s: the zstd file is cut: get it again", path);
done:
    ZSTD_freeDCtx(zstd);
    hn_free(block);
    return status;
}

/** gzopen also reads files that are not compressed, but only here do its errors matter. */
static hone_status read_gzip(const char *path, size_t limit, hn_bytes *text) {
    errno = 0;
    gzFile file = gzopen(path, "rb");
    unsigned char *block = NULL;
    int got = 0, code = 0;
    hone_status status = HONE_OK;

    if (file == NULL)
        return hn_fail_errno(errno != 0 ? errno : ENOMEM, "%s", path);
    HN_GO(hn_alloc(&block, BLOCK, 1, "unpacking"));
    while ((got = gzread(file, block, BLOCK)) > 0)
        HN_GO(append(path, block, (size_t)got, limit, text));
    (void)gzerror(file, &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END))
        status = hn_fail(HONE_ERROR_FORMAT, "%s: the gzip file is damaged or cut: get it again", path);
done:
    (void)gzclose(file);
    hn_free(block);
    return status;
}

hone_status hn_text_read(const char *path, size_t limit, hn_bytes *text) {
    static const unsigned char zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd}, gzip_magic[2] = {0x1f, 0x8b};
    hn_map map = {0};
    hone_status status = HONE_OK;

    HN_TRY(hn_map_open(path, &map));
    if (map.size >= 4 && memcmp(map.data, zstd_magic, 4) == 0)
        status = read_zstd(path, &map, limit, text);
    else if (map.size >= 2 && memcmp(map.data, gzip_magic, 2) == 0)
        status = read_gzip(path, limit, text);
    else
        status = append(path, map.data, map.size, limit, text);
    hn_map_close(&map);
    return status;
}
