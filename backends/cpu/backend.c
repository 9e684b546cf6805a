/** The table of the cpu backend, and the manifest that names it. */
#include "backend.h"

#include "operations/operations.h"

/* Work is done when its call returns. */
static hone_status synchronise(hone_backend_device *device) {
    (void)device;
    return HONE_OK;
}

static size_t workspace(hone_backend_device *device, hone_operation operation, const hone_call *call) {
    switch (operation) {
    case HONE_OP_RMS_NORM:
        return hn_cpu_rms_norm_workspace(device, call);
    case HONE_OP_RMS_NORM_BACKWARD:
        return hn_cpu_rms_norm_backward_workspace(device, call);
    case HONE_OP_ATTENTION:
        return hn_cpu_attention_workspace(device, call);
    case HONE_OP_ATTENTION_BACKWARD:
        return hn_cpu_attention_backward_workspace(device, call);
    case HONE_OP_HEAD_LOGP:
        return hn_cpu_head_logp_workspace(device, call);
    case HONE_OP_HEAD_LOGP_BACKWARD:
        return hn_cpu_head_logp_backward_workspace(device, call);
    case HONE_OP_SUM_SQUARES:
        return hn_cpu_sum_squares_workspace(device, call);
    default:
        return 0;
    }
}

static const hone_backend backend = {
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend),
    .count = hn_cpu_count,
    .open = hn_cpu_open,
    .close = hn_cpu_close,
    .properties = hn_cpu_properties,
    .buffer_create = hn_cpu_buffer_create,
    .buffer_destroy = hn_cpu_buffer_destroy,
    .upload = hn_cpu_upload,
    .download = hn_cpu_download,
    .copy = hn_cpu_copy,
    .synchronise = synchronise,
    .workspace = workspace,
    .operation =
        {
            [HONE_OP_EMBEDDING] = hn_cpu_embedding,
            [HONE_OP_EMBEDDING_BACKWARD] = hn_cpu_embedding_backward,
            [HONE_OP_RMS_NORM] = hn_cpu_rms_norm,
            [HONE_OP_RMS_NORM_BACKWARD] = hn_cpu_rms_norm_backward,
            [HONE_OP_LINEAR] = hn_cpu_linear,
            [HONE_OP_LINEAR_BACKWARD] = hn_cpu_linear_backward,
            [HONE_OP_ROTARY] = hn_cpu_rotary,
            [HONE_OP_ATTENTION] = hn_cpu_attention,
            [HONE_OP_ATTENTION_BACKWARD] = hn_cpu_attention_backward,
            [HONE_OP_SWIGLU] = hn_cpu_swiglu,
            [HONE_OP_SWIGLU_BACKWARD] = hn_cpu_swiglu_backward,
            [HONE_OP_ADD] = hn_cpu_add,
            [HONE_OP_DROPOUT] = hn_cpu_dropout,
            [HONE_OP_GATHER_ROWS] = hn_cpu_gather_rows,
            [HONE_OP_HEAD_LOGP] = hn_cpu_head_logp,
            [HONE_OP_HEAD_LOGP_BACKWARD] = hn_cpu_head_logp_backward,
            [HONE_OP_ADAMW] = hn_cpu_adamw,
            [HONE_OP_SUM_SQUARES] = hn_cpu_sum_squares,
            [HONE_OP_FILL] = hn_cpu_fill,
            [HONE_OP_CAST] = hn_cpu_cast,
            [HONE_OP_SCATTER_ROWS] = hn_cpu_scatter_rows,
        },
    .buffer_import = hn_cpu_buffer_import,
};

const hone_backend_manifest HONE_BACKEND_MANIFEST_SYMBOL = {
    .magic = HONE_BACKEND_MAGIC,
    .abi = HONE_BACKEND_ABI,
    .size = sizeof(hone_backend_manifest),
    .name = "cpu",
    .backend = &backend,
};
