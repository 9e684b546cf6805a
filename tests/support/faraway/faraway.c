/**
 * A device for tests, as far away as memory of one process can be. It computes with the cpu backend's scalar
 * kernels, but
 *   - its handles are neither addresses nor the inner backend's handles;
 *   - its buffers lie in memory that nothing may touch while none of its own work runs, and then only the operands
 *     of that work: inputs to read, outputs to write. A guard page follows each buffer, and fresh buffers hold NaN;
 *   - nothing runs when it is called: copies and operations are queued and run when somebody waits.
 * Whoever keeps a pointer, forgets to wait or reads what nobody wrote faults or computes NaN.
 */
#include <hone/backend.h>

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern const hone_backend_manifest hone_faraway_inner;
#define INNER (hone_faraway_inner.backend)

/* ---- what the operations read and write ---- */

#define OUT(operand) (1u << (operand))
typedef struct signature {
    int operands;
    uint32_t outputs;
    size_t params;
} signature;

static const signature signatures[HONE_OP_COUNT] = {
    [HONE_OP_EMBEDDING] = {HONE_EMBEDDING_OPERANDS, OUT(HONE_EMBEDDING_Y), 0},
    [HONE_OP_EMBEDDING_BACKWARD] = {HONE_EMBEDDING_BACKWARD_OPERANDS, OUT(HONE_EMBEDDING_BACKWARD_DTABLE), 0},
    [HONE_OP_RMS_NORM] = {HONE_RMS_NORM_OPERANDS, OUT(HONE_RMS_NORM_Y) | OUT(HONE_RMS_NORM_RSTD),
                          sizeof(hone_norm_params)},
    [HONE_OP_RMS_NORM_BACKWARD] = {HONE_RMS_NORM_BACKWARD_OPERANDS,
                                   OUT(HONE_RMS_NORM_BACKWARD_DX) | OUT(HONE_RMS_NORM_BACKWARD_DGAIN), 0},
    [HONE_OP_LINEAR] = {HONE_LINEAR_OPERANDS, OUT(HONE_LINEAR_Y), sizeof(hone_scale_params)},
    [HONE_OP_LINEAR_BACKWARD] = {HONE_LINEAR_BACKWARD_OPERANDS,
                                 OUT(HONE_LINEAR_BACKWARD_DX) | OUT(HONE_LINEAR_BACKWARD_DW) |
                                     OUT(HONE_LINEAR_BACKWARD_DBIAS),
                                 sizeof(hone_scale_params)},
    [HONE_OP_ROTARY] = {HONE_ROTARY_OPERANDS, OUT(HONE_ROTARY_Y), sizeof(hone_rotary_params)},
    [HONE_OP_ATTENTION] = {HONE_ATTENTION_OPERANDS, OUT(HONE_ATTENTION_O) | OUT(HONE_ATTENTION_LSE),
                           sizeof(hone_scale_params)},
    [HONE_OP_ATTENTION_BACKWARD] = {HONE_ATTENTION_BACKWARD_OPERANDS,
                                    OUT(HONE_ATTENTION_BACKWARD_DELTA) | OUT(HONE_ATTENTION_BACKWARD_DQ) |
                                        OUT(HONE_ATTENTION_BACKWARD_DK) | OUT(HONE_ATTENTION_BACKWARD_DV),
                                    sizeof(hone_scale_params)},
    [HONE_OP_SWIGLU] = {HONE_SWIGLU_OPERANDS, OUT(HONE_SWIGLU_Y), 0},
    [HONE_OP_SWIGLU_BACKWARD] = {HONE_SWIGLU_BACKWARD_OPERANDS,
                                 OUT(HONE_SWIGLU_BACKWARD_DGATE) | OUT(HONE_SWIGLU_BACKWARD_DUP), 0},
    [HONE_OP_ADD] = {HONE_ADD_OPERANDS, OUT(HONE_ADD_Y), 0},
    [HONE_OP_DROPOUT] = {HONE_DROPOUT_OPERANDS, OUT(HONE_DROPOUT_Y), sizeof(hone_dropout_params)},
    [HONE_OP_GATHER_ROWS] = {HONE_GATHER_ROWS_OPERANDS, OUT(HONE_GATHER_ROWS_Y), 0},
    [HONE_OP_HEAD_LOGP] = {HONE_HEAD_LOGP_OPERANDS, OUT(HONE_HEAD_LOGP_LOGP) | OUT(HONE_HEAD_LOGP_LSE), 0},
    [HONE_OP_HEAD_LOGP_BACKWARD] = {HONE_HEAD_LOGP_BACKWARD_OPERANDS,
                                    OUT(HONE_HEAD_LOGP_BACKWARD_DH) | OUT(HONE_HEAD_LOGP_BACKWARD_DW), 0},
    [HONE_OP_ADAMW] = {HONE_ADAMW_OPERANDS, OUT(HONE_ADAMW_W) | OUT(HONE_ADAMW_M) | OUT(HONE_ADAMW_V),
                       sizeof(hone_adamw_params)},
    [HONE_OP_SUM_SQUARES] = {HONE_SUM_SQUARES_OPERANDS, OUT(HONE_SUM_SQUARES_OUT), 0},
    [HONE_OP_FILL] = {HONE_FILL_OPERANDS, OUT(HONE_FILL_Y), sizeof(hone_fill_params)},
    [HONE_OP_CAST] = {HONE_CAST_OPERANDS, OUT(HONE_CAST_Y), 0},
    [HONE_OP_SCATTER_ROWS] = {HONE_SCATTER_ROWS_OPERANDS, OUT(HONE_SCATTER_ROWS_Y), 0},
};

