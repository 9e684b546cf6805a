/* Buffers and copies: a random sequence of actions on a device, and the same on plain memory. */
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 6, ACTIONS = 120, CASES = 12 };

typedef struct shadow {
    uint64_t handle[BUFFERS]; /* 0: there is none */
    unsigned char *memory[BUFFERS];
    size_t bytes[BUFFERS];
} shadow;

typedef struct copies {
    cf_device *device;
    cf_random random;
    shadow now;
    cf_verdict *verdict;
} copies;

static bool good(copies *c, hone_status status, const char *what) {
    if (status != HONE_OK)
        (void)snprintf(c->verdict->problem, sizeof c->verdict->problem, "%s: status %d: %.300s", what,
                       (int)status, c->device->host.message);
    c->verdict->passed = c->verdict->passed && status == HONE_OK;
    return status == HONE_OK;
}

static size_t some_bytes(copies *c) {
    static const int64_t most[] = {0, 1, 3, 128, 129, 5000, 100003};

    return (size_t)cf_between(&c->random, 0, most[cf_between(&c->random, 0, 6)]);
}

/* A place within a buffer, of any alignment. */
static size_t some_offset(copies *c, size_t bytes, size_t length) {
    return (size_t)cf_between(&c->random, 0, (int64_t)(bytes - length));
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

static void create(copies *c, int i) {
    const size_t bytes = some_bytes(c);
    unsigned char *memory = malloc(bytes + 1);

    if (memory == NULL)
        abort();
    for (size_t j = 0; j < bytes; j++)
        memory[j] = (unsigned char)cf_bits(&c->random);
    if (!good(c, c->device->backend->buffer_create(c->device->handle, bytes, &c->now.handle[i]),
              "buffer_create")) {
        free(memory);
        return;
    }
    c->now.memory[i] = memory;
    c->now.bytes[i] = bytes;
    for (int j = 0; j < BUFFERS; j++) {
        if (c->now.handle[i] == 0 || (j != i && c->now.handle[j] == c->now.handle[i])) {
            c->verdict->passed = false;
            (void)snprintf(c->verdict->problem, sizeof c->verdict->problem, "handle %llu is 0 or in use",
                           (unsigned long long)c->now.handle[i]);
        }
    }
    (void)good(c, c->device->backend->upload(c->device->handle, c->now.handle[i], 0, memory, bytes),
               "upload");
}

static void destroy(copies *c, int i) {
    if (c->now.handle[i] != 0)
        c->device->backend->buffer_destroy(c->device->handle, c->now.handle[i]);
    free(c->now.memory[i]);
    c->now.handle[i] = 0;
    c->now.memory[i] = NULL;
    c->now.bytes[i] = 0;
}

static void upload(copies *c, int i) {
    const size_t length = smaller(some_bytes(c), c->now.bytes[i]);
    const size_t offset = some_offset(c, c->now.bytes[i], length);

    for (size_t j = 0; j < length; j++)
        c->now.memory[i][offset + j] = (unsigned char)cf_bits(&c->random);
    (void)good(c,
               c->device->backend->upload(c->device->handle, c->now.handle[i], offset,
                                          c->now.memory[i] + offset, length),
               "upload");
}

static void copy(copies *c, int from, int to) {
    const size_t length = smaller(some_bytes(c), smaller(c->now.bytes[from], c->now.bytes[to]));
    size_t source = some_offset(c, c->now.bytes[from], length),
           destination = some_offset(c, c->now.bytes[to], length);
    size_t bytes = length;

    if (from == to) { /* the halves of one buffer: places must not overlap */
        bytes = smaller(length, c->now.bytes[to] / 2);
        source = c->now.bytes[to] - bytes;
        destination = 0;
    }
    memcpy(c->now.memory[to] + destination, c->now.memory[from] + source, bytes);
    (void)good(c,
               c->device->backend->copy(c->device->handle, c->now.handle[to], destination,
                                        c->now.handle[from], source, bytes),
               "copy");
}

static void compare(copies *c, int i) {
    const size_t length = smaller(some_bytes(c), c->now.bytes[i]);
    const size_t offset = some_offset(c, c->now.bytes[i], length);
    unsigned char *got = malloc(length + 1);

    if (got == NULL)
        abort();
    got[length] = 0x5a;
    if (good(c, c->device->backend->download(c->device->handle, got, c->now.handle[i], offset, length),
             "download") &&
        (memcmp(got, c->now.memory[i] + offset, length) != 0 || got[length] != 0x5a)) {
        c->verdict->passed = false;
        (void)snprintf(c->verdict->problem, sizeof c->verdict->problem,
                       "a download of %zu bytes at %zu of %zu is not what was there", length, offset,
                       c->now.bytes[i]);
    }
    free(got);
}

static void act(copies *c) {
    const int i = (int)cf_between(&c->random, 0, BUFFERS - 1),
              j = (int)cf_between(&c->random, 0, BUFFERS - 1);

    if (c->now.handle[i] == 0) {
        create(c, i);
        return;
    }
    switch (cf_between(&c->random, 0, 9)) {
    case 0:
        destroy(c, i);
        break;
    case 1:
    case 2:
        upload(c, i);
        break;
    case 3:
        (void)good(c, c->device->backend->synchronise(c->device->handle), "synchronise");
        break;
    case 4:
    case 5:
    case 6:
        if (c->now.handle[j] != 0)
            copy(c, i, j);
        break;
    default:
        compare(c, i);
        break;
    }
}

int cf_copies_cases(void) { return CASES; }

void cf_copies(cf_device *device, uint64_t seed, int number, cf_verdict *verdict) {
    copies c = {.device = device, .random = {seed ^ (uint64_t)number << 20}, .verdict = verdict};

    *verdict = (cf_verdict){.passed = true};
    for (int i = 0; i < ACTIONS && verdict->passed; i++)
        act(&c);
    for (int i = 0; i < BUFFERS; i++)
        destroy(&c, i);
}
