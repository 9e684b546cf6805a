#include <core/status.h>
#include <dispatch/device.h>
#include <string.h>
#include <tensor/tensor.h>

/** One call under examination. */
typedef struct examination {
    const hone_device *device;
    const hn_operation_info *info;
    const hone_call *call;
    int64_t extent[128]; /**< by letter; -1: not seen yet */
    int from[128];       /**< the operand that bound it */
    int32_t compute;     /**< dtype of the "f" operands; -1: not seen yet */
    int stored;          /**< the operand with weights in a dtype of their own; -1: none */
} examination;

static hone_status wrong(const examination *x, int operand, const char *what) {
    char text[128];
    hn_tensor_describe(&x->call->operand[operand], text, sizeof text);
    return hn_fail(HONE_ERROR_ARGUMENT, "%s: operand %s %s: %s", x->info->name,
                   x->info->operand[operand].name, text, what);
}

static hone_status check_dtype(examination *x, int i) {
    const hone_tensor *tensor = &x->call->operand[i];
    const bool floating = tensor->dtype == HONE_F32 || tensor->dtype == HONE_F64 ||
                          tensor->dtype == HONE_F16 || tensor->dtype == HONE_BF16;

    switch (x->info->operand[i].kind) {
    case 'i':
        return tensor->dtype == HONE_I32 ? HONE_OK : wrong(x, i, "must be i32");
    case 'd':
        return tensor->dtype == HONE_F64 ? HONE_OK : wrong(x, i, "must be f64");
    case 'w':
        if ((tensor->dtype == HONE_BF16 || tensor->dtype == HONE_Q8) &&
            hn_device_stores(x->device, (hone_dtype)tensor->dtype)) {
            x->stored = i;
            return HONE_OK;
        }
        break;
    case 'a':
        return floating ? HONE_OK : wrong(x, i, "must be a floating dtype");
    default:
        break;
    }
    if (!floating || !hn_device_computes(x->device, (hone_dtype)tensor->dtype))
        return wrong(x, i, "the device does not compute in this dtype");
    if (x->compute >= 0 && x->compute != tensor->dtype)
        return wrong(x, i, "its dtype differs from that of the operands before it");
    x->compute = tensor->dtype;
    return HONE_OK;
}

/** Binds the letter, or compares. "U+" is U + 1, "N/" is N / 2: the letter is bound by another operand. */
static hone_status check_extent(examination *x, int i, char letter, char modifier, int64_t extent) {
    int64_t *bound = &x->extent[(unsigned char)letter];
    int64_t wanted = *bound;

    if (letter >= '0' && letter <= '9')
        return extent == letter - '0' ? HONE_OK : wrong(x, i, "a fixed extent is wrong");
    if (wanted < 0 && modifier == '\0') {
        *bound = extent;
        x->from[(unsigned char)letter] = i;
        return HONE_OK;
    }
    if (wanted < 0)
        return HONE_OK; /* the other operand is optional and absent */
    wanted = modifier == '+' ? wanted + 1 : modifier == '/' ? wanted / 2 : wanted;
    if (extent == wanted)
        return HONE_OK;
    char text[128];
    hn_tensor_describe(&x->call->operand[i], text, sizeof text);
    return hn_fail(HONE_ERROR_ARGUMENT, "%s: operand %s %s: extent %c%c is %lld, operand %s asks for %lld",
                   x->info->name, x->info->operand[i].name, text, letter, modifier == '\0' ? ' ' : modifier,
                   (long long)extent, x->info->operand[x->from[(unsigned char)letter]].name,
                   (long long)wanted);
}

static hone_status check_shape(examination *x, int i) {
    const hone_tensor *tensor = &x->call->operand[i];
    const char *shape = x->info->operand[i].shape;
    int d = 0;

    if (tensor->rank < 1 || tensor->rank > HONE_MAX_RANK)
        return wrong(x, i, "its rank is out of range");
    for (int k = 0; k < tensor->rank; k++)
        if (tensor->extent[k] < 0)
            return wrong(x, i, "an extent is negative");
    if (shape[0] == '\0' || shape[0] == '*')
        return HONE_OK;
    for (const char *letter = shape; *letter != '\0'; letter++, d++) {
        const char modifier = letter[1] == '+' || letter[1] == '/' ? letter[1] : '\0';
        if (d >= tensor->rank)
            return wrong(x, i, "it has too few dimensions");
        HN_TRY(check_extent(x, i, *letter, modifier, tensor->extent[d]));
        letter += modifier != '\0';
    }
    return d == tensor->rank ? HONE_OK : wrong(x, i, "it has too many dimensions");
}