/* ---- the device ---- */

/* One mapping: pages for the bytes, then a guard page. */
typedef struct region {
    char *pages;
    size_t size; /* without the guard */
    void *data;
} region;

typedef struct place {
    uint64_t handle, inner;
    size_t bytes;
    region memory;
    bool destroyed; /* by the caller; the work before it may still be queued */
} place;

typedef enum work_kind { UPLOAD, COPY, RUN, DESTROY } work_kind;

typedef struct work {
    work_kind kind;
    uint64_t to, to_offset, from, from_offset;
    size_t bytes;
    void *content; /* of an upload, or an operation's parameters */
    hone_operation operation;
    hone_call call;
    hone_tensor operand[HONE_MAX_OPERANDS];
} work;

struct hone_backend_device {
    const hone_host *host;
    hone_host inner_host;
    hone_backend_device *inner;
    region fresh; /* what the inner backend allocated last */
    place *places;
    size_t place_count, place_capacity;
    work *queue;
    size_t queue_count, queue_capacity;
    uint64_t handles;
};

static hone_status no_memory(hone_backend_device *device) {
    return device->host->fail(device->host->context, HONE_ERROR_MEMORY, "faraway: no memory");
}

/* Room for one more item; false: no memory. */
static bool grow(void **items, size_t *capacity, size_t count, size_t size) {
    if (count < *capacity) {
        return true;
    }
    size_t more = *capacity == 0 ? 64 : 2 * *capacity;
    void *grown = realloc(*items, more * size);
    if (grown == NULL) {
        return false;
    }
    *items = grown;
    *capacity = more;
    return true;
}

static place *find(hone_backend_device *device, uint64_t handle) {
    for (size_t i = 0; i < device->place_count; i++) {
        if (device->places[i].handle == handle) {
            return &device->places[i];
        }
    }
    return NULL;
}

/* ---- services for the inner backend ---- */

static hone_status wrapped_fail(void *context, hone_status status, const char *format, ...) HONE_PRINTF(3, 4);

static hone_status wrapped_fail(void *context, hone_status status, const char *format, ...) {
    hone_backend_device *device = context;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return device->host->fail(device->host->context, status, "%s", text);
}

/* The bytes end where the guard begins, but for the alignment. */
static void *wrapped_allocate(void *context, size_t bytes, size_t alignment) {
    hone_backend_device *device = context;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t used = (bytes + alignment - 1) / alignment * alignment, size = (used + page - 1) / page * page;
    char *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        return NULL;
    }
    memset(pages, 0xff, size);
    (void)mprotect(pages, size + page, PROT_NONE);
    device->fresh = (region){.pages = pages, .size = size, .data = pages + size - used};
    return device->fresh.data;
}

