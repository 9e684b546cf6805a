/** UTF-8: validity, and bytes that are not valid made visible. */
#ifndef HN_TEXT_UNICODE_H
#define HN_TEXT_UNICODE_H

#include <core/memory.h>

/** Bytes of the valid sequence at `text` (1 to 4), or 0; *code is its code point. */
size_t hn_utf8_next(const unsigned char *text, size_t length, uint32_t *code);
/** Writes 1 to 4 bytes; returns how many. */
size_t hn_utf8_put(uint32_t code, unsigned char out[4]);
/** HONE_ERROR_FORMAT with the offset of the first invalid byte. */
HONE_MUST_USE hone_status hn_utf8_check(const char *text, size_t length);
/** Appends with every maximal invalid piece replaced by U+FFFD. */
HONE_MUST_USE hone_status hn_utf8_append_lossy(hn_bytes *out, const char *text, size_t length);

/** Byte-level alphabet of GPT-2: printable Latin-1 bytes stand for themselves, the others for U+0100 and up. */
uint32_t hn_byte_char(unsigned char byte);
/** The byte that a character of the alphabet stands for, or -1. */
int hn_char_byte(uint32_t code);

#endif
