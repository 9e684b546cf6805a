/** Attention with products of operands rounded to bf16; the rest of the table stays as it is. */
#include "../../operations/scalar.h"
#include "../vector/attention.h"

void hn_cpu_kernels_bf16_products(hn_cpu_kernels *kernels) {
    kernels->attention = attention;
    kernels->attention_query_gradient = attention_query_gradient;
    kernels->attention_key_gradient = attention_key_gradient;
}