static hone_status check_place(const examination *x, int i) {
    const hone_tensor *tensor = &x->call->operand[i];
    uint64_t span = 0;
    size_t size = 0;

    if (tensor->dtype == HONE_Q8 && tensor->row_stride % 2 != 0)
        return wrong(x, i, "its row stride is odd");
    if (tensor->extent[0] > 1 && tensor->row_stride < hn_tensor_row_stride(tensor))
        return wrong(x, i, "its row stride is shorter than a row");
    if (!hn_buffers_find(&x->device->buffers, tensor->buffer, &size))
        return wrong(x, i, "its buffer does not belong to the device");
    if (tensor->offset %
            (tensor->dtype == HONE_Q8 ? sizeof(uint16_t) : hone_dtype_size((hone_dtype)tensor->dtype)) !=
        0)
        return wrong(x, i, "its offset is not a multiple of the element size");
    if (!hn_tensor_span(tensor, &span) || tensor->offset > size || span > size - tensor->offset)
        return wrong(x, i, "it reaches past the end of its buffer");
    return HONE_OK;
}

static hone_status check_operand(examination *x, int i) {
    const hn_operand_info *operand = &x->info->operand[i];

    if (!hn_tensor_present(&x->call->operand[i])) {
        if (!operand->optional)
            return hn_fail(HONE_ERROR_ARGUMENT, "%s: operand %s is absent", x->info->name, operand->name);
        return HONE_OK;
    }
    if ((x->call->accumulate >> i & 1u) != 0 && !operand->accumulates)
        return wrong(x, i, "it can't be accumulated into");
    if (operand->direction != HN_IN && hn_buffers_imported(&x->device->buffers, x->call->operand[i].buffer))
        return wrong(x, i, "its buffer is memory of the host, which is only read");
    HN_TRY(check_dtype(x, i));
    HN_TRY(check_shape(x, i));
    return check_place(x, i);
}

/** Columns of two tensors with one row stride, side by side in each row: they interleave and do not overlap. */
static bool side_by_side(const hone_tensor *a, const hone_tensor *b) {
    const uint64_t size = hone_dtype_size((hone_dtype)a->dtype), stride = (uint64_t)a->row_stride * size;

    if (a->dtype != b->dtype || a->row_stride != b->row_stride || stride == 0)
        return false;
    const uint64_t p = a->offset % stride, q = b->offset % stride;
    const uint64_t n = (uint64_t)hn_tensor_row_elements(a) * size,
                   m = (uint64_t)hn_tensor_row_elements(b) * size;
    return p + n <= stride && q + m <= stride && (p + n <= q || q + m <= p);
}

static bool overlap(const hone_tensor *a, const hone_tensor *b) {
    uint64_t n = 0, m = 0;

    if (a->buffer != b->buffer || !hn_tensor_span(a, &n) || !hn_tensor_span(b, &m) || n == 0 || m == 0)
        return false;
    return a->offset < b->offset + m && b->offset < a->offset + n && !side_by_side(a, b);
}

/** An output overlaps no other operand, except where the operation works in place and this is exactly that. */
static hone_status check_aliases(const examination *x, int i) {
    const hn_operand_info *operand = &x->info->operand[i];

    if (operand->direction == HN_IN || !hn_tensor_present(&x->call->operand[i]))
        return HONE_OK;
    for (int j = 0; j < x->info->operands; j++) {
        if (j == i || !hn_tensor_present(&x->call->operand[j]) ||
            !overlap(&x->call->operand[i], &x->call->operand[j]))
            continue;
        const bool in_place = (operand->may_alias >> j & 1u) != 0 && (x->call->accumulate >> i & 1u) == 0 &&
                              hn_tensor_same_place(&x->call->operand[i], &x->call->operand[j]);
        if (!in_place)
            return hn_fail(HONE_ERROR_ARGUMENT, "%s: operand %s overlaps operand %s", x->info->name,
                           operand->name, x->info->operand[j].name);
    }
    return HONE_OK;
}

static hone_status check_workspace(const examination *x, hone_operation operation) {
    const hone_tensor *workspace = &x->call->workspace;
    const hone_backend *backend = x->device->backend;
    const size_t wanted = backend->workspace != NULL && backend->operation[operation] != NULL
                              ? backend->workspace(x->device->handle, operation, x->call)
                              : 0;
    const size_t given = hn_tensor_present(workspace) ? (size_t)workspace->extent[0] : 0;
    size_t size = 0;

    if (given < wanted)
        return hn_fail(HONE_ERROR_ARGUMENT, "%s: a workspace of %zu bytes is given, %zu are needed",
                       x->info->name, given, wanted);
    if (given == 0)
        return HONE_OK;
    if (workspace->dtype != HONE_U8 || workspace->rank != 1 ||
        !hn_buffers_find(&x->device->buffers, workspace->buffer, &size) || workspace->offset > size ||
        (uint64_t)workspace->extent[0] > size - workspace->offset)
        return hn_fail(HONE_ERROR_ARGUMENT,
                       "%s: the workspace is not u8[bytes] within a buffer of the device", x->info->name);
    for (int i = 0; i < x->info->operands; i++)
        if (hn_tensor_present(&x->call->operand[i]) && overlap(workspace, &x->call->operand[i]))
            return wrong(x, i, "the workspace overlaps it");
    return HONE_OK;
}

