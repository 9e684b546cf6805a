/* A backend that is the oracle with one fault, chosen by the device option "fault": conformance must notice each.
 * A fault changes what the oracle is given, or what it left behind. */
#include "oracle/oracle.h"

#include <string.h>

extern const hone_backend_manifest hone_oracle_manifest;

/* The device structure is the oracle's own, so what is chosen stands here; a test opens devices of one fault only. */
static char fault[32];
static int calls;
static hone_backend_device *threaded; /* the one that was opened with several threads */

static bool is(const char *name) { return strcmp(fault, name) == 0; }

static const hone_backend *oracle(void) { return hone_oracle_manifest.backend; }

/* ---- elements of a tensor on the device ---- */

static uint64_t place(const hone_tensor *tensor, int64_t row, int64_t column) {
    return tensor->offset + (uint64_t)(row * tensor->row_stride + column) * oracle_dtype_size(tensor->dtype);
}

static double get(hone_backend_device *device, const hone_tensor *tensor, int64_t row, int64_t column) {
    uint64_t bytes = 0;

    (void)oracle()->download(device, &bytes, tensor->buffer, place(tensor, row, column),
                             oracle_dtype_size(tensor->dtype));
    return oracle_get(tensor->dtype, &bytes);
}

static void put(hone_backend_device *device, const hone_tensor *tensor, int64_t row, int64_t column,
                double value) {
    uint64_t bytes = 0;

    oracle_put(tensor->dtype, &bytes, value);
    (void)oracle()->upload(device, tensor->buffer, place(tensor, row, column), &bytes,
                           oracle_dtype_size(tensor->dtype));
}

static int64_t width(const hone_tensor *tensor) {
    int64_t product = 1;

    for (int i = 1; i < tensor->rank; i++)
        product *= tensor->extent[i];
    return product;
}

static bool empty(const hone_tensor *tensor) {
    return tensor->buffer == 0 || tensor->extent[0] == 0 || width(tensor) == 0;
}

/* Flips the lowest bit of the first element: within every bound. */
static void disturb(hone_backend_device *device, const hone_tensor *tensor) {
    unsigned char byte = 0;

    if (empty(tensor))
        return;
    (void)oracle()->download(device, &byte, tensor->buffer, tensor->offset, 1);
    byte ^= 1;
    (void)oracle()->upload(device, tensor->buffer, tensor->offset, &byte, 1);
}

/* ---- faults that change what goes in; inputs are restored afterwards ---- */

/* x with 10 bits of fraction, as some accelerators' products take it. */
static void shorten(hone_backend_device *device, const hone_tensor *x) {
    for (int64_t t = 0; t < x->extent[0]; t++) {
        for (int64_t d = 0; d < width(x); d++) {
            const float value = (float)get(device, x, t, d);
            uint32_t bits = 0;
            float shortened = 0;
            memcpy(&bits, &value, sizeof bits);
            bits = (bits + 0x1000u) & ~UINT32_C(0x1fff);
            memcpy(&shortened, &bits, sizeof bits);
            put(device, x, t, d, (double)shortened);
        }
    }
}

static void add_to_column(hone_backend_device *device, const hone_tensor *tensor, int64_t column,
                          double what) {
    for (int64_t row = 0; row < tensor->extent[0]; row++)
        put(device, tensor, row, column, get(device, tensor, row, column) + what);
}

static void spoil_inputs(hone_backend_device *device, hone_operation operation, const hone_call *call) {
    const bool attends = operation == HONE_OP_ATTENTION || operation == HONE_OP_ATTENTION_BACKWARD;

    if (is("range") && attends) /* an ancestor's last key is not seen */
        add_to_column(device, &call->operand[HONE_ATTENTION_RANGE], 1, -1);
    if (is("triangle") && attends) /* a query sees the key after its own, not the first */
        add_to_column(device, &call->operand[HONE_ATTENTION_SEGMENT], 2, 1);
    if (is("short") && operation == HONE_OP_LINEAR)
        shorten(device, &call->operand[HONE_LINEAR_X]);
    if (is("clear") && operation == HONE_OP_ATTENTION) /* rows that no segment covers are written */
        for (int64_t t = 0; t < call->operand[HONE_ATTENTION_O].extent[0]; t++)
            put(device, &call->operand[HONE_ATTENTION_O], t, 0, 0);
    if (is("clear") && operation == HONE_OP_SCATTER_ROWS && !empty(&call->operand[HONE_SCATTER_ROWS_Y]))
        for (int64_t t = 0; t < call->operand[HONE_SCATTER_ROWS_Y].extent[0]; t++)
            put(device, &call->operand[HONE_SCATTER_ROWS_Y], t, 0, 0);
}