static void wrapped_release(void *context, void *memory, size_t bytes) {
    hone_backend_device *device = context;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)bytes;
    for (size_t i = 0; i < device->place_count; i++) {
        region *found = &device->places[i].memory;
        if (found->data == memory && found->pages != NULL) {
            (void)munmap(found->pages, found->size + page);
            found->pages = NULL;
            return;
        }
    }
}

static void wrapped_parallel(void *context, int64_t count,
                             void (*body)(void *argument, int64_t index, int thread), void *argument) {
    hone_backend_device *device = context;
    device->host->parallel(device->host->context, count, body, argument);
}

static int wrapped_threads(void *context) {
    hone_backend_device *device = context;
    return device->host->threads(device->host->context);
}

static const char *wrapped_option(void *context, const char *name) {
    (void)context;
    return strcmp(name, "isa") == 0 ? "scalar" : NULL;
}

/* ---- running what was queued ---- */

static hone_status allow(hone_backend_device *device, uint64_t handle, int protection) {
    place *found = handle == 0 ? NULL : find(device, handle);
    if (found == NULL || found->memory.size == 0) {
        return HONE_OK;
    }
    if (mprotect(found->memory.pages, found->memory.size, protection) != 0) {
        return device->host->fail(device->host->context, HONE_ERROR_DEVICE, "faraway: mprotect refused");
    }
    return HONE_OK;
}

/* Opens the operands: first all to read, then outputs to write, as one buffer may hold both. */
static hone_status open_operands(hone_backend_device *device, const work *item, bool open) {
    const signature *about = &signatures[item->operation];
    hone_status status = HONE_OK;
    for (int i = 0; i < about->operands && status == HONE_OK; i++) {
        status = allow(device, item->operand[i].buffer, open ? PROT_READ : PROT_NONE);
    }
    for (int i = 0; open && i < about->operands && status == HONE_OK; i++) {
        if ((about->outputs >> i & 1u) != 0) {
            status = allow(device, item->operand[i].buffer, PROT_READ | PROT_WRITE);
        }
    }
    if (status == HONE_OK) {
        status = allow(device, item->call.workspace.buffer, open ? PROT_READ | PROT_WRITE : PROT_NONE);
    }
    return status;
}

static void translate(hone_backend_device *device, hone_tensor *tensor) {
    const place *found = tensor->buffer == 0 ? NULL : find(device, tensor->buffer);
    tensor->buffer = found == NULL ? 0 : found->inner;
}

static hone_status run_operation(hone_backend_device *device, const work *item) {
    hone_tensor operand[HONE_MAX_OPERANDS];
    hone_call call = item->call;
    hone_status status = open_operands(device, item, true);
    memcpy(operand, item->operand, sizeof operand);
    for (int i = 0; i < signatures[item->operation].operands; i++) {
        translate(device, &operand[i]);
    }
    translate(device, &call.workspace);
    call.operand = operand;
    call.params = item->content;
    if (status == HONE_OK) {
        status = INNER->operation[item->operation](device->inner, &call);
    }
    hone_status closed = open_operands(device, item, false);
    return status == HONE_OK ? closed : status;
}

static hone_status run_copy(hone_backend_device *device, const work *item) {
    uint64_t to = find(device, item->to)->inner;
    hone_status status = HONE_OK;
    if (item->kind == COPY) {
        status = allow(device, item->from, PROT_READ);
    }
    if (status == HONE_OK) {
        status = allow(device, item->to, PROT_READ | PROT_WRITE);
    }
    if (status == HONE_OK && item->kind == UPLOAD) {
        status = INNER->upload(device->inner, to, item->to_offset, item->content, item->bytes);
    } else if (status == HONE_OK) {
        status = INNER->copy(device->inner, to, item->to_offset, find(device, item->from)->inner,
                             item->from_offset, item->bytes);
    }
    if (item->kind == COPY) {
        (void)allow(device, item->from, PROT_NONE);
    }
    (void)allow(device, item->to, PROT_NONE);
    return status;
}

static void run_destroy(hone_backend_device *device, uint64_t handle) {
    place *found = find(device, handle);
    INNER->buffer_destroy(device->inner, found->inner);
    *found = device->places[--device->place_count];
}

