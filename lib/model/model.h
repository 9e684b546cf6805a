/** What the files of this folder share: the layout of a Llama model's weights and of an adapter's. */
#ifndef HN_MODEL_MODEL_H
#define HN_MODEL_MODEL_H

#include <model/mapped.h>
#include <model/parameters.h>

/** The linear layers of a decoder layer, in the order of the file. */
typedef enum hn_linear { HN_Q = 0, HN_K, HN_V, HN_O, HN_GATE, HN_UP, HN_DOWN, HN_LINEAR_COUNT } hn_linear;

/** "self_attn.q_proj", ... */
const char *hn_linear_path(hn_linear linear);
/** "q_proj", ... */
const char *hn_linear_name(hn_linear linear);
int64_t hn_linear_inputs(const hone_model_config *config, hn_linear linear);
int64_t hn_linear_outputs(const hone_model_config *config, hn_linear linear);

/** Indices into the parameters; -1 where absent. */
typedef struct hn_layer {
    int64_t attention_norm, mlp_norm;
    int64_t weight[HN_LINEAR_COUNT], bias[HN_LINEAR_COUNT];
} hn_layer;

struct hone_model {
    hone_model_config config;
    hone_device *device;
    hn_parameters weights;
    hn_safetensors *file; /**< owned: where mapped weights lie; NULL: all were copied */
    hn_mapped mapped;
    int64_t embedding, norm, head; /**< head == embedding when tied */
    hn_layer *layer;
    uint64_t frequency_buffer;
    hone_tensor frequency; /**< [N/2] rotary frequencies */
};

/** The two factors of an adapted linear: indices into the adapter's parameters; -1 where not adapted. */
typedef struct hn_lora_layer {
    int64_t a[HN_LINEAR_COUNT], b[HN_LINEAR_COUNT];
} hn_lora_layer;

struct hone_adapter {
    hone_model *model;
    hone_lora_options options; /**< targets points to target_text */
    char *target_text;
    hn_parameters weights;
    hn_lora_layer *layer;
};

/** Names and shapes of the parameters that model->config asks for; nothing is allocated on a device. */
HONE_MUST_USE hone_status hn_model_declare(hone_model *model);
/** Parameters declared and allocated, contents undefined. `file` NULL, or what weights may be mapped from: borrowed
 *  for as long as the model lives. */
HONE_MUST_USE hone_status hn_model_shell(hone_device *device, const hone_model_config *config,
                                         hone_dtype dtype, hone_dtype storage, const hn_safetensors *file,
                                         hone_model **model);
HONE_MUST_USE hone_status hn_adapter_shell(hone_model *model, const hone_lora_options *options,
                                           hone_adapter **adapter);
/** Bit l set: linear l is named in a comma-separated list, or by "all-linear". */
HONE_MUST_USE hone_status hn_lora_targets(const char *targets, uint32_t *mask);

/** frequency[j], j < N/2, in double. */
void hn_rotary_frequencies(const hone_model_config *config, double *frequency);

#endif