static int spoiled_operand(hone_operation operation) {
    const bool attends = operation == HONE_OP_ATTENTION || operation == HONE_OP_ATTENTION_BACKWARD;

    if (is("range") && attends)
        return HONE_ATTENTION_RANGE;
    if (is("triangle") && attends)
        return HONE_ATTENTION_SEGMENT;
    return is("short") && operation == HONE_OP_LINEAR ? HONE_LINEAR_X : -1;
}

static void spoil_call(hone_operation operation, hone_call *call) {
    static hone_dropout_params dropout;
    static hone_adamw_params adamw;
    const oracle_operation *it = &oracle_operations[operation];

    if (is("overwrite"))
        call->accumulate = 0;
    if (is("add")) /* adds where it should overwrite, and so reads what was there */
        call->accumulate |= it->outputs & ~it->kept;
    if (is("mask") && operation == HONE_OP_DROPOUT) {
        dropout = *(const hone_dropout_params *)call->params;
        dropout.stream++;
        call->params = &dropout;
    }
    if (is("correction") && operation == HONE_OP_ADAMW) {
        adamw = *(const hone_adamw_params *)call->params;
        adamw.step++;
        call->params = &adamw;
    }
}

/* ---- faults that change what came out ---- */

/* The last one: attention_backward's first output is scratch. */
static int an_operand(hone_operation operation, const hone_call *call, bool output) {
    for (int i = oracle_operations[operation].operands - 1; i >= 0; i--) {
        if ((oracle_operations[operation].outputs >> i & 1u) == (output ? 1u : 0u) &&
            !empty(&call->operand[i]))
            return i;
    }
    return -1;
}

/* Fractions cut off instead of rounded. */
static void truncate_cast(hone_backend_device *device, const hone_call *call) {
    const hone_tensor *x = &call->operand[HONE_CAST_X], *y = &call->operand[HONE_CAST_Y];

    for (int64_t row = 0; y->dtype == HONE_BF16 && row < y->extent[0]; row++) {
        for (int64_t column = 0; column < width(y); column++) {
            const float value = (float)get(device, x, row, column);
            uint32_t bits = 0;
            memcpy(&bits, &value, sizeof bits);
            const uint16_t half = (uint16_t)(bits >> 16);
            (void)oracle()->upload(device, y->buffer, place(y, row, column), &half, sizeof half);
        }
    }
}

static void spoil_outputs(hone_backend_device *device, hone_operation operation, const hone_call *call) {
    const int output = an_operand(operation, call, true), input = an_operand(operation, call, false);

    if (is("round") && operation == HONE_OP_CAST)
        truncate_cast(device, call);
    if (is("workspace") && call->workspace.buffer != 0)
        (void)oracle()->upload(device, call->workspace.buffer,
                               call->workspace.offset + (uint64_t)call->workspace.extent[0], "", 1);
    if (is("input") && input >= 0)
        disturb(device, &call->operand[input]);
    if (output < 0)
        return;
    const hone_tensor *y = &call->operand[output];
    if (is("overrun"))
        put(device, y, y->extent[0] - 1, width(y), 1);
    if (is("padding") && y->row_stride > width(y) && y->extent[0] > 1)
        put(device, y, 0, width(y), 1);
    if ((is("unstable") && calls % 2 == 1) || (is("threads") && device == threaded))
        disturb(device, y);
}

/* ---- the wrapping ---- */

static hone_status run(hone_backend_device *device, const hone_call *given, hone_operation operation) {
    hone_call call = *given;
    unsigned char saved[1 << 16];
    const int spoiled = spoiled_operand(operation);
    const hone_tensor *it = spoiled >= 0 ? &call.operand[spoiled] : NULL;
    const bool save = it != NULL && !empty(it);
    const size_t bytes = save ? place(it, it->extent[0] - 1, width(it)) - it->offset : 0;

    if (bytes > sizeof saved)
        return oracle()->operation[operation](device, given);
    if (save)
        (void)oracle()->download(device, saved, it->buffer, it->offset, bytes);
    spoil_inputs(device, operation, &call);
    spoil_call(operation, &call);
    const hone_status status = oracle()->operation[operation](device, &call);
    if (save)
        (void)oracle()->upload(device, it->buffer, it->offset, saved, bytes);
    spoil_outputs(device, operation, &call);
    calls++;
    return status;
}

