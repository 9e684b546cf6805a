/**
 * Models of the Llama family and LoRA adapters: Hugging Face folders in and out, weights on a device.
 */
#ifndef HONE_MODEL_H
#define HONE_MODEL_H

#include <hone/device.h>
#include <hone/dtype.h>
#include <hone/export.h>
#include <hone/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

HONE_BEGIN

/** Rotary frequencies beyond theta^(-2j/N): the schemes of config.json's rope_parameters / rope_scaling. */
typedef enum hone_rope_kind { HONE_ROPE_DEFAULT = 0, HONE_ROPE_LINEAR, HONE_ROPE_LLAMA3 } hone_rope_kind;

/** What config.json says, checked. Letters as in backend.h. */
typedef struct hone_model_config {
    int64_t width;         /**< D, hidden_size */
    int64_t hidden;        /**< F, intermediate_size */
    int64_t layers;        /**< num_hidden_layers */
    int64_t heads;         /**< H */
    int64_t kv_heads;      /**< K */
    int64_t head_dim;      /**< N */
    int64_t vocabulary;    /**< V */
    int64_t max_positions; /**< longest sequence that the positions were trained for */
    double norm_epsilon;
    bool tied;           /**< the head is the embedding table */
    bool attention_bias; /**< biases on q, k, v, o */
    bool mlp_bias;       /**< biases on gate, up, down */
    hone_rope_kind rope;
    double rope_theta;
    double rope_factor, rope_low_frequency, rope_high_frequency; /**< linear: factor; llama3: all */
    int64_t rope_original_positions;
    double initializer_range; /**< standard deviation of new weights */
    int32_t bos, eos;         /**< -1: none */
    hone_dtype dtype;         /**< of the weights in the file */
} hone_model_config;

typedef struct hone_model hone_model;
typedef struct hone_adapter hone_adapter;

/** Reads and checks folder/config.json alone. */
HONE_API HONE_MUST_USE hone_status hone_model_config_read(const char *folder, hone_model_config *config);
/** HONE_ERROR_ARGUMENT naming the field, the value and the range. */
HONE_API HONE_MUST_USE hone_status hone_model_config_check(const hone_model_config *config);

/** Loads a folder: config.json and model.safetensors, or the shards of model.safetensors.index.json; every
 * file is validated before use. Weights become the device's compute dtype. The device outlives the model. */
HONE_API HONE_MUST_USE hone_status hone_model_open(hone_device *device, const char *folder,
                                                   hone_model **model);
/** How a frozen model keeps its matrices; vectors and everything computed stay in the compute dtype. */
typedef enum hone_weights {
    HONE_WEIGHTS_FULL = 0, /**< in the compute dtype: what can be trained */
    HONE_WEIGHTS_AUTO,     /**< as in the file where that is BF16 (nothing is lost), else in full */
    HONE_WEIGHTS_BF16,     /**< rounded to nearest even */
    HONE_WEIGHTS_Q8        /**< 8 bits and a scale for every 32 (HONE_Q8) */
} hone_weights;
/** "f32", "auto", "bf16", "q8"; HONE_ERROR_ARGUMENT otherwise. */
HONE_API HONE_MUST_USE hone_status hone_weights_parse(const char *text, hone_weights *weights);
/** As hone_model_open. What is not in full can't be trained or merged into. HONE_ERROR_UNSUPPORTED where the device
 *  can't multiply weights that are stored so. */
HONE_API HONE_MUST_USE hone_status hone_model_open_stored(hone_device *device, const char *folder,
                                                          hone_weights weights, hone_model **model);
/** The dtype of its matrices. */
HONE_API hone_dtype hone_model_storage(const hone_model *model);
/** New weights: normal with initializer_range, norms 1, biases 0; a pure function of (config, seed). */
HONE_API HONE_MUST_USE hone_status hone_model_create(hone_device *device, const hone_model_config *config,
                                                     uint64_t seed, hone_model **model);
HONE_API void hone_model_destroy(hone_model *model);
HONE_API const hone_model_config *hone_model_configuration(const hone_model *model);
HONE_API hone_device *hone_model_device(const hone_model *model);
/** Number of weights, the tied head counted once. */
HONE_API int64_t hone_model_parameters(const hone_model *model);
/** 32 hexadecimal digits over configuration and weights as they are now. */
HONE_API HONE_MUST_USE hone_status hone_model_digest(hone_model *model, char digest[33]);
/** Writes config.json and model.safetensors in `dtype` (F32, F16 or BF16); the tokenizer is saved by
 * hone_tokenizer_save. */
HONE_API HONE_MUST_USE hone_status hone_model_save(hone_model *model, const char *folder, hone_dtype dtype);

/** A linear layer that LoRA can adapt is named by its last path component: q_proj, k_proj, v_proj, o_proj,
 *  gate_proj, up_proj, down_proj. */
typedef struct hone_lora_options {
    int64_t rank;        /**< R */
    double alpha;        /**< the product is scaled by alpha / R */
    double dropout;      /**< of the adapter's input, in [0, 1) */
    const char *targets; /**< comma-separated names; "all-linear": all seven */
} hone_lora_options;

/** rank 16, alpha 32, no dropout, "q_proj,v_proj". */
HONE_API hone_lora_options hone_lora_defaults(void);
/** A new adapter: A uniform in +-1/sqrt(I) (Kaiming with a = sqrt 5, as PEFT), B zero. The model outlives it.
 */
HONE_API HONE_MUST_USE hone_status hone_adapter_create(hone_model *model, const hone_lora_options *options,
                                                       uint64_t seed, hone_adapter **adapter);
/** A PEFT folder: adapter_config.json, adapter_model.safetensors. */
HONE_API HONE_MUST_USE hone_status hone_adapter_open(hone_model *model, const char *folder,
                                                     hone_adapter **adapter);
HONE_API HONE_MUST_USE hone_status hone_adapter_save(hone_adapter *adapter, const char *folder,
                                                     const char *base_model);
HONE_API void hone_adapter_destroy(hone_adapter *adapter);
HONE_API const hone_lora_options *hone_adapter_options(const hone_adapter *adapter);
HONE_API int64_t hone_adapter_parameters(const hone_adapter *adapter);
HONE_API HONE_MUST_USE hone_status hone_adapter_digest(hone_adapter *adapter, char digest[33]);
/** Adds scale * B A to the model's weights: the adapter is then part of them and must not be used again with
 * it. */
HONE_API HONE_MUST_USE hone_status hone_adapter_merge(hone_model *model, const hone_adapter *adapter);

/** Converts a GGUF file (general.architecture "llama"; F32, F16, BF16, Q8_0, Q4_0, Q4_1) to a Hugging Face
 * folder in `dtype`, tokenizer included, the rotary row order undone. */
HONE_API HONE_MUST_USE hone_status hone_convert_gguf(const char *path, const char *folder, hone_dtype dtype);

HONE_END

#endif
