/* Validation: a right call of every operation, then every way of making it wrong, one at a time. The calls are made
 * from the table that validation reads, so an operation that is added is tested too. */
#include <dispatch/device.h>
#include <dispatch/dispatch.h>
#include <tensor/tensor.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BUFFER = 1 << 16, WORKSPACE = 1 << 24 };

typedef struct bench {
    hone_device *device;
    uint64_t buffer[HONE_MAX_OPERANDS], workspace;
} bench;

/* A call that is in order, one buffer an operand. */
typedef struct example {
    const bench *bench;
    hone_operation operation;
    const hn_operation_info *info;
    hone_tensor operand[HONE_MAX_OPERANDS];
    hone_call call;
    union {
        hone_dropout_params dropout;
        hone_adamw_params adamw;
        hone_scale_params scale;
        hone_rotary_params rotary;
    } params;
} example;

static int64_t extent_of(char letter) {
    switch (letter) {
    case 'T':
        return 5;
    case 'H':
        return 4;
    case 'K':
        return 2;
    case 'N':
        return 6;
    case 'I':
        return 3;
    case 'U':
        return 2;
    default:
        return letter >= '0' && letter <= '9' ? letter - '0' : 7;
    }
}

static hone_tensor tensor_for(const hn_operand_info *operand, uint64_t buffer) {
    const char *shape = operand->shape[0] == '\0' || operand->shape[0] == '*' ? "TD" : operand->shape;
    hone_tensor tensor = {.buffer = buffer, .dtype = HONE_F32, .extent = {1, 1, 1, 1}};

    for (const char *letter = shape; *letter != '\0'; letter++) {
        tensor.extent[tensor.rank] = extent_of(*letter);
        if (letter[1] == '+')
            tensor.extent[tensor.rank] += 1;
        if (letter[1] == '/')
            tensor.extent[tensor.rank] /= 2;
        letter += letter[1] == '+' || letter[1] == '/';
        tensor.rank++;
    }
    if (operand->kind == 'i')
        tensor.dtype = HONE_I32;
    if (operand->kind == 'd')
        tensor.dtype = HONE_F64;
    return hn_tensor_shape(tensor, tensor.rank, tensor.extent);
}

static void make(const bench *b, hone_operation operation, example *e) {
    memset(e, 0, sizeof *e);
    e->bench = b;
    e->operation = operation;
    e->info = hn_operation_describe(operation);
    for (int i = 0; i < e->info->operands; i++)
        e->operand[i] = tensor_for(&e->info->operand[i], b->buffer[i]);
    if (operation == HONE_OP_ADAMW)
        e->params.adamw.step = 1;
    e->call = (hone_call){.operand = e->operand, .params = e->info->params_size > 0 ? &e->params : NULL};
    const size_t bytes = hn_workspace(b->device, operation, &e->call);
    if (bytes > 0)
        e->call.workspace = hn_tensor_1(b->workspace, 0, HONE_U8, (int64_t)bytes);
}

static hone_status validate(const example *e) {
    return hn_validate(e->bench->device, e->operation, &e->call);
}

static void passes(const example *e) {
    if (validate(e) != HONE_OK)
        fail_msg("%s", hone_message());
}

/* Refused, with a message that begins with the operation's name. */
static void refused(const example *e, int operand, const char *how) {
    if (validate(e) != HONE_ERROR_ARGUMENT)
        fail_msg("%s, operand %s: %s goes unnoticed", e->info->name, e->info->operand[operand].name, how);
    if (strncmp(hone_message(), e->info->name, strlen(e->info->name)) != 0)
        fail_msg("\"%s\" does not name %s", hone_message(), e->info->name);
}

static bool any_shape(const example *e, int i) { return e->info->operand[i].shape[0] == '\0'; }

static void wrong_presence(example *e, int i) {
    const hone_tensor right = e->operand[i];
    e->operand[i] = hn_tensor_absent();
    if (!e->info->operand[i].optional)
        refused(e, i, "absence");
    e->operand[i] = right;
}

