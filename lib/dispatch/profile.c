#include <dispatch/device.h>
#include <dispatch/profile.h>

void hn_device_set_profile(hone_device *device, hn_profile *profile) { device->profile = profile; }

static double extent(const hone_call *call, int operand, int dimension) {
    return (double)call->operand[operand].extent[dimension];
}

static bool present(const hone_call *call, int operand) { return call->operand[operand].buffer != 0; }

static double linear_backward(const hone_call *call) {
    const double t = extent(call, HONE_LINEAR_BACKWARD_DY, 0), o = extent(call, HONE_LINEAR_BACKWARD_DY, 1);
    double flops = 0.0;

    if (present(call, HONE_LINEAR_BACKWARD_DX))
        flops += 2.0 * t * o * extent(call, HONE_LINEAR_BACKWARD_DX, 1);
    if (present(call, HONE_LINEAR_BACKWARD_DW))
        flops += 2.0 * t * o * extent(call, HONE_LINEAR_BACKWARD_DW, 1);
    return flops;
}

static double head_backward(const hone_call *call) {
    const double product = 2.0 * extent(call, HONE_HEAD_LOGP_BACKWARD_ROW, 0) *
                           extent(call, HONE_HEAD_LOGP_BACKWARD_W, 0) *
                           extent(call, HONE_HEAD_LOGP_BACKWARD_W, 1);
    const int wanted = present(call, HONE_HEAD_LOGP_BACKWARD_DH) + present(call, HONE_HEAD_LOGP_BACKWARD_DW);
    return product * (1 + wanted);
}

double hn_operation_flops(hone_operation operation, const hone_call *call, double pairs) {
    switch (operation) {
    case HONE_OP_LINEAR:
        return 2.0 * extent(call, HONE_LINEAR_X, 0) * extent(call, HONE_LINEAR_X, 1) *
               extent(call, HONE_LINEAR_W, 0);
    case HONE_OP_LINEAR_BACKWARD:
        return linear_backward(call);
    case HONE_OP_ATTENTION:
        return 4.0 * pairs * extent(call, HONE_ATTENTION_Q, 1) * extent(call, HONE_ATTENTION_Q, 2);
    case HONE_OP_ATTENTION_BACKWARD:
        return 10.0 * pairs * extent(call, HONE_ATTENTION_BACKWARD_Q, 1) *
               extent(call, HONE_ATTENTION_BACKWARD_Q, 2);
    case HONE_OP_HEAD_LOGP:
        return 2.0 * extent(call, HONE_HEAD_LOGP_ROW, 0) * extent(call, HONE_HEAD_LOGP_W, 0) *
               extent(call, HONE_HEAD_LOGP_W, 1);
    case HONE_OP_HEAD_LOGP_BACKWARD:
        return head_backward(call);
    default:
        return 0.0;
    }
}
