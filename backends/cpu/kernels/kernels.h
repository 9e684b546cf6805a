/**
 * The inner loops that have faster versions. A device starts from the scalar ones (which stand in
 * operations/, beside the operation that calls them) and takes over what the instruction sets that it may
 * use do better: kernels/vector/ written once, compiled in kernels/avx2/ and kernels/avx512/.
 */
#ifndef HN_CPU_KERNELS_H
#define HN_CPU_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

/** Raised whenever a kernel's bits change: part of what caches are keyed by. */
#define HN_CPU_KERNELS_VERSION 1

typedef enum hn_cpu_isa {
    HN_CPU_SCALAR = 0,
    HN_CPU_AVX2,       /**< with FMA and F16C */
    HN_CPU_AVX512,     /**< F, DQ, BW, VL */
    HN_CPU_AVX512BF16, /**< and BF16 */
    HN_CPU_AMX,        /**< and AMX-TILE, AMX-BF16 */
    HN_CPU_ISAS
} hn_cpu_isa;

/** AdamW's numbers for one step, in the precision of the moments. */
typedef struct hn_cpu_adamw_step {
    float gradient_scale, keep; /**< keep = 1 - lr weight_decay */
    float beta1, rest1, beta2, rest2;
    float rate;          /**< lr / (1 - beta1^step) */
    float inverse_root2; /**< 1 / sqrt(1 - beta2^step) */
    float epsilon;
} hn_cpu_adamw_step;

/** DROPOUT's numbers. */
typedef struct hn_cpu_dropout_step {
    uint32_t key[2], step, stream;
    uint64_t threshold; /**< words from here on are kept: 0 to 2^32 */
    float scale;
} hn_cpu_dropout_step;

struct hn_cpu_attention_work;

typedef struct hn_cpu_kernels {
    /** Returns rstd. */
    float (*rms_norm)(const float *x, const float *gain, float *y, int64_t n, double epsilon);
    void (*rms_norm_backward)(const float *x, const float *gain, const float *dy, float rstd, float *dx,
                              int64_t n, bool accumulate);
    /** sum[j] = sum_t dy[t,j] x[t,j] rstd[t] over `rows` rows, for n <= HN_CPU_GAIN_STRIP columns. */
    void (*rms_norm_gain)(const float *x, int64_t ldx, const float *dy, int64_t ldy, const float *rstd,
                          int64_t ldr, int64_t rows, int64_t n, float *sum);
    /** cosine and sine of position * frequency[j]. */
    void (*angles)(int32_t position, const float *frequency, int64_t n, float *cosine, float *sine);
    /** y1 (+)= x1 c - x2 s, y2 (+)= x2 c + x1 s; y may be x. */
    void (*rotate)(const float *x1, const float *x2, const float *cosine, const float *sine, float *y1,
                   float *y2, int64_t n, bool accumulate);
    void (*swiglu)(const float *gate, const float *up, float *y, int64_t n);
    void (*swiglu_backward)(const float *gate, const float *up, const float *dy, float *dgate, float *dup,
                            int64_t n);
    void (*add)(const float *a, const float *b, float *y, int64_t n);
    void (*adamw)(const hn_cpu_adamw_step *step, float *w, float *m, float *v, const float *gradient,
                  int64_t n);
    /** Row t; y may be x. */
    void (*dropout)(const hn_cpu_dropout_step *step, uint32_t t, const float *x, float *y, int64_t n,
                    bool accumulate);
    double (*sum_squares)(const float *x, int64_t n);
    /** bf16 -> f32 and back, to nearest even; f16 likewise. */
    void (*widen_bf16)(const uint16_t *x, float *y, int64_t n);
    void (*narrow_bf16)(const float *x, uint16_t *y, int64_t n);
    void (*widen_f16)(const uint16_t *x, float *y, int64_t n);
    void (*narrow_f16)(const float *x, uint16_t *y, int64_t n);

    /** A row of logits: its largest (n >= 1); sum_i exp(z[i] - shift); z = factor exp(z - shift). */
    float (*row_maximum)(const float *z, int64_t n);
    float (*sum_exponentials)(const float *z, int64_t n, float shift);
    void (*scale_exponentials)(float *z, int64_t n, float shift, float factor);

    /** sum_i a[i] b[i] */
    float (*dot)(const float *a, const float *b, int64_t n);
    /** One item of the work list; `scratch` belongs to the calling thread (see operations/attention.h). */
    void (*attention)(const struct hn_cpu_attention_work *work, int64_t item, float *scratch);
    void (*attention_query_gradient)(const struct hn_cpu_attention_work *work, int64_t item, float *scratch);
    void (*attention_key_gradient)(const struct hn_cpu_attention_work *work, int64_t item, float *scratch);
} hn_cpu_kernels;

enum { HN_CPU_GAIN_STRIP = 64 };

void hn_cpu_kernels_scalar(hn_cpu_kernels *kernels);
void hn_cpu_kernels_avx2(hn_cpu_kernels *kernels);
void hn_cpu_kernels_avx512(hn_cpu_kernels *kernels);
/** What multiplies operands rounded to bf16: on top of avx512, where the device was opened with such products. */
void hn_cpu_kernels_bf16_products(hn_cpu_kernels *kernels);

#endif
