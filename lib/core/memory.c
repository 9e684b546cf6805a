#include "core/memory.h"

#include "core/status.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic int64_t allocations;
static _Atomic int64_t fail_in; /* allocations to go until one fails; 0 = never */

void hn_memory_fail_at(int64_t n) { atomic_store(&fail_in, n); }

int64_t hn_memory_allocations(void) { return atomic_load(&allocations); }

static bool injected(void) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    if (atomic_load_explicit(&fail_in, memory_order_relaxed) <= 0)
        return false;
    return atomic_fetch_sub(&fail_in, 1) == 1;
}

bool hn_mul_size(size_t a, size_t b, size_t *out) {
    size_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return false;
    *out = result;
    return true;
}

bool hn_add_size(size_t a, size_t b, size_t *out) {
    size_t result;
    if (__builtin_add_overflow(a, b, &result))
        return false;
    *out = result;
    return true;
}

bool hn_mul_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t result;
    if (__builtin_mul_overflow(a, b, &result))
        return false;
    *out = result;
    return true;
}

bool hn_add_i64(int64_t a, int64_t b, int64_t *out) {
    int64_t result;
    if (__builtin_add_overflow(a, b, &result))
        return false;
    *out = result;
    return true;
}

static hone_status bytes_of(size_t count, size_t size, const char *what, size_t *bytes) {
    if (!hn_mul_size(count, size, bytes) || *bytes > PTRDIFF_MAX)
        return hn_fail(HONE_ERROR_MEMORY, "%s: %zu elements of %zu bytes are more than memory can address",
                       what, count, size);
    if (*bytes == 0)
        *bytes = 1;
    return HONE_OK;
}

/* The pointers of callers have many types; copying their bytes is the only access that all may share. */
hone_status hn_alloc(void *out, size_t count, size_t size, const char *what) {
    void *memory = NULL;
    size_t bytes = 0;
    memcpy(out, &memory, sizeof memory);
    HN_TRY(bytes_of(count, size, what, &bytes));
    memory = injected() ? NULL : calloc(1, bytes);
    if (!memory)
        return hn_fail(HONE_ERROR_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
    memcpy(out, &memory, sizeof memory);
    return HONE_OK;
}

hone_status hn_realloc(void *memory, size_t count, size_t size, const char *what) {
    void *old = NULL;
    size_t bytes = 0;
    memcpy(&old, memory, sizeof old);
    HN_TRY(bytes_of(count, size, what, &bytes));
    void *grown = injected() ? NULL : realloc(old, bytes);
    if (!grown)
        return hn_fail(HONE_ERROR_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
    memcpy(memory, &grown, sizeof grown);
    return HONE_OK;
}

void hn_free(void *memory) { free(memory); }

hone_status hn_strndup(char **out, const char *text, size_t length) {
    size_t bytes = 0;
    *out = NULL;
    if (!hn_add_size(length, 1, &bytes))
        return hn_fail(HONE_ERROR_MEMORY, "a string of %zu bytes is more than memory can address", length);
    HN_TRY(hn_alloc(out, bytes, 1, "a string"));
    if (length > 0)
        memcpy(*out, text, length);
    return HONE_OK;
}

hone_status hn_strdup(char **out, const char *text) { return hn_strndup(out, text, strlen(text)); }

static HONE_PRINTF(2, 0) hone_status
    format_v(char **out, const char *format, va_list arguments, size_t *length) {
    va_list again;
    va_copy(again, arguments);
    int needed = vsnprintf(NULL, 0, format, arguments);
    hone_status status = HONE_OK;
    *out = NULL;
    if (needed < 0)
        status = hn_fail(HONE_ERROR_ARGUMENT, "a text could not be formatted");
    else
        status = hn_alloc(out, (size_t)needed + 1, 1, "a string");
    if (status == HONE_OK) {
        (void)vsnprintf(*out, (size_t)needed + 1, format, again);
        *length = (size_t)needed;
    }
    va_end(again);
    return status;
}

hone_status hn_format(char **out, const char *format, ...) {
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    hone_status status = format_v(out, format, arguments, &length);
    va_end(arguments);
    return status;
}

hone_status hn_reserve(void *array, size_t *capacity, size_t needed, size_t size, const char *what) {
    if (needed <= *capacity)
        return HONE_OK;
    size_t grown = *capacity < 8 ? 8 : *capacity;
    while (grown < needed)
        grown = grown > SIZE_MAX / 2 ? needed : grown * 2;
    HN_TRY(hn_realloc(array, grown, size, what));
    *capacity = grown;
    return HONE_OK;
}

hone_status hn_bytes_append(hn_bytes *bytes, const void *data, size_t length) {
    size_t needed = 0;
    if (!hn_add_size(bytes->length, length, &needed) || !hn_add_size(needed, 1, &needed))
        return hn_fail(HONE_ERROR_MEMORY, "a text of %zu and %zu bytes is more than memory can address",
                       bytes->length, length);
    HN_TRY(hn_reserve(&bytes->data, &bytes->capacity, needed, 1, "a text"));
    if (length > 0)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
    bytes->data[bytes->length] = '\0';
    return HONE_OK;
}

hone_status hn_bytes_printf(hn_bytes *bytes, const char *format, ...) {
    char *text = NULL;
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    hone_status status = format_v(&text, format, arguments, &length);
    va_end(arguments);
    if (status == HONE_OK)
        status = hn_bytes_append(bytes, text, length);
    hn_free(text);
    return status;
}

void hn_bytes_clear(hn_bytes *bytes) {
    hn_free(bytes->data);
    *bytes = (hn_bytes){NULL, 0, 0};
}
