#include "emulated.h"

#include <stdbool.h>
#include <string.h>

enum { TILES = 8, MOST_ROWS = 16, MOST_BYTES = 64 };

/** Rows beyond `rows` and bytes beyond `bytes` are zero. */
typedef struct tile {
    int rows, bytes;
    bool written;
    unsigned char data[MOST_ROWS][MOST_BYTES];
} tile;

emulated hn_emulated;
static tile tiles[TILES];

static bool fault_unless(bool good) {
    hn_emulated.faults += good ? 0 : 1;
    return good;
}

static bool usable(int t) {
    return fault_unless(hn_emulated.configured != 0 && t >= 0 && t < TILES && tiles[t].rows > 0);
}

static bool zero_between(const unsigned char *layout, int from, int to) {
    for (int i = from; i < to; i++) {
        if (layout[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Palette 1; 16 + 2 t: bytes of a row, 48 + t: rows, of tile t; all other bytes are reserved. */
void hn_emulated_configure(const void *layout) {
    unsigned char bytes[64];
    memcpy(bytes, layout, sizeof bytes);
    if (!fault_unless(bytes[0] == 1 && bytes[1] == 0 && zero_between(bytes, 2, 16) &&
                      zero_between(bytes, 32, 48) && zero_between(bytes, 56, 64))) {
        return;
    }
    memset(tiles, 0, sizeof tiles);
    for (int t = 0; t < TILES; t++) {
        int width = bytes[16 + 2 * t] | bytes[17 + 2 * t] << 8, rows = bytes[48 + t];
        if (!fault_unless(width <= MOST_BYTES && rows <= MOST_ROWS && (width == 0) == (rows == 0))) {
            return;
        }
        tiles[t].rows = rows;
        tiles[t].bytes = width;
    }
    hn_emulated.configured = 1;
}

void hn_emulated_release(void) {
    (void)fault_unless(hn_emulated.configured != 0);
    hn_emulated.configured = 0;
    memset(tiles, 0, sizeof tiles);
}

void hn_emulated_zero(int t) {
    if (usable(t)) {
        memset(tiles[t].data, 0, sizeof tiles[t].data);
        tiles[t].written = true;
    }
}

void hn_emulated_load(int t, const void *from, size_t stride) {
    hn_emulated_zero(t);
    for (int row = 0; row < tiles[t].rows; row++) {
        memcpy(tiles[t].data[row], (const char *)from + (size_t)row * stride, (size_t)tiles[t].bytes);
    }
}

void hn_emulated_store(int t, void *to, size_t stride) {
    if (!usable(t) || !fault_unless(tiles[t].written)) {
        return;
    }
    for (int row = 0; row < tiles[t].rows; row++) {
        memcpy((char *)to + (size_t)row * stride, tiles[t].data[row], (size_t)tiles[t].bytes);
    }
}

/* The f32 whose upper half is element `i` of a row of bf16. */
static float element(const unsigned char *row, int i) {
    uint32_t bits = (uint32_t)(row[2 * i] | row[2 * i + 1] << 8) << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Even and odd elements are summed apart, then together, then to what was there. */
static void dot_row(const tile *a, const tile *b, int row, tile *sum) {
    for (int j = 0; j < sum->bytes / 4; j++) {
        float apart[2] = {0.0f, 0.0f}, total;
        for (int u = 0; u < a->bytes / 4; u++) {
            for (int half = 0; half < 2; half++) {
                /* Products of bf16 are exact in f32. */
                apart[half] += element(a->data[row], 2 * u + half) * element(b->data[u], 2 * j + half);
            }
        }
        memcpy(&total, sum->data[row] + 4 * j, sizeof total);
        total += apart[0] + apart[1];
        memcpy(sum->data[row] + 4 * j, &total, sizeof total);
    }
}

void hn_emulated_dot(int sum, int a, int b) {
    if (!usable(sum) || !usable(a) || !usable(b) || !fault_unless(sum != a && sum != b && a != b)) {
        return;
    }
    tile *to = &tiles[sum];
    const tile *left = &tiles[a], *right = &tiles[b];
    if (!fault_unless(to->written && left->written && right->written) ||
        !fault_unless(left->rows == to->rows && right->bytes == to->bytes && left->bytes % 4 == 0 &&
                      right->bytes % 4 == 0 && left->bytes / 4 == right->rows)) {
        return;
    }
    hn_emulated.dots++;
    for (int row = 0; row < to->rows; row++) {
        dot_row(left, right, row, to);
    }
}
