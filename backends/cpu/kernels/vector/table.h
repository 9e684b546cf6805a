/** All vector kernels, for a file that is compiled for one instruction set. */
#ifndef HN_CPU_VECTOR_TABLE_H
#define HN_CPU_VECTOR_TABLE_H

#include "attention.h"
#include "dropout.h"
#include "elementwise.h"
#include "rows.h"

static void take_vector_kernels(hn_cpu_kernels *kernels) {
    *kernels = (hn_cpu_kernels){
        .rms_norm = rms_norm,
        .rms_norm_backward = rms_norm_backward,
        .rms_norm_gain = rms_norm_gain,
        .angles = angles,
        .rotate = rotate,
        .swiglu = swiglu,
        .swiglu_backward = swiglu_backward,
        .add = add,
        .adamw = adamw,
        .dropout = dropout,
        .sum_squares = sum_squares,
        .widen_bf16 = widen_bf16,
        .narrow_bf16 = narrow_bf16,
        .widen_f16 = widen_f16,
        .narrow_f16 = narrow_f16,
        .row_maximum = row_maximum,
        .sum_exponentials = sum_exponentials,
        .scale_exponentials = scale_exponentials,
        .dot = dot,
        .attention = attention,
        .attention_query_gradient = attention_query_gradient,
        .attention_key_gradient = attention_key_gradient,
    };
}

#endif