/* Everything queued, in order; after a failure nothing but the destructions. */
static hone_status flush(hone_backend_device *device) {
    hone_status status = HONE_OK;
    for (size_t i = 0; i < device->queue_count; i++) {
        work *item = &device->queue[i];
        if (item->kind == DESTROY) {
            run_destroy(device, item->to);
        } else if (status == HONE_OK) {
            status = item->kind == RUN ? run_operation(device, item) : run_copy(device, item);
        }
        free(item->content);
    }
    device->queue_count = 0;
    return status;
}

/* Takes over item->content. */
static hone_status enqueue(hone_backend_device *device, const work *item) {
    if (!grow((void **)&device->queue, &device->queue_capacity, device->queue_count, sizeof *device->queue)) {
        free(item->content);
        return no_memory(device);
    }
    device->queue[device->queue_count++] = *item;
    return HONE_OK;
}

/* ---- the backend's table ---- */

static hone_status count_devices(const hone_host *host, int *count) {
    (void)host;
    *count = 1;
    return HONE_OK;
}

static hone_status open_device(const hone_host *host, int index, hone_backend_device **device) {
    *device = NULL;
    if (index != 0) {
        return host->fail(host->context, HONE_ERROR_NOT_FOUND, "faraway:%d: there is faraway:0 alone", index);
    }
    hone_backend_device *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return host->fail(host->context, HONE_ERROR_MEMORY, "faraway: no memory");
    }
    made->host = host;
    made->inner_host = (hone_host){.abi = HONE_BACKEND_ABI,
                                   .size = sizeof(hone_host),
                                   .context = made,
                                   .fail = wrapped_fail,
                                   .allocate = wrapped_allocate,
                                   .release = wrapped_release,
                                   .parallel = wrapped_parallel,
                                   .threads = wrapped_threads,
                                   .option = wrapped_option};
    hone_status status = INNER->open(&made->inner_host, 0, &made->inner);
    if (status != HONE_OK) {
        free(made);
        return status;
    }
    *device = made;
    return HONE_OK;
}

static void close_device(hone_backend_device *device) {
    if (device == NULL) {
        return;
    }
    (void)flush(device);
    INNER->close(device->inner);
    free(device->places);
    free(device->queue);
    free(device);
}

static hone_status properties_of(hone_backend_device *device, hone_device_properties *properties) {
    hone_status status = INNER->properties(device->inner, properties);
    (void)snprintf(properties->name, sizeof properties->name, "out of reach");
    return status;
}