#define ENTRY(OPERATION)                                                                                     \
    static hone_status run_##OPERATION(hone_backend_device *device, const hone_call *call) {                 \
        return run(device, call, OPERATION);                                                                 \
    }
#define EACH(X)                                                                                              \
    X(HONE_OP_EMBEDDING)                                                                                     \
    X(HONE_OP_EMBEDDING_BACKWARD)                                                                            \
    X(HONE_OP_RMS_NORM)                                                                                      \
    X(HONE_OP_RMS_NORM_BACKWARD)                                                                             \
    X(HONE_OP_LINEAR)                                                                                        \
    X(HONE_OP_LINEAR_BACKWARD)                                                                               \
    X(HONE_OP_ROTARY)                                                                                        \
    X(HONE_OP_ATTENTION)                                                                                     \
    X(HONE_OP_ATTENTION_BACKWARD)                                                                            \
    X(HONE_OP_SWIGLU)                                                                                        \
    X(HONE_OP_SWIGLU_BACKWARD)                                                                               \
    X(HONE_OP_ADD)                                                                                           \
    X(HONE_OP_DROPOUT)                                                                                       \
    X(HONE_OP_GATHER_ROWS)                                                                                   \
    X(HONE_OP_HEAD_LOGP)                                                                                     \
    X(HONE_OP_HEAD_LOGP_BACKWARD)                                                                            \
    X(HONE_OP_ADAMW)                                                                                         \
    X(HONE_OP_SUM_SQUARES)                                                                                   \
    X(HONE_OP_FILL)                                                                                          \
    X(HONE_OP_CAST)                                                                                          \
    X(HONE_OP_SCATTER_ROWS)
EACH(ENTRY)

/* Most functions are the oracle's, which are known only at run time: they are called through. */
static hone_status device_count(const hone_host *host, int *count) { return oracle()->count(host, count); }

static hone_status device_open(const hone_host *host, int index, hone_backend_device **device) {
    const char *chosen = host->option(host->context, "fault");

    (void)strncpy(fault, chosen != NULL ? chosen : "", sizeof fault - 1);
    const hone_status status = oracle()->open(host, index, device);
    if (host->threads(host->context) > 1)
        threaded = *device;
    return status;
}

static void device_close(hone_backend_device *device) { oracle()->close(device); }

static hone_status device_properties(hone_backend_device *device, hone_device_properties *properties) {
    const hone_status status = oracle()->properties(device, properties);

    properties->compute_dtypes = 1u << HONE_F32;
    return status;
}

static hone_status buffer_create(hone_backend_device *device, size_t bytes, uint64_t *buffer) {
    return oracle()->buffer_create(device, bytes, buffer);
}

static void buffer_destroy(hone_backend_device *device, uint64_t buffer) {
    oracle()->buffer_destroy(device, buffer);
}

static hone_status upload(hone_backend_device *device, uint64_t buffer, uint64_t offset, const void *source,
                          size_t bytes) {
    return oracle()->upload(device, buffer, offset, source, bytes);
}

static hone_status download(hone_backend_device *device, void *destination, uint64_t buffer, uint64_t offset,
                            size_t bytes) {
    return oracle()->download(device, destination, buffer, offset, bytes);
}

static hone_status copy(hone_backend_device *device, uint64_t destination, uint64_t destination_offset,
                        uint64_t source, uint64_t source_offset, size_t bytes) {
    if (is("copy") && bytes > 1)
        bytes--;
    return oracle()->copy(device, destination, destination_offset, source, source_offset, bytes);
}

static hone_status synchronise(hone_backend_device *device) { return oracle()->synchronise(device); }

static size_t workspace(hone_backend_device *device, hone_operation operation, const hone_call *call) {
    (void)device;
    (void)operation;
    if (is("shrink")) /* wants less for more rows */
        return 4096 / (size_t)(call->operand[0].extent[0] + 1);
    return is("workspace") ? 40 : 0;
}

#define PLACE(OPERATION) [OPERATION] = run_##OPERATION,
static const hone_backend backend = {
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend),
    .count = device_count,
    .open = device_open,
    .close = device_close,
    .properties = device_properties,
    .buffer_create = buffer_create,
    .buffer_destroy = buffer_destroy,
    .upload = upload,
    .download = download,
    .copy = copy,
    .synchronise = synchronise,
    .workspace = workspace,
    .operation = {EACH(PLACE)},
};

const hone_backend_manifest hone_backend_manifest_1 = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "broken",
    .backend = &backend,
};