static hone_status check_linear_backward(const hone_tensor *operand) {
    if (hn_tensor_present(&operand[HONE_LINEAR_BACKWARD_DX]) &&
        !hn_tensor_present(&operand[HONE_LINEAR_BACKWARD_W]))
        return hn_fail(HONE_ERROR_ARGUMENT, "linear_backward: dx needs w");
    if (hn_tensor_present(&operand[HONE_LINEAR_BACKWARD_DW]) &&
        !hn_tensor_present(&operand[HONE_LINEAR_BACKWARD_X]))
        return hn_fail(HONE_ERROR_ARGUMENT, "linear_backward: dw needs x");
    return HONE_OK;
}

/** Numbers that would make an operation divide by zero; written so that NaN fails too. */
static hone_status check_params(const examination *x, hone_operation operation) {
    if (operation == HONE_OP_DROPOUT) {
        const hone_dropout_params *dropout = x->call->params;
        if (!(dropout->probability >= 0.0 && dropout->probability < 1.0))
            return hn_fail(HONE_ERROR_ARGUMENT, "dropout: the probability is %g, it must be in [0, 1)",
                           dropout->probability);
    }
    if (operation == HONE_OP_ADAMW) {
        const hone_adamw_params *adamw = x->call->params;
        if (adamw->step < 1)
            return hn_fail(HONE_ERROR_ARGUMENT, "adamw: step is %lld, steps count from 1",
                           (long long)adamw->step);
        if (!(adamw->beta1 >= 0.0 && adamw->beta1 < 1.0) || !(adamw->beta2 >= 0.0 && adamw->beta2 < 1.0))
            return hn_fail(HONE_ERROR_ARGUMENT, "adamw: beta1 is %g and beta2 %g, both must be in [0, 1)",
                           adamw->beta1, adamw->beta2);
    }
    return HONE_OK;
}

/** What shapes by letters can't say. */
static hone_status check_meaning(const examination *x, hone_operation operation) {
    const int64_t h = x->extent['H'], k = x->extent['K'], n = x->extent['N'];
    const hone_tensor *operand = x->call->operand;

    if (operation == HONE_OP_ATTENTION || operation == HONE_OP_ATTENTION_BACKWARD)
        if (k < 1 || h % k != 0)
            return hn_fail(HONE_ERROR_ARGUMENT, "%s: %lld query heads are not a multiple of %lld key heads",
                           x->info->name, (long long)h, (long long)k);
    if (operation == HONE_OP_ROTARY && n % 2 != 0)
        return hn_fail(HONE_ERROR_ARGUMENT, "rotary: head width %lld is odd", (long long)n);
    if (operation == HONE_OP_LINEAR_BACKWARD)
        return check_linear_backward(operand);
    if (operation == HONE_OP_CAST && (operand[HONE_CAST_X].rank != operand[HONE_CAST_Y].rank ||
                                      memcmp(operand[HONE_CAST_X].extent, operand[HONE_CAST_Y].extent,
                                             (size_t)operand[HONE_CAST_X].rank * sizeof(int64_t)) != 0))
        return wrong(x, HONE_CAST_Y, "its extents differ from those of x");
    return HONE_OK;
}

hone_status hn_validate(const hone_device *device, hone_operation operation, const hone_call *call) {
    examination x = {.device = device,
                     .info = hn_operation_describe(operation),
                     .call = call,
                     .compute = -1,
                     .stored = -1};

    if (x.info == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "operation %d does not exist", (int)operation);
    memset(x.extent, -1, sizeof x.extent);
    if (x.info->params_size > 0 && call->params == NULL)
        return hn_fail(HONE_ERROR_ARGUMENT, "%s: its parameters are absent", x.info->name);
    for (int i = 0; i < x.info->operands; i++)
        HN_TRY(check_operand(&x, i));
    if (x.stored >= 0 && x.compute != HONE_F32)
        return wrong(&x, x.stored, "weights are stored in it beside operands in f32 alone");
    for (int i = 0; i < x.info->operands; i++)
        HN_TRY(check_aliases(&x, i));
    HN_TRY(check_params(&x, operation));
    HN_TRY(check_meaning(&x, operation));
    return check_workspace(&x, operation);
}