static void wrong_dtype(example *e, int i) {
    const int32_t right = e->operand[i].dtype;
    for (int32_t dtype = -1; dtype <= HONE_DTYPE_COUNT; dtype++) {
        const bool floating =
            dtype == HONE_F32 || dtype == HONE_F64 || dtype == HONE_F16 || dtype == HONE_BF16;
        if (dtype == right || (e->info->operand[i].kind == 'a' && floating))
            continue;
        e->operand[i].dtype = dtype;
        if (e->info->operand[i].kind == 'w' && dtype == HONE_BF16) {
            passes(e);
            continue;
        }
        refused(e, i, "a wrong dtype");
    }
    e->operand[i].dtype = right;
}

/* Whether no other operand has the letter, so that its extent is free. */
static bool lone(const example *e, int i, int d) {
    const char *shape = e->info->operand[i].shape;
    for (int k = 0; k < d; k++)
        shape += shape[1] == '+' || shape[1] == '/' ? 2 : 1;
    if (*shape >= '0' && *shape <= '9')
        return false;
    int seen = 0;
    for (int j = 0; j < e->info->operands; j++)
        for (const char *letter = e->info->operand[j].shape; *letter != '\0'; letter++)
            seen += *letter == *shape;
    return seen == 1;
}

static void wrong_extents(example *e, int i) {
    const hone_tensor right = e->operand[i];
    for (int d = 0; d < right.rank && !any_shape(e, i); d++) {
        if (lone(e, i, d))
            continue;
        int64_t extent[HONE_MAX_RANK];
        memcpy(extent, right.extent, sizeof extent);
        extent[d] += 3;
        e->operand[i] = hn_tensor_shape(right, right.rank, extent);
        refused(e, i, "a wrong extent");
    }
    e->operand[i] = right;
    e->operand[i].extent[0] = -1;
    refused(e, i, "a negative extent");
    e->operand[i] = right;
}

static void wrong_rank(example *e, int i) {
    const hone_tensor right = e->operand[i];
    static const int32_t ranks[] = {0, -1, HONE_MAX_RANK + 1};
    for (size_t k = 0; k < sizeof ranks / sizeof *ranks; k++) {
        e->operand[i].rank = ranks[k];
        refused(e, i, "a rank out of range");
    }
    e->operand[i] = right;
    if (!any_shape(e, i)) {
        e->operand[i].rank = right.rank + 1;
        refused(e, i, "one dimension too many");
    }
    e->operand[i] = right;
}

static void wrong_place(example *e, int i) {
    const hone_tensor right = e->operand[i];
    static const uint64_t handles[] = {UINT64_MAX, 999999999u};
    for (size_t k = 0; k < 2; k++) {
        e->operand[i].buffer = handles[k];
        refused(e, i, "a foreign buffer");
    }
    e->operand[i] = right;
    static const uint64_t offsets[] = {BUFFER - 4, BUFFER + 8, UINT64_MAX - 7, 2};
    for (size_t k = 0; k < 4; k++) {
        e->operand[i].offset = offsets[k];
        if (offsets[k] == BUFFER - 4 && hn_tensor_elements(&right) == 1 && right.dtype != HONE_F64)
            continue;
        refused(e, i, "an offset out of bounds");
    }
    e->operand[i] = right;
    if (right.extent[0] > 1) {
        e->operand[i].row_stride = hn_tensor_row_elements(&right) - 1;
        refused(e, i, "a stride shorter than a row");
        e->operand[i].row_stride = INT64_MAX / 2;
        refused(e, i, "a stride that overflows");
    }
    e->operand[i] = right;
}

static void wrong_accumulate(example *e, int i) {
    e->call.accumulate = 1u << i;
    const size_t bytes = hn_workspace(e->bench->device, e->operation, &e->call);
    const hone_tensor right = e->call.workspace;
    if (bytes > 0)
        e->call.workspace = hn_tensor_1(e->bench->workspace, 0, HONE_U8, (int64_t)bytes);
    if (e->info->operand[i].accumulates)
        passes(e);
    else
        refused(e, i, "adding to what can't be added to");
    e->call.workspace = right;
    e->call.accumulate = 0;
}

