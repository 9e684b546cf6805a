#include <core/memory.h>
#include <core/status.h>
#include <math.h>
#include <string.h>
#include <tensor/tensor.h>
#include <train/optimizer.h>

struct hn_optimizer {
    hn_parameters *parameters;
    hn_optimizer_options options;
    uint64_t m, v, norm; /**< buffers */
    uint64_t workspace;
    size_t workspace_bytes;
};

/** A parameter's storage as one flat vector, in `buffer`. */
static hone_tensor flat(const hn_parameter *item, uint64_t buffer) {
    return hn_tensor_1(buffer, item->value.offset, (hone_dtype)item->value.dtype,
                       hn_tensor_elements(&item->value));
}

static hone_status fill_zero(hn_optimizer *optimizer, uint64_t buffer) {
    const hone_fill_params params = {0.0};
    for (size_t i = 0; i < optimizer->parameters->count; i++) {
        const hone_tensor y = flat(&optimizer->parameters->item[i], buffer);
        const hone_call call = {.operand = &y, .params = &params};
        HN_TRY(hn_run(optimizer->parameters->device, HONE_OP_FILL, &call));
    }
    return HONE_OK;
}

/** The sum of squares of one gradient, added to the norm's buffer (overwritten by the first). */
static hone_status add_squares(hn_optimizer *optimizer, size_t i, bool ask, size_t *bytes) {
    const hone_tensor operand[HONE_SUM_SQUARES_OPERANDS] = {
        flat(&optimizer->parameters->item[i], optimizer->parameters->gradient_buffer),
        hn_tensor_1(optimizer->norm, 0, HONE_F64, 1)};
    hone_call call = {.operand = operand, .accumulate = i > 0 ? 1u << HONE_SUM_SQUARES_OUT : 0u};

    if (ask) {
        const size_t wanted = hn_workspace(optimizer->parameters->device, HONE_OP_SUM_SQUARES, &call);
        *bytes = wanted > *bytes ? wanted : *bytes;
        return HONE_OK;
    }
    if (optimizer->workspace_bytes > 0)
        call.workspace = hn_tensor_1(optimizer->workspace, 0, HONE_U8, (int64_t)optimizer->workspace_bytes);
    return hn_run(optimizer->parameters->device, HONE_OP_SUM_SQUARES, &call);
}

hone_status hn_optimizer_create(hn_parameters *parameters, const hn_optimizer_options *options,
                                hn_optimizer **out) {
    hn_optimizer *optimizer = NULL;
    hone_status status = HONE_OK;

    *out = NULL;
    HN_GO(hn_alloc(&optimizer, 1, sizeof *optimizer, "optimizer"));
    optimizer->parameters = parameters;
    optimizer->options = *options;
    HN_GO(hn_parameters_make_trainable(parameters));
    HN_GO(hn_buffer_create(parameters->device, parameters->bytes, &optimizer->m));
    HN_GO(hn_buffer_create(parameters->device, parameters->bytes, &optimizer->v));
    HN_GO(hn_buffer_create(parameters->device, HONE_BUFFER_ALIGNMENT, &optimizer->norm));
    for (size_t i = 0; i < parameters->count; i++)
        HN_GO(add_squares(optimizer, i, true, &optimizer->workspace_bytes));
    if (optimizer->workspace_bytes > 0)
        HN_GO(hn_buffer_create(parameters->device, optimizer->workspace_bytes, &optimizer->workspace));
    HN_GO(fill_zero(optimizer, optimizer->m));
    HN_GO(fill_zero(optimizer, optimizer->v));
    *out = optimizer;
    optimizer = NULL;
done:
    hn_optimizer_destroy(optimizer);
    return status;
}

void hn_optimizer_destroy(hn_optimizer *optimizer) {
    if (optimizer == NULL)
        return;
    hone_device *device = optimizer->parameters->device;
    hn_buffer_destroy(device, optimizer->workspace);
    hn_buffer_destroy(device, optimizer->norm);
    hn_buffer_destroy(device, optimizer->v);
    hn_buffer_destroy(device, optimizer->m);
    hn_free(optimizer);
}

static hone_status gradient_norm(hn_optimizer *optimizer, double *norm) {
    double squares = 0.0;

    for (size_t i = 0; i < optimizer->parameters->count; i++)
        HN_TRY(add_squares(optimizer, i, false, NULL));
    HN_TRY(hn_download(optimizer->parameters->device, &squares, optimizer->norm, 0, sizeof squares));
    *norm = sqrt(squares);
    return HONE_OK;
}

static hone_status update(hn_optimizer *optimizer, size_t i, const hone_adamw_params *common) {
    const hn_parameter *item = &optimizer->parameters->item[i];
    hone_adamw_params params = *common;
    const hone_tensor operand[HONE_ADAMW_OPERANDS] = {flat(item, optimizer->parameters->buffer),
                                                      flat(item, optimizer->m), flat(item, optimizer->v),
                                                      flat(item, optimizer->parameters->gradient_buffer)};
    const hone_call call = {.operand = operand, .params = &params};

    if (!item->decay)
        params.weight_decay = 0.0;
    return hn_run(optimizer->parameters->device, HONE_OP_ADAMW, &call);
}

hone_status hn_optimizer_step(hn_optimizer *optimizer, int64_t step, double lr, double *norm) {
    const hn_optimizer_options *options = &optimizer->options;
    hone_adamw_params params = {.lr = lr,
                                .beta1 = options->beta1,
                                .beta2 = options->beta2,
                                .epsilon = options->epsilon,
                                .weight_decay = options->weight_decay,
                                .gradient_scale = 1.0,
                                .step = step};

    HN_TRY(gradient_norm(optimizer, norm));
    if (!isfinite(*norm))
        return hn_fail(HONE_ERROR_NUMERIC,
                       "step %lld: the gradient is not finite: lower --lr, or raise --warmup",
                       (long long)step);
    /* As torch.nn.utils.clip_grad_norm_ has it. */
    if (options->clip > 0.0)
        params.gradient_scale = fmin(1.0, options->clip / (*norm + 1e-6));
    for (size_t i = 0; i < optimizer->parameters->count; i++)
        HN_TRY(update(optimizer, i, &params));
    return HONE_OK;
}

static hone_tensor moment(const hn_optimizer *optimizer, size_t i, uint64_t buffer) {
    hone_tensor tensor = optimizer->parameters->item[i].value;
    tensor.buffer = buffer;
    return tensor;
}

hone_tensor hn_optimizer_m(const hn_optimizer *optimizer, size_t i) {
    return moment(optimizer, i, optimizer->m);
}

hone_tensor hn_optimizer_v(const hn_optimizer *optimizer, size_t i) {
    return moment(optimizer, i, optimizer->v);
}