/* Odd multiples of an odd number, scattered over all 64 bits: no address, no small number, never 0. */
static uint64_t next_handle(hone_backend_device *device) {
    return (2 * device->handles++ + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static hone_status buffer_create(hone_backend_device *device, size_t bytes, uint64_t *buffer) {
    *buffer = 0;
    if (!grow((void **)&device->places, &device->place_capacity, device->place_count,
              sizeof *device->places)) {
        return no_memory(device);
    }
    place *made = &device->places[device->place_count];
    *made = (place){.bytes = bytes};
    hone_status status = INNER->buffer_create(device->inner, bytes, &made->inner);
    if (status != HONE_OK) {
        return status;
    }
    made->memory = device->fresh;
    made->handle = next_handle(device);
    device->place_count++;
    *buffer = made->handle;
    return HONE_OK;
}

static void buffer_destroy(hone_backend_device *device, uint64_t buffer) {
    place *found = find(device, buffer);
    if (found == NULL || found->destroyed) {
        return;
    }
    found->destroyed = true;
    work item = {.kind = DESTROY, .to = buffer};
    if (enqueue(device, &item) != HONE_OK) {
        (void)flush(device);
        run_destroy(device, buffer);
    }
}

/* A run of bytes of a buffer that lives. */
static hone_status check(hone_backend_device *device, uint64_t buffer, uint64_t offset, size_t bytes) {
    const place *found = find(device, buffer);
    if (found == NULL || found->destroyed) {
        return device->host->fail(device->host->context, HONE_ERROR_ARGUMENT, "faraway: no such buffer");
    }
    if (offset > found->bytes || bytes > found->bytes - offset) {
        return device->host->fail(device->host->context, HONE_ERROR_ARGUMENT, "faraway: past a buffer's end");
    }
    return HONE_OK;
}

static hone_status upload(hone_backend_device *device, uint64_t buffer, uint64_t offset, const void *source,
                          size_t bytes) {
    hone_status status = check(device, buffer, offset, bytes);
    if (status != HONE_OK || bytes == 0) {
        return status;
    }
    work item = {.kind = UPLOAD, .to = buffer, .to_offset = offset, .bytes = bytes, .content = malloc(bytes)};
    if (item.content == NULL) {
        return no_memory(device);
    }
    memcpy(item.content, source, bytes);
    return enqueue(device, &item);
}

static hone_status download(hone_backend_device *device, void *destination, uint64_t buffer, uint64_t offset,
                            size_t bytes) {
    hone_status status = check(device, buffer, offset, bytes);
    if (status == HONE_OK) {
        status = flush(device);
    }
    if (status == HONE_OK) {
        status = allow(device, buffer, PROT_READ);
    }
    if (status == HONE_OK) {
        status = INNER->download(device->inner, destination, find(device, buffer)->inner, offset, bytes);
        (void)allow(device, buffer, PROT_NONE);
    }
    return status;
}

static hone_status copy(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes) {
    hone_status status = check(device, destination, destination_offset, bytes);
    if (status == HONE_OK) {
        status = check(device, source, source_offset, bytes);
    }
    if (status != HONE_OK || bytes == 0) {
        return status;
    }
    work item = {.kind = COPY,
                 .to = destination,
                 .to_offset = destination_offset,
                 .from = source,
                 .from_offset = source_offset,
                 .bytes = bytes};
    return enqueue(device, &item);
}

static size_t workspace(hone_backend_device *device, hone_operation operation, const hone_call *call) {
    return INNER->workspace(device->inner, operation, call);
}

static hone_status queue_operation(hone_backend_device *device, hone_operation operation,
                                   const hone_call *call) {
    const signature *about = &signatures[operation];
    work item = {.kind = RUN, .operation = operation, .call = *call};
    hone_status status = HONE_OK;
    memcpy(item.operand, call->operand, (size_t)about->operands * sizeof *item.operand);
    for (int i = 0; i < about->operands && status == HONE_OK; i++) {
        status = item.operand[i].buffer == 0 ? HONE_OK : check(device, item.operand[i].buffer, 0, 0);
    }
    if (status == HONE_OK && call->workspace.buffer != 0) {
        status = check(device, call->workspace.buffer, 0, 0);
    }
    if (status != HONE_OK) {
        return status;
    }
    if (about->params > 0) {
        item.content = malloc(about->params);
        if (item.content == NULL) {
            return no_memory(device);
        }
        memcpy(item.content, call->params, about->params);
    }
    return enqueue(device, &item);
}

/* The table's functions don't say which operation they are: one function each. */
#define OPERATIONS(each)                                                                                     \
    each(EMBEDDING) each(EMBEDDING_BACKWARD) each(RMS_NORM) each(RMS_NORM_BACKWARD) each(LINEAR)             \
        each(LINEAR_BACKWARD) each(ROTARY) each(ATTENTION) each(ATTENTION_BACKWARD) each(SWIGLU)             \
            each(SWIGLU_BACKWARD) each(ADD) each(DROPOUT) each(GATHER_ROWS) each(HEAD_LOGP)                  \
                each(HEAD_LOGP_BACKWARD) each(ADAMW) each(SUM_SQUARES) each(FILL) each(CAST)                 \
                    each(SCATTER_ROWS)
#define DEFINE(name)                                                                                         \
    static hone_status run_##name(hone_backend_device *device, const hone_call *call) {                      \
        return queue_operation(device, HONE_OP_##name, call);                                                \
    }
OPERATIONS(DEFINE)

#define ENTRY(name) [HONE_OP_##name] = run_##name,
static const hone_backend backend = {
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend),
    .count = count_devices,
    .open = open_device,
    .close = close_device,
    .properties = properties_of,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .upload = upload,
    .download = download,
    .copy = copy,
    .synchronise = flush,
    .workspace = workspace,
    .operation = {OPERATIONS(ENTRY)},
};

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "faraway",
    .backend = &backend,
};