static void wrong_aliases(example *e, int i) {
    for (int j = 0; j < e->info->operands; j++) {
        if (j == i || e->info->operand[i].direction == HN_IN)
            continue;
        const hone_tensor right = e->operand[i];
        e->operand[i].buffer = e->operand[j].buffer;
        if ((e->info->operand[i].may_alias >> j & 1u) != 0)
            passes(e);
        else
            refused(e, i, "an overlap from the same element on");
        e->operand[i].offset = hone_dtype_size((hone_dtype)right.dtype);
        if (hn_tensor_elements(&e->operand[j]) > 1 || right.dtype == HONE_F64)
            if (e->operand[i].offset < (uint64_t)hn_tensor_elements(&e->operand[j]) *
                                           hone_dtype_size((hone_dtype)e->operand[j].dtype))
                refused(e, i, "a partial overlap");
        e->operand[i] = right;
    }
}

static void test_every_wrong_operand(void **state) {
    const bench *b = *state;
    for (int operation = 0; operation < HONE_OP_COUNT; operation++) {
        example e;
        make(b, (hone_operation)operation, &e);
        passes(&e);
        for (int i = 0; i < e.info->operands; i++) {
            wrong_presence(&e, i);
            wrong_dtype(&e, i);
            wrong_extents(&e, i);
            wrong_rank(&e, i);
            wrong_place(&e, i);
            wrong_accumulate(&e, i);
            wrong_aliases(&e, i);
            passes(&e);
        }
    }
}

static void test_no_parameters(void **state) {
    for (int operation = 0; operation < HONE_OP_COUNT; operation++) {
        example e;
        make(*state, (hone_operation)operation, &e);
        e.call.params = NULL;
        if (e.info->params_size > 0)
            refused(&e, 0, "absent parameters");
    }
    const hone_call call = {0};
    const bench *b = *state;
    assert_int_equal(hn_validate(b->device, HONE_OP_COUNT, &call), HONE_ERROR_ARGUMENT);
    assert_int_equal(hn_validate(b->device, (hone_operation)-1, &call), HONE_ERROR_ARGUMENT);
}

static void test_workspace(void **state) {
    int asked = 0;
    for (int operation = 0; operation < HONE_OP_COUNT; operation++) {
        example e;
        make(*state, (hone_operation)operation, &e);
        if (!hn_tensor_present(&e.call.workspace))
            continue;
        asked++;
        const hone_tensor right = e.call.workspace;
        e.call.workspace.extent[0]--;
        refused(&e, 0, "a workspace that is too small");
        e.call.workspace = hn_tensor_absent();
        refused(&e, 0, "an absent workspace");
        e.call.workspace = right;
        e.call.workspace.offset = WORKSPACE;
        refused(&e, 0, "a workspace out of bounds");
        e.call.workspace = right;
        e.call.workspace.buffer = e.operand[0].buffer;
        refused(&e, 0, "a workspace over an operand");
        e.call.workspace = right;
        e.call.workspace.dtype = HONE_F32;
        refused(&e, 0, "a workspace of numbers");
    }
    assert_true(asked > 0);
}

static void test_meaning(void **state) {
    example e;

    make(*state, HONE_OP_ATTENTION, &e);
    e.operand[HONE_ATTENTION_K] = e.operand[HONE_ATTENTION_V] = hn_tensor_3(0, 0, HONE_F32, 7, 3, 6);
    e.operand[HONE_ATTENTION_K].buffer = ((const bench *)*state)->buffer[1];
    e.operand[HONE_ATTENTION_V].buffer = ((const bench *)*state)->buffer[2];
    refused(&e, 1, "key heads that do not divide the query heads");

    make(*state, HONE_OP_ROTARY, &e);
    e.operand[HONE_ROTARY_X].extent[2] = e.operand[HONE_ROTARY_Y].extent[2] = 7;
    e.operand[HONE_ROTARY_X].row_stride = e.operand[HONE_ROTARY_Y].row_stride = 28;
    refused(&e, 0, "an odd head width");

    make(*state, HONE_OP_LINEAR_BACKWARD, &e);
    e.operand[HONE_LINEAR_BACKWARD_W] = hn_tensor_absent();
    refused(&e, 1, "dx without w");
    make(*state, HONE_OP_LINEAR_BACKWARD, &e);
    e.operand[HONE_LINEAR_BACKWARD_X] = hn_tensor_absent();
    refused(&e, 0, "dw without x");
    e.operand[HONE_LINEAR_BACKWARD_DW] = hn_tensor_absent();
    passes(&e);

    make(*state, HONE_OP_CAST, &e);
    e.operand[HONE_CAST_Y].extent[0]++;
    refused(&e, 1, "another number of rows");
}

