/** The kernels that every device starts from. */
#include "kernels.h"

#include "../operations/scalar.h"

void hn_cpu_kernels_scalar(hn_cpu_kernels *kernels) {
    *kernels = (hn_cpu_kernels){
        .rms_norm = hn_cpu_rms_norm_scalar,
        .rms_norm_backward = hn_cpu_rms_norm_backward_scalar,
        .rms_norm_gain = hn_cpu_rms_norm_gain_scalar,
        .angles = hn_cpu_angles_scalar,
        .rotate = hn_cpu_rotate_scalar,
        .swiglu = hn_cpu_swiglu_scalar,
        .swiglu_backward = hn_cpu_swiglu_backward_scalar,
        .add = hn_cpu_add_scalar,
        .adamw = hn_cpu_adamw_scalar,
        .dropout = hn_cpu_dropout_scalar,
        .sum_squares = hn_cpu_sum_squares_scalar,
        .widen_bf16 = hn_cpu_widen_bf16_scalar,
        .narrow_bf16 = hn_cpu_narrow_bf16_scalar,
        .widen_f16 = hn_cpu_widen_f16_scalar,
        .narrow_f16 = hn_cpu_narrow_f16_scalar,
        .row_maximum = hn_cpu_row_maximum_scalar,
        .sum_exponentials = hn_cpu_sum_exponentials_scalar,
        .scale_exponentials = hn_cpu_scale_exponentials_scalar,
        .dot = hn_cpu_dot_scalar,
        .attention = hn_cpu_attention_scalar,
        .attention_query_gradient = hn_cpu_attention_query_gradient_scalar,
        .attention_key_gradient = hn_cpu_attention_key_gradient_scalar,
    };
}
