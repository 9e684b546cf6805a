/** The scalar kernels: they stand beside the operations that call them. */
#ifndef HN_CPU_SCALAR_H
#define HN_CPU_SCALAR_H

#include "../kernels/kernels.h"

float hn_cpu_rms_norm_scalar(const float *x, const float *gain, float *y, int64_t n, double epsilon);
void hn_cpu_rms_norm_backward_scalar(const float *x, const float *gain, const float *dy, float rstd,
                                     float *dx, int64_t n, bool accumulate);
void hn_cpu_rms_norm_gain_scalar(const float *x, int64_t ldx, const float *dy, int64_t ldy, const float *rstd,
                                 int64_t ldr, int64_t rows, int64_t n, float *sum);
void hn_cpu_angles_scalar(int32_t position, const float *frequency, int64_t n, float *cosine, float *sine);
void hn_cpu_rotate_scalar(const float *x1, const float *x2, const float *cosine, const float *sine, float *y1,
                          float *y2, int64_t n, bool accumulate);
void hn_cpu_swiglu_scalar(const float *gate, const float *up, float *y, int64_t n);
void hn_cpu_swiglu_backward_scalar(const float *gate, const float *up, const float *dy, float *dgate,
                                   float *dup, int64_t n);
void hn_cpu_add_scalar(const float *a, const float *b, float *y, int64_t n);
void hn_cpu_adamw_scalar(const hn_cpu_adamw_step *step, float *w, float *m, float *v, const float *gradient,
                         int64_t n);
void hn_cpu_dropout_scalar(const hn_cpu_dropout_step *step, uint32_t t, const float *x, float *y, int64_t n,
                           bool accumulate);
double hn_cpu_sum_squares_scalar(const float *x, int64_t n);
void hn_cpu_widen_bf16_scalar(const uint16_t *x, float *y, int64_t n);
void hn_cpu_narrow_bf16_scalar(const float *x, uint16_t *y, int64_t n);
void hn_cpu_widen_f16_scalar(const uint16_t *x, float *y, int64_t n);
void hn_cpu_narrow_f16_scalar(const float *x, uint16_t *y, int64_t n);
float hn_cpu_row_maximum_scalar(const float *z, int64_t n);
float hn_cpu_sum_exponentials_scalar(const float *z, int64_t n, float shift);
void hn_cpu_scale_exponentials_scalar(float *z, int64_t n, float shift, float factor);
float hn_cpu_dot_scalar(const float *a, const float *b, int64_t n);
void hn_cpu_attention_scalar(const struct hn_cpu_attention_work *work, int64_t item, float *scratch);
void hn_cpu_attention_query_gradient_scalar(const struct hn_cpu_attention_work *work, int64_t item,
                                            float *scratch);
void hn_cpu_attention_key_gradient_scalar(const struct hn_cpu_attention_work *work, int64_t item,
                                          float *scratch);

#endif
