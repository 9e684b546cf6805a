#include <core/status.h>
#include <text/unicode.h>

/** Least code point that n bytes may hold: shorter forms of smaller ones are invalid. */
static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};

static size_t sequence_length(unsigned char first) {
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t hn_utf8_next(const unsigned char *text, size_t length, uint32_t *code) {
    const size_t n = length > 0 ? sequence_length(text[0]) : 0;

    if (n == 0 || n > length)
        return 0;
    uint32_t value = n == 1 ? text[0] : text[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (text[i] & 0x3fu);
    }
    if (value < least[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *code = value;
    return n;
}

size_t hn_utf8_put(uint32_t code, unsigned char out[4]) {
    if (code < 0x80) {
        out[0] = (unsigned char)code;
        return 1;
    }
    const size_t n = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--) {
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (unsigned char)((0xf00 >> n & 0xff) | code);
    return n;
}

hone_status hn_utf8_check(const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t code = 0;

    for (size_t at = 0; at < length;) {
        const size_t n = hn_utf8_next(bytes + at, length - at, &code);
        if (n == 0)
            return hn_fail(HONE_ERROR_FORMAT, "the text is not valid UTF-8: byte 0x%02x at offset %zu",
                           bytes[at], at);
        at += n;
    }
    return HONE_OK;
}

/** Length of the longest prefix of a valid sequence: it becomes one U+FFFD. */
static size_t invalid_length(const unsigned char *text, size_t length) {
    const size_t n = sequence_length(text[0]);
    size_t i = 1;

    for (; i < n && i < length && (text[i] & 0xc0) == 0x80; i++) {
        if (i > 1)
            continue;
        if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
            (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
            break;
    }
    return i;
}

hone_status hn_utf8_append_lossy(hn_bytes *out, const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t code = 0;

    for (size_t at = 0; at < length;) {
        const size_t n = hn_utf8_next(bytes + at, length - at, &code);
        if (n > 0)
            HN_TRY(hn_bytes_append(out, text + at, n));
        else
            HN_TRY(hn_bytes_append(out, "\xef\xbf\xbd", 3));
        at += n > 0 ? n : invalid_length(bytes + at, length - at);
    }
    return HONE_OK;
}

static int visible(int byte) {
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

/** The others, in increasing order: 0..32, 127..160, 173. */
uint32_t hn_byte_char(unsigned char byte) {
    if (visible(byte))
        return byte;
    if (byte <= 32)
        return 256u + byte;
    return byte <= 160 ? 256u + 33u + (byte - 127u) : 256u + 67u;
}

int hn_char_byte(uint32_t code) {
    if (code < 256)
        return visible((int)code) ? (int)code : -1;
    const uint32_t index = code - 256;
    if (index <= 32)
        return (int)index;
    if (index <= 66)
        return (int)(index - 33 + 127);
    return index == 67 ? 173 : -1;
}