static void test_parameters(void **state) {
    static const double probabilities[] = {-0.1, 1.0, 2.0};
    example e;

    make(*state, HONE_OP_DROPOUT, &e);
    for (size_t i = 0; i < 3; i++) {
        e.params.dropout.probability = probabilities[i];
        refused(&e, 0, "a probability out of range");
    }
    e.params.dropout.probability = strtod("nan", NULL);
    refused(&e, 0, "a probability that is no number");
    make(*state, HONE_OP_ADAMW, &e);
    e.params.adamw.step = 0;
    refused(&e, 0, "step 0");
    e.params.adamw.step = 1;
    e.params.adamw.beta2 = 1.0;
    refused(&e, 0, "beta2 of 1");
}

/* q, k and v as columns of one buffer: rows interleave, and nothing overlaps. */
static void test_columns_side_by_side(void **state) {
    const bench *b = *state;
    example e;

    make(b, HONE_OP_ADD, &e);
    for (int i = 0; i < 3; i++) {
        e.operand[i] = hn_tensor_2(b->buffer[0], (uint64_t)i * 28, HONE_F32, 5, 7);
        e.operand[i].row_stride = 21;
    }
    passes(&e);
    e.operand[2].offset -= 4;
    refused(&e, 2, "columns that overlap");
    e.operand[2].offset += 8;
    refused(&e, 2, "columns that reach into the next row");
}

static void test_zero_extents(void **state) {
    example e;

    make(*state, HONE_OP_LINEAR, &e);
    e.operand[HONE_LINEAR_X] = hn_tensor_2(e.operand[HONE_LINEAR_X].buffer, 0, HONE_F32, 0, 3);
    e.operand[HONE_LINEAR_Y] = hn_tensor_2(e.operand[HONE_LINEAR_Y].buffer, BUFFER, HONE_F32, 0, 7);
    passes(&e);
}

static int set_up(void **state) {
    static bench b;
    *state = &b;
    if (hone_device_open(NULL, NULL, &b.device) != HONE_OK)
        return -1;
    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        if (hn_buffer_create(b.device, BUFFER, &b.buffer[i]) != HONE_OK)
            return -1;
    return hn_buffer_create(b.device, WORKSPACE, &b.workspace) == HONE_OK ? 0 : -1;
}

static int tear_down(void **state) {
    const bench *b = *state;
    for (int i = 0; i < HONE_MAX_OPERANDS; i++)
        hn_buffer_destroy(b->device, b->buffer[i]);
    hn_buffer_destroy(b->device, b->workspace);
    hone_device_close(b->device);
    return 0;
}

/* Rows of bytes and their scales: a stride that leaves no room for these, an odd one, and a buffer that ends before
 * the last row's are all refused. */
static void test_stored_weights(void **state) {
    example e;
    const bench *b = *state;

    make(b, HONE_OP_LINEAR, &e);
    hone_tensor *w = &e.operand[HONE_LINEAR_W];
    w->dtype = HONE_Q8;
    w->row_stride = hone_q8_row(w->extent[1]);
    passes(&e);
    w->row_stride -= 2;
    refused(&e, HONE_LINEAR_W, "a stride without room for scales");
    w->row_stride += 3;
    refused(&e, HONE_LINEAR_W, "an odd stride");
    w->row_stride--;
    size_t size = 0;
    assert_true(hn_buffers_find(&b->device->buffers, w->buffer, &size));
    w->offset = size - (size_t)(w->extent[0] * w->row_stride) + 2;
    refused(&e, HONE_LINEAR_W, "scales past the buffer's end");
    w->offset -= 2;
    passes(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_wrong_operand), cmocka_unit_test(test_no_parameters),
        cmocka_unit_test(test_workspace),           cmocka_unit_test(test_meaning),
        cmocka_unit_test(test_parameters),          cmocka_unit_test(test_columns_side_by_side),
        cmocka_unit_test(test_zero_extents),        cmocka_unit_test(test_stored_weights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
